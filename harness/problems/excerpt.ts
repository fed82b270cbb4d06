import type { Tensor } from '../../scratch/index';
import { sizesOf, type Problem } from '../base/problem';
import { fill } from './grow';

/** Multiplications of one forward pass, about. */
export function workOf(problem: Problem): number {
  const { batch, timeSteps, features, units } = sizesOf(problem);
  return batch * timeSteps * units * (features + units);
}

/** The first two examples: they show nearly all that a larger batch shows. */
export function firstExamples(problem: Problem): Problem {
  const { batch, timeSteps } = sizesOf(problem);
  return batch > 2 ? cut(problem, 2, timeSteps) : problem;
}

/** The first so many steps, eight at least. */
export function firstSteps(problem: Problem, work: number): Problem {
  const { batch, timeSteps } = sizesOf(problem);
  const most = Math.max(8, Math.floor((timeSteps * work) / workOf(problem)));
  return most < timeSteps ? cut(problem, batch, most) : problem;
}

function cut(problem: Problem, B: number, T: number): Problem {
  const { inputs, initialState, mask, labels, upstream } = problem;
  return {
    ...problem,
    inputs: first(inputs, [B, T]),
    ...(initialState && { initialState: first(initialState, [B]) }),
    ...(mask && { mask: first(mask, [B, T]) }),
    ...(labels && { labels: labels.slice(0, B) }),
    ...(upstream && {
      upstream: {
        ...(upstream.states && { states: first(upstream.states, [B, T]) }),
        ...(upstream.finalState && { finalState: first(upstream.finalState, [B]) }),
      },
    }),
  };
}

/** The first so many along the leading axes. */
function first(tensor: Tensor, most: readonly number[]): Tensor {
  const shape = tensor.shape.map((n, axis) => Math.min(n, most[axis] ?? n));
  return fill(
    shape,
    (...position) => tensor.data[position.reduce((i, at, axis) => i * tensor.shape[axis] + at, 0)],
  );
}
