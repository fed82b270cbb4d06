import { toNested, type Tensor } from '../../../scratch/index';
import type { Problem } from '../../base/problem';
import type { CandidateProblem } from './define';

/** A problem as plain nested arrays, copied, so that a candidate cannot change what the reference sees. */
export function plainProblem(problem: Problem): CandidateProblem {
  const { initialState, labels, upstream, mask, weights } = problem;
  return {
    inputs: nested(problem.inputs),
    ...(initialState && { initialState: nested(initialState) }),
    ...(labels && { labels: [...labels] }),
    ...(upstream && {
      upstream: {
        ...(upstream.states && { states: nested(upstream.states) }),
        ...(upstream.finalState && { finalState: nested(upstream.finalState) }),
      },
    }),
    ...(mask && { mask: nested(mask) }),
    weights: {
      kernel: nested(weights.kernel),
      recurrentKernel: nested(weights.recurrentKernel),
      bias: nested(weights.bias),
      ...(weights.outputKernel && { outputKernel: nested(weights.outputKernel) }),
      ...(weights.outputBias && { outputBias: nested(weights.outputBias) }),
    },
  };
}

// toNested gives exactly the rank of its tensor; the ranks are those of the Problem.
const nested = toNested as (tensor: Tensor) => never;
