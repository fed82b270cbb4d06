import { zeros, type Tensor } from '../../scratch/index';
import type { Evaluation, Problem } from '../base/problem';
import { roundedDot, roundedSum, strided, transposed, type DotOrder, type Strided } from './rounded-dot';

/** One way of computing in single precision. */
export interface SinglePrecisionOptions {
  /** default `blocks`, as the `cpu` backend of TensorFlow.js does */ readonly order?: DotOrder;
  /** one sum over [x, h] instead of two; default false */ readonly joint?: boolean;
  /** largest errors of the elementary functions in units of u |f|, rounding included; default: correctly rounded */
  readonly kappa?: { readonly tanh: number; readonly exp: number; readonly log: number };
  /**
   * errors of the functions: `functions` random within kappa, `high` and `low` all of the largest size and of one sign (real
   * functions are biased), `sums` random, and every dot product shaken by up to u as well; default none
   */
  readonly noise?: 'functions' | 'high' | 'low' | 'sums';
  /** decides the random errors; default 0 */ readonly seed?: number;
  /** weight gradients as one sum over batch and time instead of step by step; default false */
  readonly flatSums?: boolean;
  /** `double45`: doubles cut to 45 bits, whose roundings behave like double precision's but can be measured with it */
  readonly format?: 'single' | 'double45';
}

/** Unit roundoff of each emulated format. */
export const emulatedUnit = { single: 2 ** -24, double45: 2 ** -45 } as const;

/**
 * The whole network with `Math.fround` after every operation: an honest float32 run that shares no code with either
 * side. With default options its forward pass equals the `cpu` backend of TensorFlow.js bit for bit.
 */
