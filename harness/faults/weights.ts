import type { Tensor } from '../../scratch/index';
import type { Problem, ProblemWeights } from '../base/problem';
import { mapTensor } from './answers';
import type { Fault } from './fault';
import { faultIn, scaled } from './faulty';
import type { HandNetwork } from './hand-network';
import { add, times, transpose } from './rows';
import type { Wrong } from './wrong';

export type WeightName = keyof ProblemWeights;
type Weights = Partial<Record<WeightName, Tensor>>;

const weights = faultIn('weights-import', 'forward');
const importedTransposed = faultIn('transpose', 'forward');
const gradientTransposed = faultIn('transpose', 'backward');

/** The problem with other weights, forward and backward alike; as it is where there are none. */
export const importedWeights = (
  changed: (weights: ProblemWeights) => Weights | false | undefined,
): Wrong<HandNetwork> => ({
  imported: (_, problem) => withWeights(problem, changed(problem.weights) || {}),
});

/** dx_t by another matrix of that shape, where F = U */
const inputGradientBy = (
  matrix: (own: HandNetwork) => readonly (readonly number[])[],
): Wrong<HandNetwork> => ({
  inputGradient: ({ own, right }, dz, t) =>
    own.kernel.length === dz.length ? times(dz, matrix(own)) : right(dz, t),
});

/** Faults of how weights are imported and used. */
export const weightFaults: readonly Fault[] = [
  weights('weights/bias-twice', 'the bias is added twice', {
    preActivation: ({ own, right }, ...given) => add(right(...given), own.bias),
  }),
  weights('weights/bias-forgotten', 'the bias is not added', {
    preActivation: ({ own }, x, before) => add(times(x, own.kernel), times(before, own.recurrentKernel)),
  }),
  faultIn('weights-import', 'loss')(
    'weights/output-bias-forgotten',
    'the bias of the output layer is not added',
    { logits: ({ own }, h) => times(h, own.outputKernel ?? []) },
  ),
  weights(
    'weights/kernel-and-recurrent-kernel-swapped',
    'kernel and recurrentKernel are swapped',
    importedWeights(
      ({ kernel, recurrentKernel }) =>
        isSquare(kernel) && { kernel: recurrentKernel, recurrentKernel: kernel },
    ),
  ),
  weights(
    'weights/kernel-read-in-the-other-order',
    'the numbers of the kernel are read as if they were stored as [U, F]',
    importedWeights(({ kernel: { data, shape } }) => ({
      kernel: { ...transposed({ data, shape: [...shape].reverse() }) },
    })),
  ),
  weights(
    'weights/units-of-bias-reversed',
    'the bias is imported with its units in reverse order',
    importedWeights(({ bias }) => ({ bias: { ...bias, data: bias.data.slice().reverse() } })),
  ),
  importedTransposed(
    'transpose/recurrent-kernel-on-import',
    'the recurrent kernel is imported transposed, forward and backward alike',
    importedWeights(({ recurrentKernel }) => ({ recurrentKernel: transposed(recurrentKernel) })),
  ),
  importedTransposed(
    'transpose/kernel-on-import',
    'the kernel is imported transposed, forward and backward alike',
    importedWeights(({ kernel }) => isSquare(kernel) && { kernel: transposed(kernel) }),
  ),
  gradientTransposed(
    'transpose/recurrent-kernel-gradient',
    'the gradient of the recurrent kernel is returned transposed: dz_t^T h_{t-1} instead of h_{t-1}^T dz_t',
    { recurrentKernelGradient: ({ right }) => transpose(right()) },
  ),
  gradientTransposed(
    'transpose/input-gradient',
    'dx_t is dz_t kernel instead of dz_t kernel^T',
    inputGradientBy((own) => own.kernel),
  ),
  faultIn('weights-import', 'backward')(
    'weights/input-gradient-through-recurrent-kernel',
    'dx_t is computed with the recurrent kernel instead of the kernel',
    inputGradientBy((own) => transpose(own.recurrentKernel)),
  ),
  weights(
    'weights/biases-swapped',
    'the biases of the layer and of the output layer are swapped',
    importedWeights(
      ({ bias, outputBias }) =>
        outputBias?.shape[0] === bias.shape[0] && { bias: outputBias, outputBias: bias },
    ),
  ),
  weights('weights/bias-at-first-step-only', 'the bias is added at the first time step only', {
    preActivation: ({ own, right }, x, before, t) =>
      t === 0 ? right(x, before, t) : add(times(x, own.kernel), times(before, own.recurrentKernel)),
  }),
  weights(
    'weights/last-feature-dropped',
    'a loop ends one iteration too early: the last feature of every input is left out',
    { inputAt: ({ right }, b, t) => withoutLast(right(b, t)) },
  ),
  weights(
    'weights/last-unit-dropped',
    'a loop ends one iteration too early: the last unit of the previous state is left out',
    { preActivation: ({ right }, x, before, t) => right(x, withoutLast(before), t) },
  ),
  weights('weights/states-too-large', 'every state is 1 % too large', { activation: scaled(1.01) }),
  ...[0.01, 0.001, 0.0001].map((share): Fault => ({
    ...weightOff('recurrentKernel', 0, (x) => x * (1 + share)),
    name: `weights/one-weight-off-by-${100 * share}-percent`,
    words: `one element of the recurrent kernel is ${100 * share} % too large`,
  })),
];

/** One number of one weight is not what was given. */
export function weightOff(name: WeightName, index: number, change: (x: number) => number): Fault {
  return faultIn('weights-import', name.startsWith('output') ? 'loss' : 'forward')(
    'weights/one-weight-off',
    `element ${index} of ${name} is wrong`,
    importedWeights(
      ({ [name]: own }) => own && { [name]: mapTensor(own, (x, i) => (i === index ? change(x) : x)) },
    ),
  );
}

/** The same problem with other weights. */
export function withWeights(problem: Problem, changed: Weights): Problem {
  return { ...problem, weights: { ...problem.weights, ...changed } };
}

function withoutLast(row: readonly number[]): number[] {
  return [...row.slice(0, -1), 0];
}

/** F = U: the kernel and what stands in its place have one shape. */
function isSquare({ shape: [rows, columns] }: Tensor): boolean {
  return rows === columns;
}

function transposed({ data, shape: [rows, columns] }: Tensor): Tensor {
  const of = (i: number): number => data[(i % rows) * columns + Math.floor(i / rows)];
  return { data: data.map((_, i) => of(i)), shape: [columns, rows] };
}
