import { toNested } from '../../../scratch/index';
import { fieldsOf, type Problem } from '../../base/problem';
import type { CandidateProblem } from './define';

/** A problem as plain nested arrays, copied, so that a candidate cannot change what the reference sees. */
export function plainProblem(problem: Problem): CandidateProblem {
  const { labels } = problem;
  // toNested gives exactly the rank of its tensor; the ranks are those of the Problem.
  return {
    ...fieldsOf(problem, toNested),
    ...(labels && { labels: [...labels] }),
  } as unknown as CandidateProblem;
}
