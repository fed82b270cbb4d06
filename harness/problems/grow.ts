import { sizeOf, type Tensor } from '../../scratch/index';
import { sizesOf, type Problem, type ProblemSizes } from '../base/problem';

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
  const sizes = { ...sizesOf(problem), ...larger };
  const { batch: B, timeSteps: T, features: F, units: U, classes: C = 0 } = sizes;
  const { inputs, initialState, mask, labels, upstream, weights } = problem;
  const { outputKernel, outputBias } = weights;
  return {
    id: problem.id,
    inputs: repeat(inputs, [B, T, F]),
    ...(initialState && { initialState: repeat(initialState, [B, U]) }),
    ...(mask && { mask: repeat(mask, [B, T], 1) }),
    ...(labels && { labels: Array.from({ length: B }, (_, b) => nextLabel(labels, b, C)) }),
    ...(upstream && {
      upstream: {
        ...(upstream.states && { states: repeat(upstream.states, [B, T, U]) }),
        ...(upstream.finalState && { finalState: repeat(upstream.finalState, [B, U]) }),
      },
    }),
    weights: {
      kernel: repeat(weights.kernel, [F, U]),
      recurrentKernel: repeat(weights.recurrentKernel, [U, U]),
      bias: repeat(weights.bias, [U]),
      ...(outputKernel && { outputKernel: repeat(outputKernel, [U, C]) }),
      ...(outputBias && { outputBias: repeat(outputBias, [C]) }),
    },
  };
}

function nextLabel(labels: readonly number[], b: number, classes: number): number {
  return (labels[b % labels.length] + Math.floor(b / labels.length)) % classes;
}

function repeat(tensor: Tensor, shape: readonly number[], smaller = 0.5): Tensor {
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
