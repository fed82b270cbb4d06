import { Stack, type GRUConfig, type LSTMConfig, type Tensor } from '../../scratch/index';

/** One gated layer that gives its last state, and the gradient that arrives there. */
export interface GatedProblem {
  readonly layer: LSTMConfig | GRUConfig;
  readonly weights: { readonly kernel: Tensor; readonly recurrentKernel: Tensor; readonly bias: Tensor };
  /** [B, T, F] */ readonly inputs: Tensor;
  /** h_0 [B, U], or h_0 and c_0 */ readonly initialStates: readonly Tensor[];
  /** [B, T] */ readonly mask: Tensor;
  /** [B, U]: dLoss/dh_T */ readonly upstream: Tensor;
}

/** The last state and its gradients. */
export type GatedAnswer = Readonly<Record<string, ArrayLike<number>>>;

/** A mistake that people make with gated layers; docs/bptt-gated.md has a section for each family. */
export interface GatedFault {
  readonly name: string;
  readonly answer: (p: GatedProblem) => GatedAnswer;
}

/** The answer of scratch/. */
export function rightAnswer({
  layer,
  weights,
  inputs,
  initialStates,
  mask,
  upstream,
}: GatedProblem): GatedAnswer {
  const stack = new Stack({ features: inputs.shape[2], layers: [layer], weights: [weights] });
  const { outputs, cache } = stack.forward(inputs, { initialStates: [initialStates], mask });
  const {
    weights: gradients,
    inputs: dInputs,
    initialStates: dStates,
  } = stack.backward(cache, { outputs: upstream });
  const [dh, dc] = dStates[0];
  return {
    h_T: outputs.data,
    ...Object.fromEntries(Object.entries(gradients[0]).map(([key, { data }]) => [key, data])),
    inputs: dInputs!.data,
    h_0: dh.data,
    ...(initialStates.length === 2 && { c_0: dc.data }),
  };
}

type Weights = GatedProblem['weights'];

/**
 * Weights whose blocks of gates are read in another order or with another sign. The gradients are put back, so that only
 * what is wrong differs.
 */
