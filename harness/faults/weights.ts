import type { Tensor } from '../../scratch/index';
import type { NetworkProblem } from '../equations/index';
import type { Fault } from './fault';
import {
  asked,
  askedForward,
  faultIn,
  holderOf,
  sentBackBy,
  weightNames,
  type Given,
  type Way,
  type WeightName,
} from './faulty';

type Weights = Partial<Record<WeightName, Tensor>>;

const weights = faultIn('weights-import', 'forward');

/** The tensor with every number sent through `change`. */
export function mapTensor({ data, shape }: Tensor, change: (x: number, i: number) => number): Tensor {
  return { data: data.map(change), shape };
}

/** The problem with other weights, by Keras's names and `outputKernel`, `outputBias`; as it is where there are none. */
export function withWeights(
  problem: NetworkProblem,
  { layer }: Pick<Given, 'layer'>,
  change: (weights: Weights) => Weights | false | undefined,
): NetworkProblem | undefined {
  const places = weightNames.map((name) => [name, holderOf(name, layer.name)] as const);
  const own = Object.fromEntries(
    places.flatMap(([name, [holder, key]]) => {
      const tensor = (problem.weights[holder] as Weights | undefined)?.[key as WeightName];
      return tensor === undefined ? [] : [[name, tensor]];
    }),
  );
  const changed = change(own);
  if (!changed) return undefined;
  const made = { ...problem.weights };
  for (const [name, [holder, key]] of places)
    if (changed[name] !== undefined) made[holder] = { ...made[holder], [key]: changed[name] };
  return { ...problem, weights: made };
}

/** Other weights, forward and backward alike. */
export const importedWeights = (change: Parameters<typeof withWeights>[2]): Way =>
  asked((problem, given) => withWeights(problem, given, change));

/** dx_t by another matrix than the kernel, where F = U */
const inputGradientBy =
  (other: (kernel: Tensor, recurrentKernel: Tensor) => Tensor): Way =>
  ({ layer, problem }) => {
    const { kernel, recurrentKernel } = problem.weights[layer.name];
    return isSquare(kernel) ? sentBackBy(layer.name, 'kernel', other(kernel, recurrentKernel)) : undefined;
  };

/** Faults of how weights are imported and used. */
export const weightFaults: readonly Fault[] = [
  faultIn('transpose', 'backward')(
    'transpose/input-gradient',
    'dx_t is dz_t kernel instead of dz_t kernel^T',
    inputGradientBy(transposed),
  ),
  faultIn('weights-import', 'backward')(
    'weights/input-gradient-through-recurrent-kernel',
    'dx_t is computed with the recurrent kernel instead of the kernel',
    inputGradientBy((_, recurrentKernel) => recurrentKernel),
  ),
  weights(
    'weights/last-feature-dropped',
    'a loop ends one iteration too early: the last feature of every input is left out',
    askedForward((problem) => ({ ...problem, inputs: withoutLast(problem.inputs) })),
  ),
  weights(
    'weights/last-unit-dropped',
    'a loop ends one iteration too early: the last unit of the previous state is left out',
    askedForward((problem, given) =>
      withWeights(problem, given, ({ recurrentKernel: own }) => {
        // the last row of the matrix is multiplied by the last unit
        const units = given.layer.units;
        return own && { recurrentKernel: mapTensor(own, (x, i) => (i < units * (units - 1) ? x : 0)) };
      }),
    ),
  ),
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

/** The last number of every row is 0. */
function withoutLast(tensor: Tensor): Tensor {
  const width = tensor.shape[tensor.shape.length - 1];
  return mapTensor(tensor, (x, i) => (i % width === width - 1 ? 0 : x));
}

/** F = U: the kernel and what stands in its place have one shape. */
export function isSquare(tensor: Tensor | undefined): tensor is Tensor {
  return tensor !== undefined && tensor.shape[0] === tensor.shape[1];
}

export function transposed({ data, shape: [rows, columns] }: Tensor): Tensor {
  const of = (i: number): number => data[(i % rows) * columns + Math.floor(i / rows)];
  return { data: data.map((_, i) => of(i)), shape: [columns, rows] };
}
