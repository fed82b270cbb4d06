import { sizeOf, type Tensor } from '../../scratch/index';
import { isLayered, mapParts, readsIntegers, tablesOf, type AnyProblem, type Axis } from '../base/problem';

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
 * fractions stay what they were, so that no other weakness is fixed by the way. Labels of added examples are those of the next classes.
 *
 * @param larger sizes by name (`tablesOf`); of layers `example`, `timeStep` and `feature`: all others belong to the model
 */
export function grow<P extends AnyProblem>(problem: P, larger: Readonly<Partial<Record<string, number>>>): P {
  const { parts, answer } = tablesOf(problem);
  const { labels } = problem;
  const grown = (axes: readonly Axis[] = []): number[] =>
    axes.map(({ size, ranges = [] }) => larger[ranges.join()] ?? size);
  return {
    ...mapParts(problem, (tensor, name) => {
      const isWhole = name === 'mask' || (name === 'inputs' && readsIntegers(problem));
      return repeat(tensor, grown(parts.get(name)), isWhole ? 1 : 0.5);
    }),
    ...(isLayered(problem) &&
      larger['feature'] && { model: { ...problem.model, features: larger['feature'] } }),
    ...(labels && { labels: moreLabels(labels, problem.inputs.shape[0], grown(answer.get('logits'))) }),
  };
}

/** @param outputs [B, C] or [B, T, C] of the grown problem */
function moreLabels(labels: readonly number[], batch: number, outputs: readonly number[]): number[] {
  const each = labels.length / batch;
  const classes = outputs[outputs.length - 1];
  const { data } = fill(
    [outputs[0], outputs.length > 2 ? outputs[1] : 1],
    (b, t) => (labels[(b % batch) * each + (t % each)] + Math.floor(b / batch)) % classes,
  );
  return Array.from(data);
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
