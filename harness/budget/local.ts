import { makeTensor, zeros, type Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import { tensorAxes, tensorOf, type AxisName, type Evaluation, type Problem } from '../base/problem';
import { errorsOf } from './budget';
import type { Matrix } from './matrix';
import type { PrecisionModel } from './precision-model';
import { sizesOf, traceFrom } from './trace';

/**
 * The same problem with one more feature per unit: the new inputs are zero and the new rows of the kernel are the identity.
 * The forward pass does not change, and gradients.inputs of the new features are the gradient with respect to z_t, since
 * dL/dx_t = dz_t kernel^T then holds dz_t itself (only products with 0 and 1 are added). So an opaque implementation shows
 * its inner gradients through its public interface.
 */
export const instrumentedProblem = memoize(instrument);

function instrument(problem: Problem): Problem {
  const { batch, timeSteps, features, units } = sizesOf(problem);
  const inputs = zeros(batch, timeSteps, features + units);
  for (let row = 0; row < batch * timeSteps; row++)
    inputs.data.set(
      problem.inputs.data.subarray(row * features, (row + 1) * features),
      row * (features + units),
    );
  const kernel = zeros(features + units, units);
  kernel.data.set(problem.weights.kernel.data);
  for (let j = 0; j < units; j++) kernel.data[(features + j) * units + j] = 1;
  return { ...problem, inputs, weights: { ...problem.weights, kernel } };
}

/** The equation of each quantity, in words and letters. */
const formulas = {
  states: 'h_t = tanh(x_t kernel + h_(t-1) recurrentKernel + bias)',
  finalState: 'finalState = h_T',
  logits: 'y = h_T outputKernel + outputBias',
  probabilities: 'p = softmax(y)',
  loss: 'loss = -mean log p_label',
  'gradients.outputKernel': 'h_T^T dy, dy = (p - onehot) / B',
  'gradients.outputBias': 'sum of dy over the batch',
  dPreActivations: 'dz_t = dh_t (1 - h_t^2), dh_t = dz_(t+1) recurrentKernel^T + upstream',
  'gradients.inputs': 'dx_t = dz_t kernel^T',
  'gradients.initialState': 'dh_0 = dz_1 recurrentKernel^T',
  'gradients.kernel': 'sum over t of x_t^T dz_t',
  'gradients.recurrentKernel': 'sum over t of h_(t-1)^T dz_t',
  'gradients.bias': 'sum over t and the batch of dz_t',
} as const;

/** One kind of equation, for all its elements: what it should give from the side's own earlier values, and what it gave. */
export interface LocalEquation {
  /** `states`, `dPreActivations`, `gradients.kernel`, ... */ readonly name: string;
  /** the equation in words and letters */ readonly formula: string;
  readonly axes: readonly AxisName[];
  /** computed in float64 from the side's own values */ readonly expected: Tensor;
  readonly given: Tensor;
  /** largest possible |error| */ readonly bound: Matrix;
  /** standard deviation of the error */ readonly sigma: Matrix;
}

/**
 * Every equation of the network by itself, one time step at a time, from the side's own values before it (Oettli & Prager
 * 1964: small residuals mean that the side computes the right function of slightly changed numbers). This is the ordinary run and the
 * ordinary propagation of errors, in which every value that the side shows is taken from the side, with an error of zero. So no error
 * accumulates, and problems that are too ill-conditioned for a comparison of results can be judged.
 *
 * @param problem the plain problem
 * @param answer of the side to `instrumentedProblem(problem)`, or to `problem` itself where there is no backward pass
 */
export function localEquations(problem: Problem, answer: Evaluation, model: PrecisionModel): LocalEquation[] {
  const { features, units } = sizesOf(problem);
  const { states, logits, gradients } = answer;
  if (states === undefined) return [];
  const wide = gradients?.inputs?.shape[2] === features + units ? gradients.inputs : undefined;
  const dPreActivations = wide && columnsOf(wide, features, features + units);
  const trace = traceFrom(problem, { states, logits, dPreActivations });
  const { bound, sigma } = errorsOf(trace, model);
  const given = {
    ...answer,
    gradients: {
      ...gradients,
      ...(wide && { inputs: columnsOf(wide, 0, features) }),
      ...(gradients?.kernel && { kernel: firstRows(gradients.kernel, features) }),
    },
  };
  const names = Object.keys(formulas) as (keyof typeof formulas)[];
  return names.flatMap((name) => {
    const isInner = name === 'dPreActivations';
    const expected = isInner ? trace.computed : tensorOf(trace.evaluation, name)?.data;
    const found = isInner ? dPreActivations : tensorOf(given, name);
    const [b, s] = [bound[name], sigma[name]];
    if (expected === undefined || found === undefined || b === undefined || s === undefined) return [];
    if (found.data.length !== expected.length) return [];
    const axes = tensorAxes[isInner ? 'states' : name];
    const { shape } = found;
    return [
      {
        name,
        formula: formulas[name],
        axes,
        expected: makeTensor(expected, shape),
        given: found,
        bound: b,
        sigma: s,
      },
    ];
  });
}

/** Columns `from` to `to` of a tensor [B, T, n]. */
function columnsOf(tensor: Tensor, from: number, to: number): Tensor {
  const [batch, timeSteps, n] = tensor.shape;
  const width = to - from;
  const out = zeros(batch, timeSteps, width);
  for (let row = 0; row < batch * timeSteps; row++)
    out.data.set(tensor.data.subarray(row * n + from, row * n + to), row * width);
  return out;
}

function firstRows(tensor: Tensor, rows: number): Tensor {
  const columns = tensor.shape[1];
  return { data: tensor.data.subarray(0, rows * columns), shape: [rows, columns] };
}
