import { sizeOf, type Tensor } from '../../scratch/index';
import { layeredTables } from '../base/layered';
import {
  mapParts,
  partAxes,
  sizesByAxis,
  type LayeredProblem,
  type Problem,
  type ProblemSizes,
} from '../base/problem';

/** A tensor's numbers by their position. */
export function fill(shape: readonly number[], at: (...position: number[]) => number): Tensor {
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
    let rest = i;
    const position = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return at(...position);
  });
  return { data, shape };
}

/**
 * The same problem in larger sizes. What is added repeats what was there, a half as large along the first axis, a quarter along the
 * second, and so on: no two examples, steps or units are alike, nothing becomes symmetric, and signs, zeros and short binary
 * fractions stay what they were, so that no other weakness is fixed by the way.
 */
export function grow(problem: Problem, larger: Partial<ProblemSizes>): Problem {
  const sizes = sizesByAxis(problem, larger);
  const { labels } = problem;
  return {
    ...mapParts(problem, (tensor, name) => {
      const shape = partAxes[name].map((axis) => sizes[axis]);
      return repeat(tensor, shape, name === 'mask' ? 1 : 0.5);
    }),
    ...(labels && {
      labels: Array.from({ length: sizes.example }, (_, b) => nextLabel(labels, b, sizes.class)),
    }),
  };
}

/** The same for a network of layers, with more examples or steps. */
export function growLayered(
  problem: LayeredProblem,
  larger: { readonly example?: number; readonly timeStep?: number },
): LayeredProblem {
  const { labels, inputs, model } = problem;
  const [batch, timeSteps] = inputs.shape;
  const { parts } = layeredTables(problem);
  const isOfSteps = labels !== undefined && labels.length > batch;
  const perExample = isOfSteps ? timeSteps : 1;
  const [B, T] = [larger.example ?? batch, isOfSteps ? (larger.timeStep ?? timeSteps) : 1];
  return {
    ...mapParts(problem, (tensor, name) => {
      const counts = (parts.get(name) ?? []).map((axis) => axis.counts);
      const shape = tensor.shape.map((n, i) => larger[counts[i] as keyof typeof larger] ?? n);
      const isWhole = name === 'mask' || (name === 'inputs' && model.layers[0].layer === 'embedding');
      return repeat(tensor, shape, isWhole ? 1 : 0.5);
    }),
    ...(labels && {
      labels: Array.from(
        { length: B * T },
        (_, i) => labels[(Math.floor(i / T) % batch) * perExample + ((i % T) % perExample)],
      ),
    }),
  };
}

function nextLabel(labels: readonly number[], b: number, classes: number): number {
  return (labels[b % labels.length] + Math.floor(b / labels.length)) % classes;
}

function repeat(tensor: Tensor, shape: readonly number[], smaller: number): Tensor {
  if (tensor.shape.join() === shape.join()) return tensor;
  return fill(shape, (...position) => {
    let [index, factor] = [0, 1];
    position.forEach((i, axis) => {
      const old = tensor.shape[axis];
      index = index * old + (i % old);
      factor *= smaller ** ((axis + 1) * Math.floor(i / old));
    });
    return tensor.data[index] * factor;
  });
}
