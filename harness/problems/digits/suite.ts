import type { Problem } from '../../base/problem';
import { digitIds, digitProblems } from './digits';
import { edgeProblems, extremeProblems, maskProblems } from '../edges';
import { generatedProblem } from '../generated';
import { notebookProblem } from '../notebook';

/** Default number of generated problems in the suite. */
export const defaultGenerated = 200;

/**
 * The suite: the notebook's example, real digits, edges, masks, extreme logits, and `generated` seeded problems.
 *
 * @param isWanted chooses by id; digits are only read from the disk when some are wanted
 */
export async function suiteProblems(
  seed: number,
  generated = defaultGenerated,
  isWanted: (id: string) => boolean = () => true,
): Promise<Problem[]> {
  const digits = digitIds.some(isWanted) ? await digitProblems(seed) : [];
  const problems = [
    notebookProblem(),
    ...digits,
    ...edgeProblems(seed),
    ...maskProblems(seed),
    ...extremeProblems(seed),
    ...Array.from({ length: generated }, (_, i) => generatedProblem(seed, i)),
  ];
  return problems.filter(({ id }) => isWanted(id));
}
