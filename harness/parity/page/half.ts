import { problemIdOf } from '../../examine/index';
import { toFloat16 } from '../../faults/index';
import { mapProblem } from '../../base/problem';
import type { OpenSide } from '../../sides/index';
import type { Cases } from '../cases';
import type { HalfFacts } from '../report';
import { runSide } from '../run-side';

/**
 * Judges a side that keeps its numbers in half precision once more, as half precision: the same problems with every number rounded to 11
 * bits, which such a side holds exactly, and error budgets by u = 2^-11. Training is left out. What comes out is shown, and excuses nothing.
 */
export async function judgeAsHalf({ implementation }: OpenSide, cases: Cases): Promise<HalfFacts> {
  const side = { implementation: { ...implementation, name: 'browser:half' } };
  const { cases: verdicts, errors } = await runSide(
    side,
    true,
    {
      problems: cases.problems.map((problem) => mapProblem(problem, toFloat16)),
      layered: cases.layered.map((problem) => mapProblem(problem, toFloat16)),
      vectors: [],
      training: [],
    },
    { diagnoses: 0 },
  );
  const idsOf = (list: readonly { readonly caseId: string }[]): string[] =>
    list.map(({ caseId }) => problemIdOf(caseId));
  const wrong = new Set(idsOf([...verdicts.filter(({ status }) => status === 'fail'), ...errors]));
  return { problems: new Set(idsOf([...verdicts, ...errors])).size, wrong: wrong.size };
}
