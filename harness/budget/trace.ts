import { zeros, type Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import { sizesOf as problemSizes, type Evaluation, type Problem } from '../base/problem';
import { addProduct, addProductTransposed, addRows, addTransposedProduct, type Matrix } from './matrix';

/** Sizes of a problem; `classes` is 0 without an output layer. */
export interface Sizes {
  readonly batch: number;
  readonly timeSteps: number;
  readonly features: number;
  readonly units: number;
  readonly classes: number;
}

/** One step forward: z = x kernel + h recurrentKernel + bias, next = tanh z. */
export interface ForwardStep {
  /** x_t [B, F] */ readonly x: Matrix;
  /** h_{t-1} [B, U] */ readonly h: Matrix;
  /** x_t kernel [B, U] */ readonly fromInput: Matrix;
  /** h_{t-1} recurrentKernel [B, U] */ readonly fromState: Matrix;
  /** z_t [B, U] */ readonly z: Matrix;
  /** tanh z_t [B, U], before the mask */ readonly activation: Matrix;
  /** 1 - tanh(z_t)^2 = sech(z_t)^2 [B, U], computed without cancellation */ readonly slope: Matrix;
  /** 1 where example b takes part in this step [B] */ readonly live: Uint8Array;
}

/** The factor of dz = dh slope. */
export type Slope = Pick<ForwardStep, 'activation' | 'slope'>;

/** Softmax and cross-entropy of one batch of logits. */
export interface HeadValues {
  /** [B, C] */ readonly logits: Matrix;
  /** log p [B, C] */ readonly logProbabilities: Matrix;
  /** p [B, C] */ readonly probabilities: Matrix;
  /** 1 - p = sum of the other p, without cancellation [B, C] */ readonly others: Matrix;
  /** largest logit [B] */ readonly max: Matrix;
  /** log of the sum of e^(y - max) [B] */ readonly logSum: Matrix;
  /** mean of -log p_label; only with labels */ readonly loss?: number;
  /** p - onehot(label) [B, C]; only with labels */ readonly residual?: Matrix;
}

/** What a side shows of its inner values: the run goes on from these, as if they were exact. */
export interface Observed {
  /** h_t [B, T, U] */ readonly states: Tensor;
  /** y [B, C] */ readonly logits?: Tensor | undefined;
  /** gradient with respect to z_t [B, T, U]; without it, the run ends at the output layer */
  readonly dPreActivations?: Tensor | undefined;
}

/**
 * Every intermediate value of a float64 run, forward and backward: what the error analysis needs to see.
 * Where values are observed, each next value is computed from them, and `evaluation` holds what was computed.
 */
export interface Trace {
  readonly problem: Problem;
  readonly sizes: Sizes;
  readonly observed?: Observed | undefined;
  readonly steps: readonly ForwardStep[];
  /** h_0 ... h_T, T + 1 entries [B, U] */ readonly states: readonly Matrix[];
  readonly head?: HeadValues;
  /** gradient that reaches the final state from the output layer [B, U] */ readonly fromHead?: Matrix;
  /** gradient with respect to h_t, t = 1..T at index t - 1 [B, U]; only with a backward pass */
  readonly dStates?: readonly Matrix[];
  /** gradient with respect to z_t, at index t - 1 [B, U] */ readonly dPreActivations?: readonly Matrix[];
  /** tanh' and the h_t that it belongs to, at index t - 1 */ readonly slopes?: readonly Slope[];
  /** the same gradient as computed from observed values [B, T, U] */ readonly computed?: Matrix;
  /** values of every compared tensor, as this run found them */ readonly evaluation: Evaluation;
}

export function sizesOf(problem: Problem): Sizes {
  return { ...problemSizes(problem), classes: problemSizes(problem).classes ?? 0 };
}

/** Time step t of a tensor [B, T, n] as a matrix [B, n]. */
export function timeSlice(tensor: Tensor, t: number): Matrix {
  const [batch, timeSteps, n] = tensor.shape;
  const out = new Float64Array(batch * n);
  for (let b = 0; b < batch; b++) {
    const from = (b * timeSteps + t) * n;
    out.set(tensor.data.subarray(from, from + n), b * n);
  }
  return out;
}

/** Matrices [B, n] of the time steps, put together to [B, T, n] data. */
export function joinTimeSteps(steps: readonly Matrix[], batch: number): Matrix {
  const n = steps[0].length / batch;
  const out = new Float64Array(batch * steps.length * n);
  steps.forEach((step, t) => {
    for (let b = 0; b < batch; b++) out.set(step.subarray(b * n, (b + 1) * n), (b * steps.length + t) * n);
  });
  return out;
}

/** sech(z)^2 = 4 e^(-2|z|) / (1 + e^(-2|z|))^2, free of cancellation */
export function squaredSech(z: number): number {
  const e = Math.exp(-2 * Math.abs(z));
  return (4 * e) / ((1 + e) * (1 + e));
}

/** One step forward from the given previous state. */
function forwardStep(problem: Problem, t: number, h: Matrix): ForwardStep {
  const { batch, timeSteps, features, units } = sizesOf(problem);
  const { kernel, recurrentKernel, bias } = problem.weights;
  const x = timeSlice(problem.inputs, t);
  const fromInput = addProduct(new Float64Array(batch * units), x, kernel.data, batch, features, units);
  const fromState = addProduct(new Float64Array(batch * units), h, recurrentKernel.data, batch, units, units);
  const z = fromInput.map((a, i) => a + fromState[i] + bias.data[i % units]);
  const mask = problem.mask?.data;
  const live = Uint8Array.from({ length: batch }, (_, b) =>
    mask === undefined || mask[b * timeSteps + t] !== 0 ? 1 : 0,
  );
  return {
    x,
    h,
    fromInput,
    fromState,
    z,
    activation: z.map(Math.tanh),
    slope: z.map(squaredSech),
    live,
  };
}

/** Row b of `real` where the example is live, of `kept` where it is masked. */
export function select(live: Uint8Array, real: Matrix, kept: Matrix): Matrix {
  const n = real.length / live.length;
  const out = real.slice();
  for (let b = 0; b < live.length; b++) if (live[b] !== 1) out.set(kept.subarray(b * n, (b + 1) * n), b * n);
  return out;
}

function headValues(logits: Matrix, classes: number, labels: readonly number[] | undefined): HeadValues {
  const batch = logits.length / classes;
  const logProbabilities = new Float64Array(logits.length);
  const others = new Float64Array(logits.length);
  const max = new Float64Array(batch);
  const logSum = new Float64Array(batch);
  for (let b = 0; b < batch; b++) {
    const row = logits.subarray(b * classes, (b + 1) * classes);
    max[b] = row.reduce((m, y) => Math.max(m, y), -Infinity);
    logSum[b] = Math.log(row.reduce((s, y) => s + Math.exp(y - max[b]), 0));
    for (let j = 0; j < classes; j++) logProbabilities[b * classes + j] = row[j] - max[b] - logSum[b];
  }
  const probabilities = logProbabilities.map(Math.exp);
  for (let i = 0; i < others.length; i++) {
    const row = Math.floor(i / classes) * classes;
    for (let k = 0; k < classes; k++) if (row + k !== i) others[i] += probabilities[row + k];
  }
  const values = { logits, logProbabilities, probabilities, others, max, logSum };
  if (labels === undefined) return values;
  const residual = probabilities.slice();
  let loss = 0;
  labels.forEach((label, b) => {
    residual[b * classes + label] = -others[b * classes + label];
    loss -= logProbabilities[b * classes + label] / batch;
  });
  return { ...values, residual, loss };
}

/** Runs the problem in float64, forward and (with labels or upstream gradients) backward, and keeps everything. */
export const traceOf = memoize((problem: Problem) => traceFrom(problem));

/** The same, every equation from the values that a side shows itself. */
export function traceFrom(problem: Problem, observed?: Observed): Trace {
  const sizes = sizesOf(problem);
  const { batch, timeSteps, units, classes } = sizes;
  const steps: ForwardStep[] = [];
  const states = [problem.initialState?.data ?? new Float64Array(batch * units)];
  const computed: Matrix[] = [];
  for (let t = 0; t < timeSteps; t++) {
    const step = forwardStep(problem, t, states[t]);
    steps.push(step);
    computed.push(select(step.live, step.activation, states[t]));
    states.push(observed === undefined ? computed[t] : timeSlice(observed.states, t));
  }
  const evaluation: Evaluation = {
    states: tensor(joinTimeSteps(computed, batch), [batch, timeSteps, units]),
    finalState: tensor(states[timeSteps], [batch, units]),
  };
  const { outputKernel, outputBias } = problem.weights;
  if (outputKernel === undefined || outputBias === undefined)
    return backward({ problem, sizes, observed, steps, states, evaluation });
  const logits = Float64Array.from({ length: batch * classes }, (_, i) => outputBias.data[i % classes]);
  addProduct(logits, states[timeSteps], outputKernel.data, batch, units, classes);
  const head = headValues(observed?.logits?.data ?? logits, classes, problem.labels);
  return backward({
    problem,
    sizes,
    observed,
    steps,
    states,
    head,
    evaluation: {
      ...evaluation,
      logits: tensor(logits, [batch, classes]),
      probabilities: tensor(head.probabilities, [batch, classes]),
      ...(head.loss !== undefined && { loss: tensor(Float64Array.of(head.loss), []) }),
    },
  });
}

function backward(trace: Trace): Trace {
  const { problem, sizes, observed, steps, states, head } = trace;
  const { batch, timeSteps, features, units, classes } = sizes;
  const { kernel, recurrentKernel, outputKernel, outputBias } = problem.weights;
  if (problem.labels === undefined && problem.upstream === undefined) return trace;
  const dKernel = zeros(features, units);
  const dRecurrentKernel = zeros(units, units);
  const dBias = zeros(units);
  let dState: Matrix = new Float64Array(batch * units);
  let fromHead: Matrix | undefined;
  let outputGradients = {};
  if (head?.residual !== undefined && outputKernel !== undefined && outputBias !== undefined) {
    const dLogits = head.residual.map((r) => r / batch);
    fromHead = addProductTransposed(dState.slice(), dLogits, outputKernel.data, batch, classes, units);
    dState = fromHead.slice();
    const dOutputKernel = zeros(units, classes);
    const dOutputBias = zeros(classes);
    addTransposedProduct(dOutputKernel.data, states[timeSteps], dLogits, batch, units, classes);
    addRows(dOutputBias.data, dLogits, batch, classes);
    outputGradients = { outputKernel: dOutputKernel, outputBias: dOutputBias };
  }
  if (observed !== undefined && observed.dPreActivations === undefined)
    return { ...trace, evaluation: { ...trace.evaluation, gradients: outputGradients } };
  add(dState, problem.upstream?.finalState?.data);
  const slopes = observed === undefined ? steps : states.slice(1).map(slopeOf);
  const dStates: Matrix[] = [];
  const dPreActivations: Matrix[] = [];
  const computed: Matrix[] = [];
  const dInputs: Matrix[] = [];
  for (let t = timeSteps - 1; t >= 0; t--) {
    const { x, h, live } = steps[t];
    const { slope } = slopes[t];
    if (problem.upstream?.states !== undefined) add(dState, timeSlice(problem.upstream.states, t));
    dStates[t] = dState;
    computed[t] = select(
      live,
      dState.map((d, i) => d * slope[i]),
      new Float64Array(dState.length),
    );
    const shown = observed?.dPreActivations;
    const dz = shown === undefined ? computed[t] : timeSlice(shown, t);
    dPreActivations[t] = dz;
    addTransposedProduct(dKernel.data, x, dz, batch, features, units);
    addTransposedProduct(dRecurrentKernel.data, h, dz, batch, units, units);
    addRows(dBias.data, dz, batch, units);
    dInputs[t] = new Float64Array(batch * features);
    addProductTransposed(dInputs[t], dz, kernel.data, batch, units, features);
    const through = new Float64Array(dState.length);
    addProductTransposed(through, dz, recurrentKernel.data, batch, units, units);
    dState = select(live, through, dState);
  }
  return {
    ...trace,
    ...(fromHead !== undefined && { fromHead }),
    dStates,
    dPreActivations,
    slopes,
    computed: joinTimeSteps(computed, batch),
    evaluation: {
      ...trace.evaluation,
      gradients: {
        ...outputGradients,
        inputs: tensor(joinTimeSteps(dInputs, batch), [batch, timeSteps, features]),
        initialState: tensor(dState, [batch, units]),
        kernel: dKernel,
        recurrentKernel: dRecurrentKernel,
        bias: dBias,
      },
    },
  };
}

/** The slope of a state that a side shows, from that state alone. */
function slopeOf(activation: Matrix): Slope {
  return { activation, slope: activation.map((h) => (1 - h) * (1 + h)) };
}

function tensor(data: Matrix, shape: readonly number[]): Tensor {
  return { data, shape };
}

function add(out: Matrix, more: Matrix | undefined): void {
  if (more !== undefined) for (let i = 0; i < out.length; i++) out[i] += more[i];
}
