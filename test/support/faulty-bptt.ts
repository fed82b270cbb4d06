import type { SimpleRNNWeights, Tensor } from '../../scratch/index';

/** Mistakes that people make in backpropagation through time; docs/bptt.md has a section for each family. */
export const faults = [
  'none',
  'carry accumulated without reset (the notebook)',
  'carry dropped',
  'carry negated',
  'recurrentKernel not transposed',
  'tanh derivative missing',
  'tanh derivative 1 - h',
  'tanh derivative 1 + h²',
  'tanh derivative of the step before',
  'x of the next step',
  'first step skipped',
  'h_t for h_{t-1}',
  '1/B missing',
  '1/B twice',
  'truncated to 2 steps',
  'initial state gradient zero (the notebook)',
  'bias summed over one example only',
  'mask ignored',
  'carry lost at masked steps',
  'clipped to norm 0.1',
] as const;

export type Fault = (typeof faults)[number];

export interface FaultyProblem {
  readonly weights: SimpleRNNWeights;
  /** [B, T, F] */ readonly inputs: Tensor;
  /** [B, U] */ readonly initialState: Tensor;
  /** [B, T] */ readonly mask: Tensor;
  /** [B, U]: gradient of one example's loss; the loss is the mean over the batch */ readonly upstream: Tensor;
}

/** The layer by textbook loops, forward and backward, right with the fault `none`, and wrong in one way with any other. */
export function faultyGradients(
  { weights, inputs, initialState, mask, upstream }: FaultyProblem,
  fault: Fault,
) {
  const [B, T, F] = inputs.shape;
  const U = weights.bias.data.length;
  const { kernel, recurrentKernel, bias } = weights;
  const zeros = (n: number) => new Array<number>(n).fill(0);
  const gradients = {
    kernel: zeros(F * U),
    recurrentKernel: zeros(U * U),
    bias: zeros(U),
    inputs: zeros(B * T * F),
    initialState: zeros(B * U),
  };
  for (let b = 0; b < B; b++) {
    const counts = (t: number) => fault === 'mask ignored' || mask.data[b * T + t] === 1;
    const x = (t: number, f: number) => inputs.data[(b * T + t) * F + f];
    // h[0] is the initial state, h[t + 1] the state after step t
    const h = [Array.from(initialState.data.subarray(b * U, (b + 1) * U))];
    for (let t = 0; t < T; t++) {
      const before = h[t];
      h.push(
        before.map((held, u) => {
          if (!counts(t)) return held;
          let z = bias.data[u];
          for (let f = 0; f < F; f++) z += x(t, f) * kernel.data[f * U + u];
          for (let v = 0; v < U; v++) z += before[v] * recurrentKernel.data[v * U + u];
          return Math.tanh(z);
        }),
      );
    }
    const share = fault === '1/B missing' ? 1 : fault === '1/B twice' ? 1 / B ** 2 : 1 / B;
    let dh = Array.from(upstream.data.subarray(b * U, (b + 1) * U), (g) => g * share);
    for (let t = T - 1; t >= 0; t--) {
      if (fault === 'first step skipped' && t === 0) break;
      if (fault === 'truncated to 2 steps' && t === T - 3) dh = zeros(U);
      if (!counts(t)) {
        if (fault === 'carry lost at masked steps') dh = zeros(U);
        continue;
      }
      const dz = dh.map((g, u) => {
        const own = fault === 'tanh derivative of the step before' ? h[t][u] : h[t + 1][u];
        if (fault === 'tanh derivative missing') return g;
        if (fault === 'tanh derivative 1 - h') return g * (1 - own);
        if (fault === 'tanh derivative 1 + h²') return g * (1 + own * own);
        return g * (1 - own * own);
      });
      const entered = fault === 'h_t for h_{t-1}' ? h[t + 1] : h[t];
      const seen = fault === 'x of the next step' ? Math.min(t + 1, T - 1) : t;
      const carry = zeros(U);
      for (let u = 0; u < U; u++) {
        if (fault !== 'bias summed over one example only' || b === 0) gradients.bias[u] += dz[u];
        for (let f = 0; f < F; f++) {
          gradients.kernel[f * U + u] += x(seen, f) * dz[u];
          gradients.inputs[(b * T + t) * F + f] += dz[u] * kernel.data[f * U + u];
        }
        for (let v = 0; v < U; v++) {
          gradients.recurrentKernel[v * U + u] += entered[v] * dz[u];
          const at = fault === 'recurrentKernel not transposed' ? u * U + v : v * U + u;
          carry[v] += dz[u] * recurrentKernel.data[at];
        }
      }
      dh = carry.map((c, v) => {
        if (fault === 'carry dropped') return 0;
        if (fault === 'carry negated') return -c;
        return fault === 'carry accumulated without reset (the notebook)' ? dh[v] + c : c;
      });
    }
    if (fault !== 'initial state gradient zero (the notebook)' && fault !== 'first step skipped') {
      dh.forEach((g, u) => (gradients.initialState[b * U + u] = g));
    }
  }
  if (fault === 'clipped to norm 0.1') {
    const all = [gradients.kernel, gradients.recurrentKernel, gradients.bias];
    const norm = Math.sqrt(all.flat().reduce((s, g) => s + g * g, 0));
    for (const gradient of all) gradient.forEach((g, i) => (gradient[i] = g * Math.min(1, 0.1 / norm)));
  }
  return gradients;
}
