import { sizeOf, zeros, type Tensor } from '../../scratch/index';
import { mapParts, partAxes, sizesOf, type AxisName, type Problem } from '../base/problem';

/**
 * The problem with only these places of what an axis counts, in all tensors that have it (both axes of the recurrent kernel for
 * units). Examples take their labels along; a label whose class goes becomes the first.
 */
export function keep(problem: Problem, axis: CutAxis, places: readonly number[]): Problem {
  const { labels } = problem;
  const isCut = (name: AxisName): boolean => name === axis || (axis === 'unit' && name === 'fromUnit');
  const cut = mapParts(problem, (tensor, name) =>
    partAxes[name].reduce((part, along, at) => (isCut(along) ? select(part, at, places) : part), tensor),
  );
  if (labels === undefined || (axis !== 'example' && axis !== 'class')) return cut;
  const kept =
    axis === 'example'
      ? places.map((b) => labels[b])
      : labels.map((label) => Math.max(0, places.indexOf(label)));
  return { ...cut, labels: kept };
}

export type CutAxis = Exclude<AxisName, 'fromUnit'>;

/** Multiplications of one forward pass, about. */
export function workOf(problem: Problem): number {
  const { batch, timeSteps, features, units } = sizesOf(problem);
  return batch * timeSteps * units * (features + units);
}

/** The first so many examples; the same problem where it has no more. */
export function firstExamples(problem: Problem, most: number): Problem {
  return firstOf(problem, 'example', sizesOf(problem).batch, most);
}

/** The first so many steps for that much work, eight at least. */
export function firstSteps(problem: Problem, work: number): Problem {
  const { timeSteps } = sizesOf(problem);
  return firstOf(
    problem,
    'timeStep',
    timeSteps,
    Math.max(8, Math.floor((timeSteps * work) / workOf(problem))),
  );
}

function firstOf(problem: Problem, axis: CutAxis, size: number, most: number): Problem {
  return size <= most ? problem : keep(problem, axis, [...Array(most).keys()]);
}

/** These places of one axis of a tensor. */
function select(tensor: Tensor, axis: number, places: readonly number[]): Tensor {
  const shape = tensor.shape.with(axis, places.length);
  const stride = sizeOf(tensor.shape.slice(axis + 1));
  const result = zeros(...shape);
  for (let i = 0; i < result.data.length; i++) {
    const before = Math.floor(i / (stride * places.length));
    const place = places[Math.floor(i / stride) % places.length];
    result.data[i] = tensor.data[(before * tensor.shape[axis] + place) * stride + (i % stride)];
  }
  return result;
}