function blocks(
  name: string,
  order: readonly number[],
  signs: readonly number[] = order.map(() => 1),
): GatedFault {
  const U = ({ weights }: GatedProblem) => weights.recurrentKernel.shape[0];
  const moved = (data: ArrayLike<number>, units: number, back: boolean) => {
    const row = order.length * units;
    const out = new Float64Array(data.length);
    for (let i = 0; i < data.length; i++) {
      const [gate, rest] = [Math.floor((i % row) / units), i % units];
      const at = i - (i % row);
      const other = at + order[gate] * units + rest;
      if (back) out[other] = signs[gate] * data[i];
      else out[i] = signs[gate] * data[other];
    }
    return out;
  };
  return {
    name,
    answer(p) {
      const change = ({ data, shape }: Tensor) => ({ data: moved(data, U(p), false), shape });
      const { kernel, recurrentKernel, bias } = p.weights;
      const wrong: Weights = {
        kernel: change(kernel),
        recurrentKernel: change(recurrentKernel),
        bias: change(bias),
      };
      const answer = rightAnswer({ ...p, weights: wrong });
      const back = (key: keyof Weights) => moved(answer[key], U(p), true);
      return {
        ...answer,
        kernel: back('kernel'),
        recurrentKernel: back('recurrentKernel'),
        bias: back('bias'),
      };
    },
  };
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const zeros = (n: number) => new Array<number>(n).fill(0);

/** What one step of one example sends back; the loops below differ only in it. */
interface BackwardStep {
  /** [G·U], for kernel, bias and inputs */ readonly dz: number[];
  /** [G·U]: for h_{t-1} and the recurrent kernel */ readonly dm: number[];
  /** [G·U]: for a second bias, if not dm */ readonly dRecurrentBias?: number[];
  /** [U]: what multiplied block g of the recurrent kernel */ readonly read: (
    block: number,
  ) => readonly number[];
  /** [U]: what h_{t-1} gets besides dm · recurrentKernelᵀ, given that product by blocks */
  readonly toState: (products: readonly number[][]) => number[];
  /** [U]: dc_{t-1} */ readonly dc?: number[];
}

interface ForwardStep {
  readonly h: number[];
  readonly c: number[];
  readonly back: (dh: readonly number[], dc: readonly number[]) => BackwardStep;
}

/** A layer by textbook loops, one example and one step at a time. */
function loops(
  p: GatedProblem,
  step: (x: readonly number[], h: readonly number[], c: readonly number[], columns: Columns) => ForwardStep,
  { transposed = true, stateAfter = false } = {},
): GatedAnswer {
  const [B, T, F] = p.inputs.shape;
  const [U, columns] = p.weights.recurrentKernel.shape;
  const [K, R, bias] = [p.weights.kernel.data, p.weights.recurrentKernel.data, p.weights.bias.data];
  const found = {
    h_T: zeros(B * U),
    kernel: zeros(F * columns),
    recurrentKernel: zeros(U * columns),
    bias: zeros(bias.length),
    inputs: zeros(B * T * F),
    h_0: zeros(B * U),
    c_0: zeros(B * U),
  };
  const row = (data: Float64Array, at: number, width: number) =>
    Array.from(data.subarray(at * width, (at + 1) * width));
  const dot = (v: readonly number[], matrix: Float64Array, c: number) =>
    v.reduce((sum, x, k) => sum + x * matrix[k * columns + c], 0);
  const reading: Columns = {
    fromInput: (x, c) => bias[c] + dot(x, K, c),
    fromState: (h, c) => (bias.length > columns ? bias[columns + c] : 0) + dot(h, R, c),
  };
  for (let b = 0; b < B; b++) {
    let [h, c] = [
      row(p.initialStates[0].data, b, U),
      p.initialStates.length === 2 ? row(p.initialStates[1].data, b, U) : zeros(U),
    ];
    const made: (ForwardStep | undefined)[] = [];
    for (let t = 0; t < T; t++) {
      const exists = p.mask.data[b * T + t] === 1;
      made.push(exists ? step(row(p.inputs.data, b * T + t, F), h, c, reading) : undefined);
      ({ h, c } = made[t] ?? { h, c });
    }
    h.forEach((x, u) => (found.h_T[b * U + u] = x));
    let [dh, dc] = [row(p.upstream.data, b, U), zeros(U)];
    for (let t = T - 1; t >= 0; t--) {
      const now = made[t];
      if (now === undefined) continue; // dh and dc go on to the step before
      const { dz, dm, dRecurrentBias = dm, read, toState, dc: dcBefore = zeros(U) } = now.back(dh, dc);
      for (let col = 0; col < columns; col++) {
        found.bias[col] += dz[col];
        if (bias.length > columns) found.bias[columns + col] += dRecurrentBias[col];
        for (let f = 0; f < F; f++) {
          found.kernel[f * columns + col] += p.inputs.data[(b * T + t) * F + f] * dz[col];
          found.inputs[(b * T + t) * F + f] += K[f * columns + col] * dz[col];
        }
        const state = stateAfter ? now.h : read(Math.floor(col / U));
        for (let v = 0; v < U; v++) found.recurrentKernel[v * columns + col] += state[v] * dm[col];
      }
      const products = Array.from({ length: columns / U }, (_, g) =>
        Array.from({ length: U }, (__, v) => {
          let sum = 0;
          for (let u = 0; u < U; u++) {
            sum += dm[g * U + u] * (transposed ? R[v * columns + g * U + u] : R[u * columns + g * U + v]);
          }
          return sum;
        }),
      );
      [dh, dc] = [toState(products), dcBefore];
    }
    dh.forEach((x, u) => (found.h_0[b * U + u] = x));
    dc.forEach((x, u) => (found.c_0[b * U + u] = x));
  }
  const { c_0, ...without } = found;
  return p.initialStates.length === 2 ? { ...without, c_0 } : without;
}

interface Columns {
  /** bias + x · kernel, one column */ readonly fromInput: (x: readonly number[], column: number) => number;
  /** the second bias + h · recurrentKernel, one column */
  readonly fromState: (h: readonly number[], column: number) => number;
}

const units = (p: GatedProblem) => Array.from({ length: p.weights.recurrentKernel.shape[0] }, (_, u) => u);
const added = (vectors: readonly (readonly number[])[]) =>
  vectors[0].map((_, u) => vectors.reduce((s, v) => s + v[u], 0));

const lstmLoopFaults = [
  'c carry cut',
  'forget gate left out of the c carry',
  'dc_t without what arrives from step t + 1',
  "φ'(c_t) forgotten",
  'c_t for c_{t-1} in the forget gate',
  "σ' forgotten in all gates",
  "candidate's slope taken as a σ's",
  'recurrentKernel not transposed',
  'h_t for h_{t-1} in dRecurrentKernel',
  'h carry cut',
] as const;

/** The LSTM by loops, right without a fault. */
export function lstmLoops(p: GatedProblem, fault?: (typeof lstmLoopFaults)[number]): GatedAnswer {
  const is = (name: (typeof lstmLoopFaults)[number]) => fault === name;
  const all = units(p);
  const U = all.length;
  const slope = (y: number) => (is("σ' forgotten in all gates") ? 1 : y * (1 - y));
  return loops(
    p,
    (x, h, c, { fromInput, fromState }) => {
      const z = (g: number, u: number) => fromInput(x, g * U + u) + fromState(h, g * U + u);
      const [i, f, g, o] = [0, 1, 2, 3].map((gate) =>
        all.map((u) => (gate === 2 ? Math.tanh(z(gate, u)) : sigmoid(z(gate, u)))),
      );
      const cell = all.map((u) => f[u] * c[u] + i[u] * g[u]);
      const a = cell.map(Math.tanh);
      return {
        h: all.map((u) => o[u] * a[u]),
        c: cell,
        back(dh, dcAfter) {
          const dc = all.map((u) => {
            const fromH = dh[u] * o[u] * (is("φ'(c_t) forgotten") ? 1 : 1 - a[u] ** 2);
            return is('dc_t without what arrives from step t + 1') ? fromH : dcAfter[u] + fromH;
          });
          const used = is('c_t for c_{t-1} in the forget gate') ? cell : c;
          const ofCandidate = (y: number) =>
            is("candidate's slope taken as a σ's") ? y * (1 - y) : 1 - y * y;
          const dz = [
            ...all.map((u) => dc[u] * g[u] * slope(i[u])),
            ...all.map((u) => dc[u] * used[u] * slope(f[u])),
            ...all.map((u) => dc[u] * i[u] * ofCandidate(g[u])),
            ...all.map((u) => dh[u] * a[u] * slope(o[u])),
          ];
          const kept = is('forget gate left out of the c carry') ? dc : dc.map((d, u) => d * f[u]);
          return {
            dz,
            dm: dz,
            read: () => h,
            toState: (products) => (is('h carry cut') ? zeros(U) : added(products)),
            dc: is('c carry cut') ? zeros(U) : kept,
          };
        },
      };
    },
    {
      transposed: !is('recurrentKernel not transposed'),
      stateAfter: is('h_t for h_{t-1} in dRecurrentKernel'),
    },
  );
}

const gruLoopFaults = [
  'dh_t ∘ z left out of the carry',
  'matrix left out of the carry',
  "sign of z's gradient: h~ - h_{t-1}",
  '1 - z forgotten for the candidate',
  'reset gate taken as a constant',
  'candidate sent back without r',
  'h_{t-1} for r ∘ h_{t-1} in dRecurrentKernel[h]',
  'recurrent bias gets dz_t, not dm_t',
] as const;

/** The GRU by loops, reset before or after as the problem's layer says, right without a fault. */
export function gruLoops(p: GatedProblem, fault?: (typeof gruLoopFaults)[number]): GatedAnswer {
  const is = (name: (typeof gruLoopFaults)[number]) => fault === name;
  const all = units(p);
  const U = all.length;
  const resetAfter = p.layer.layer === 'gru' && (p.layer.resetAfter ?? true);
  return loops(p, (x, h, c, { fromInput, fromState }) => {
    const gate = (g: number) => all.map((u) => sigmoid(fromInput(x, g * U + u) + fromState(h, g * U + u)));
    const [z, r] = [gate(0), gate(1)];
    const reset = all.map((u) => r[u] * h[u]);
    const m = all.map((u) => fromState(resetAfter ? h : reset, 2 * U + u));
    const candidate = all.map((u) => Math.tanh(fromInput(x, 2 * U + u) + (resetAfter ? r[u] : 1) * m[u]));
    return {
      h: all.map((u) => z[u] * h[u] + (1 - z[u]) * candidate[u]),
      c: [...c],
      back(dh) {
        const share = (u: number) => (is('1 - z forgotten for the candidate') ? 1 : 1 - z[u]);
        const dCandidate = all.map((u) => dh[u] * share(u) * (1 - candidate[u] ** 2));
        const sign = is("sign of z's gradient: h~ - h_{t-1}") ? -1 : 1;
        const dZ = all.map((u) => sign * dh[u] * (h[u] - candidate[u]) * z[u] * (1 - z[u]));
        const R = p.weights.recurrentKernel.data;
        /** dreset, the gradient of r ∘ h_{t-1} */
        const dReset = all.map((v) => all.reduce((s, u) => s + dCandidate[u] * R[v * 3 * U + 2 * U + u], 0));
        const ofR = resetAfter ? all.map((u) => dCandidate[u] * m[u]) : all.map((u) => dReset[u] * h[u]);
        const constant = is('reset gate taken as a constant');
        const dR = all.map((u) => (constant ? 0 : ofR[u] * r[u] * (1 - r[u])));
        const dz = [...dZ, ...dR, ...dCandidate];
        const without = is('candidate sent back without r');
        const dmCandidate = resetAfter && !without ? dCandidate.map((d, u) => d * r[u]) : dCandidate;
        return {
          dz,
          dm: [...dZ, ...dR, ...dmCandidate],
          ...(is('recurrent bias gets dz_t, not dm_t') && { dRecurrentBias: dz }),
          read: (g) =>
            g < 2 || resetAfter || is('h_{t-1} for r ∘ h_{t-1} in dRecurrentKernel[h]') ? h : reset,
          toState: ([fromZ, fromR, fromCandidate]) => {
            const scaled = resetAfter || without ? fromCandidate : fromCandidate.map((d, u) => d * r[u]);
            const matrix = is('matrix left out of the carry') ? zeros(U) : added([fromZ, fromR, scaled]);
            return is('dh_t ∘ z left out of the carry') ? matrix : all.map((u) => matrix[u] + dh[u] * z[u]);
          },
        };
      },
    };
  });
}

const forgetBiasTwice: GatedFault = {
  name: 'forget bias of 1 added twice',
  answer(p) {
    const { data, shape } = p.weights.bias;
    const U = shape[0] / 4;
    const bias = { data: data.map((x, i) => (Math.floor(i / U) === 1 ? x + 1 : x)), shape };
    return rightAnswer({ ...p, weights: { ...p.weights, bias } });
  },
};

/** r ∘ (h · recurrentKernel) for (r ∘ h) · recurrentKernel and the other way round; a second bias is added to the first. */
const resetExchanged: GatedFault = {
  name: 'reset before and after exchanged',
  answer(p) {
    const { units: U, resetAfter = true } = p.layer as GRUConfig;
    const { data } = p.weights.bias;
    const row = 3 * U;
    const bias = resetAfter
      ? { data: data.slice(0, row).map((x, i) => x + data[row + i]), shape: [row] }
      : { data: Float64Array.from([...data, ...zeros(row)]), shape: [2, row] };
    const layer = { ...(p.layer as GRUConfig), resetAfter: !resetAfter };
    const answer = rightAnswer({ ...p, layer, weights: { ...p.weights, bias } });
    const dBias = Array.from(answer['bias']);
    return { ...answer, bias: resetAfter ? [...dBias, ...dBias] : dBias.slice(0, row) };
  },
};

const biasesAddedUp: GatedFault = {
  name: 'two biases added up to one',
  answer(p) {
    const { data, shape } = p.weights.bias;
    const row = data.length / 2;
    const sum = data.map((x, i) => (i < row ? x + data[row + i] : 0));
    const answer = rightAnswer({ ...p, weights: { ...p.weights, bias: { data: sum, shape } } });
    const dBias = Array.from(answer['bias']).slice(0, row);
    return { ...answer, bias: [...dBias, ...dBias] };
  },
};

export const lstmFaults: readonly GatedFault[] = [
  ...lstmLoopFaults.map((name) => ({ name, answer: (p: GatedProblem) => lstmLoops(p, name) })),
  blocks('i and f exchanged', [1, 0, 2, 3]),
  blocks('gate order of TensorFlow 1 (i c f o)', [0, 2, 1, 3]),
  blocks('gate order of ONNX (i o f c)', [0, 3, 1, 2]),
  forgetBiasTwice,
];

const gruOrder = blocks('gate order of PyTorch (r z h)', [1, 0, 2]);
const gruBlend = blocks('z and 1 - z exchanged', [0, 1, 2], [-1, 1, 1]);
const gruLoop = (without: (typeof gruLoopFaults)[number]): GatedFault[] =>
  gruLoopFaults
    .filter((name) => name !== without)
    .map((name) => ({ name, answer: (p: GatedProblem) => gruLoops(p, name) }));

/** Reset before the matrix. */
export const gruFaults: readonly GatedFault[] = [
  ...gruLoop('recurrent bias gets dz_t, not dm_t'),
  resetExchanged,
  gruOrder,
  gruBlend,
];

/** Reset after the matrix, with two biases. */
export const gruResetAfterFaults: readonly GatedFault[] = [
  ...gruLoop('h_{t-1} for r ∘ h_{t-1} in dRecurrentKernel[h]'),
  resetExchanged,
  biasesAddedUp,
  gruOrder,
  gruBlend,
];
