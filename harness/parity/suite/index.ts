import type { Problem } from '../../problem';
import { digitProblems } from './digits';
import { edgeProblems, extremeProblems, maskProblems } from './edges';
import { generatedProblem } from './generated';
import { notebookProblem } from './notebook';

export { digitBatches, type DigitBatch } from './digits';
export { generatedProblem, makeProblem, type ProblemRecipe } from './generated';
export { notebookProblem, notebookVectors } from './notebook';

/** How many generated problems the suite holds unless told otherwise. */
export const defaultGenerated = 200;

/** The suite: the notebook's example, real digits, edges, masks, extreme logits, and `generated` seeded problems. */
export async function suiteProblems(seed: number, generated = defaultGenerated): Promise<Problem[]> {
  return [
    notebookProblem(),
    ...(await digitProblems(seed)),
    ...edgeProblems(seed),
    ...maskProblems(seed),
    ...extremeProblems(seed),
    ...Array.from({ length: generated }, (_, i) => generatedProblem(seed, i)),
  ];
}
