import { sizeOf, zeros, type Tensor } from '../../scratch/index';
import { withUnits } from '../base/model';
import {
  isLayered,
  mapParts,
  sizesOf,
  tablesOf,
  type AnyProblem,
  type Axis,
  type Model,
} from '../base/problem';

/**
 * The problem with only these places of one of its sizes (`tablesOf`), in all tensors that have it: both axes of the recurrent kernel
 * for units, and every gate. Examples and steps take their labels along; a label of a class that goes
 * becomes the first class, and an integer of an embedding that goes becomes the first integer.
 *
 * @param size `example`, `timeStep`, `feature`, `unit`, `class`; of a layered problem `integer` and `layer2` as well
 */
export function keep<P extends AnyProblem>(problem: P, size: string, places: readonly number[]): P {
  const { sizes, parts, answer } = tablesOf(problem);
  const cut = mapParts(problem, (tensor, name) =>
    (parts.get(name) ?? []).reduce(
      (part, axis, at) => (has(axis) ? select(part, at, placesAlong(axis)) : part),
      tensor,
    ),
  );
  return {
    ...cut,
    ...(isLayered(problem) && { model: withSize(problem.model, size, places.length) }),
    ...(isLayered(problem) && size === 'integer' && { inputs: renumbered(problem.inputs) }),
    ...(problem.labels && { labels: labelsOf(problem.labels) }),
  };

  function has({ ranges = [] }: Axis): boolean {
    return ranges.includes(size);
  }

  function placesAlong({ ranges = [] }: Axis): number[] {
    let from = 0;
    return ranges.flatMap((range) => {
      const [start, length] = [from, sizes.get(range) ?? 0];
      from += length;
      const kept = range === size ? places : Array.from({ length }, (_, i) => i);
      return kept.map((place) => start + place);
    });
  }

  function renumbered({ data, shape }: Tensor): Tensor {
    return { data: data.map((integer) => Math.max(0, places.indexOf(integer))), shape };
  }

  function labelsOf(labels: readonly number[]): number[] {
    const [batch] = problem.inputs.shape;
    const all = { data: Float64Array.from(labels), shape: [batch, labels.length / batch] };
    if (size === 'example') return Array.from(select(all, 0, places).data);
    if (size === 'timeStep')
      return labels.length > batch ? Array.from(select(all, 1, places).data) : [...labels];
    const classes = answer.get('logits')?.at(-1);
    if (classes === undefined || !has(classes)) return [...labels];
    const kept = placesAlong(classes);
    return labels.map((label) => Math.max(0, kept.indexOf(label)));
  }
}

function withSize(model: Model, name: string, size: number): Model {
  if (name === 'feature') return { ...model, features: size };
  return {
    ...model,
    layers: model.layers.map((layer, i) => {
      if (name === 'integer' && layer.layer === 'embedding') return { ...layer, inputDim: size };
      return name === `layer${i + 1}` ? withUnits(layer, size) : layer;
    }),
  };
}

/** Multiplications of one forward pass, about. */
export function workOf(problem: AnyProblem): number {
  if (isLayered(problem)) {
    const [batch, timeSteps] = problem.inputs.shape;
    const weights = problem.weights.flatMap((layer) => Object.values(layer));
    return batch * timeSteps * weights.reduce((sum, { data }) => sum + data.length, 0);
  }
  const { batch, timeSteps, features, units } = sizesOf(problem);
  return batch * timeSteps * units * (features + units);
}

/** The first so many examples; the same problem where it has no more. */
export function firstExamples<P extends AnyProblem>(problem: P, most: number): P {
  return firstOf(problem, 'example', problem.inputs.shape[0], most);
}

/** The first so many steps for that much work, eight at least. */
export function firstSteps<P extends AnyProblem>(problem: P, work: number): P {
  const [, timeSteps] = problem.inputs.shape;
  return firstOf(
    problem,
    'timeStep',
    timeSteps,
    Math.max(8, Math.floor((timeSteps * work) / workOf(problem))),
  );
}

function firstOf<P extends AnyProblem>(
  problem: P,
  axis: 'example' | 'timeStep',
  size: number,
  most: number,
): P {
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