export function singlePrecisionRun(problem: Problem, options: SinglePrecisionOptions = {}): Evaluation {
  const order = options.order ?? 'blocks';
  const format = options.format ?? 'single';
  const unit = emulatedUnit[format];
  const fround = format === 'single' ? Math.fround : roundTo45Bits;
  const random = noise(options.seed ?? 0);
  const biases = { high: () => 1, low: () => -1, functions: random, sums: random };
  const shake = options.noise === undefined ? () => 0 : biases[options.noise];
  const kappa = options.kappa ?? { tanh: 0, exp: 0, log: 0 };
  const tanh = (z: number): number => Math.max(-1, Math.min(1, rounded(Math.tanh(z), kappa.tanh)));
  const exp = (x: number): number => rounded(Math.exp(x), kappa.exp);
  const log = (x: number): number => rounded(Math.log(x), kappa.log);
  const rounded = (value: number, k: number): number =>
    fround(value * (1 + Math.max(k - 1, 0) * unit * shake()));
  const settle = (sum: number): number =>
    options.noise === 'sums' ? fround(sum * (1 + unit * random())) : sum;
  const total = (n: number, term: (k: number) => number): number => {
    const terms = new Float64Array(n);
    for (let k = 0; k < n; k++) terms[k] = term(k);
    return settle(roundedSum(n, terms, order, fround));
  };
  const dot = (a: Strided, b: Strided, i: number, j: number): number =>
    settle(roundedDot(a, b, i, j, order, fround));
  const product = (a: Strided, b: Strided): Float64Array => {
    const out = new Float64Array(a.rows * b.columns);
    for (let i = 0; i < a.rows; i++)
      for (let j = 0; j < b.columns; j++) out[i * b.columns + j] = dot(a, b, i, j);
    return out;
  };
  const plus = (a: Float64Array, b: ArrayLike<number>): Float64Array => a.map((x, i) => fround(x + b[i]));

  const [batch, timeSteps, features] = problem.inputs.shape;
  const units = problem.weights.kernel.shape[1];
  const single = (tensor: Tensor): Float64Array => tensor.data.map(fround);
  const kernel = strided(single(problem.weights.kernel), features, units);
  const recurrentKernel = strided(single(problem.weights.recurrentKernel), units, units);
  const bias = single(problem.weights.bias);
  const live = (b: number, t: number): boolean =>
    problem.mask === undefined || problem.mask.data[b * timeSteps + t] !== 0;
  const stepOf = (tensor: Tensor, t: number): Float64Array => {
    const n = tensor.shape[2];
    return Float64Array.from({ length: batch * n }, (_, i) =>
      fround(tensor.data[(Math.floor(i / n) * timeSteps + t) * n + (i % n)]),
    );
  };
  const keep = (t: number, real: Float64Array, kept: Float64Array): Float64Array =>
    real.map((x, i) => (live(Math.floor(i / units), t) ? x : kept[i]));

  // h_t = tanh(x_t kernel + h_{t-1} recurrentKernel + bias)
  const inputs = Array.from({ length: timeSteps }, (_, t) => stepOf(problem.inputs, t));
  const states = [
    problem.initialState === undefined ? new Float64Array(batch * units) : single(problem.initialState),
  ];
  const both = strided(
    stack([single(problem.weights.kernel), single(problem.weights.recurrentKernel)]),
    features + units,
    units,
  );
  for (let t = 0; t < timeSteps; t++) {
    const h = states[t];
    let z: Float64Array;
    if (options.joint === true) {
      const xh = Float64Array.from({ length: batch * (features + units) }, (_, i) => {
        const b = Math.floor(i / (features + units));
        const k = i % (features + units);
        return k < features ? inputs[t][b * features + k] : h[b * units + k - features];
      });
      z = product(strided(xh, batch, features + units), both).map((s, i) => fround(s + bias[i % units]));
    } else {
      const fromInput = product(strided(inputs[t], batch, features), kernel);
      const withBias = fromInput.map((a, i) => fround(a + bias[i % units]));
      z = plus(withBias, product(strided(h, batch, units), recurrentKernel));
    }
    states.push(keep(t, z.map(tanh), h));
  }
  const evaluation = {
    states: timeMajor(states.slice(1), batch, units),
    finalState: { data: states[timeSteps], shape: [batch, units] },
  };

  // softmax and cross-entropy
  const { outputKernel, outputBias } = problem.weights;
  let head: Pick<Evaluation, 'logits' | 'probabilities' | 'loss'> = {};
  let outputGradients = {};
  let dState: Float64Array = new Float64Array(batch * units);
  if (outputKernel !== undefined && outputBias !== undefined) {
    const classes = outputBias.shape[0];
    const weight = strided(single(outputKernel), units, classes);
    const c = single(outputBias);
    const finalState = strided(states[timeSteps], batch, units);
    const logits = product(finalState, weight).map((y, i) => fround(y + c[i % classes]));
    const probabilities = new Float64Array(logits.length);
    const losses = new Float64Array(batch);
    const dLogits = new Float64Array(logits.length);
    for (let b = 0; b < batch; b++) {
      const row = logits.subarray(b * classes, (b + 1) * classes);
      const max = row.reduce((m, y) => Math.max(m, y), -Infinity);
      const shifted = row.map((y) => fround(y - max));
      const exps = shifted.map(exp);
      const sum = total(classes, (k) => exps[k]);
      const label = problem.labels?.[b];
      for (let j = 0; j < classes; j++) {
        const p = fround(exps[j] / sum);
        probabilities[b * classes + j] = p;
        if (label !== undefined) dLogits[b * classes + j] = fround(fround(p - (j === label ? 1 : 0)) / batch);
      }
      if (label !== undefined) losses[b] = fround(log(sum) - shifted[label]);
    }
    head = {
      logits: { data: logits, shape: [batch, classes] },
      probabilities: { data: probabilities, shape: [batch, classes] },
    };
    if (problem.labels !== undefined) {
      const loss = fround(total(batch, (b) => losses[b]) / batch);
      head = { ...head, loss: { data: Float64Array.of(loss), shape: [] } };
      const dy = strided(dLogits, batch, classes);
      outputGradients = {
        outputKernel: { data: product(transposed(finalState), dy), shape: [units, classes] },
        outputBias: {
          data: Float64Array.from({ length: classes }, (_, j) =>
            total(batch, (b) => dLogits[b * classes + j]),
          ),
          shape: [classes],
        },
      };
      dState = product(dy, transposed(weight));
    }
  }
  if (problem.labels === undefined && problem.upstream === undefined) return { ...evaluation, ...head };

  // backpropagation through time
  const { upstream } = problem;
  if (upstream?.finalState !== undefined) dState = plus(dState, single(upstream.finalState));
  const steps: Float64Array[] = [];
  const dInputs: Float64Array[] = [];
  let dKernel = zeros(features, units).data;
  let dRecurrentKernel = zeros(units, units).data;
  let dBias = zeros(units).data;
  for (let t = timeSteps - 1; t >= 0; t--) {
    if (upstream?.states !== undefined) dState = plus(dState, stepOf(upstream.states, t));
    const h = states[t + 1];
    const dz = dState.map((d, i) =>
      live(Math.floor(i / units), t) ? fround(d * fround(1 - fround(h[i] * h[i]))) : 0,
    );
    steps[t] = dz;
    const dzMatrix = strided(dz, batch, units);
    dInputs[t] = product(dzMatrix, transposed(kernel));
    if (options.flatSums !== true) {
      dKernel = plus(dKernel, product(transposed(strided(inputs[t], batch, features)), dzMatrix));
      dRecurrentKernel = plus(
        dRecurrentKernel,
        product(transposed(strided(states[t], batch, units)), dzMatrix),
      );
      const rows = Float64Array.from({ length: units }, (_, j) => total(batch, (b) => dz[b * units + j]));
      dBias = plus(dBias, rows);
    }
    dState = keep(t, product(dzMatrix, transposed(recurrentKernel)), dState);
  }
  if (options.flatSums === true) {
    const dz = strided(stack(steps), batch * timeSteps, units);
    dKernel = product(transposed(strided(stack(inputs), batch * timeSteps, features)), dz);
    dRecurrentKernel = product(transposed(strided(stack(states.slice(0, -1)), batch * timeSteps, units)), dz);
    dBias = Float64Array.from({ length: units }, (_, j) =>
      total(batch * timeSteps, (i) => dz.data[i * units + j]),
    );
  }
  return {
    ...evaluation,
    ...head,
    gradients: {
      ...outputGradients,
      inputs: timeMajor(dInputs, batch, features),
      initialState: { data: dState, shape: [batch, units] },
      kernel: { data: dKernel, shape: [features, units] },
      recurrentKernel: { data: dRecurrentKernel, shape: [units, units] },
      bias: { data: dBias, shape: [units] },
    },
  };
}

/** Nearest number of 45 bits (Veltkamp 1968). */
function roundTo45Bits(x: number): number {
  const c = x * 257;
  return Number.isFinite(c) ? c - (c - x) : x;
}

function timeMajor(steps: readonly Float64Array[], batch: number, n: number): Tensor {
  const out = zeros(batch, steps.length, n);
  steps.forEach((step, t) => {
    for (let b = 0; b < batch; b++)
      out.data.set(step.subarray(b * n, (b + 1) * n), (b * steps.length + t) * n);
  });
  return out;
}

/** Matrices of the same width, one below the other. */
function stack(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Uniform numbers in (-1, 1) from a 32-bit mixing function (Steele, Lea & Flood 2014). */
function noise(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b9) | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  };
}
