import { toNested } from '../../../scratch/index';
import { fieldsOf, type AnyProblem } from '../../base/problem';
import type { CandidateLayersProblem, CandidateProblem } from './define';

/** A problem as plain nested arrays, copied, so that a candidate cannot change what the reference sees. */
export function plainProblem(problem: AnyProblem): CandidateProblem | CandidateLayersProblem {
  const { labels } = problem;
  // toNested gives exactly the rank of its tensor; the ranks are those of the Problem.
  return {
    ...structuredClone(fieldsOf(problem, toNested)),
    ...(labels && { labels: [...labels] }),
  } as unknown as CandidateProblem;
}
