import { diagnose, type Diagnosis } from '../diagnosis/index';
import type { Implementation } from '../base/problem';
import type { Finding } from './judge-problem';

/** Where the mistake of a kept failure begins, and who made it; its kind is in the verdict. */
export type KeptDiagnosis = Pick<
  Diagnosis,
  'phase' | 'tensor' | 'formula' | 'timeSteps' | 'inherited' | 'side' | 'sideNote'
>;

/**
 * Diagnoses a failure that was made as simple as it gets: one for each group of failures, on a small problem, so that it costs little.
 *
 * @returns undefined where there is nothing to locate (an error, a missing tensor, another shape), or the side answers no more
 */
export async function diagnoseKept(
  implementation: Implementation,
  { verdict, examination }: Finding,
): Promise<KeptDiagnosis | undefined> {
  const areNumbers = verdict.red.every(({ status }) => ['differs', 'nan', 'infinity'].includes(status));
  if (verdict.status !== 'fail' || examination === undefined || !areNumbers) return undefined;
  try {
    const found = await diagnose(implementation, examination, { kind: false });
    const { phase, tensor, formula, timeSteps, inherited, side, sideNote } = found;
    return {
      phase,
      tensor,
      ...(formula !== undefined && { formula }),
      ...(timeSteps && { timeSteps }),
      inherited,
      side,
      sideNote,
    };
  } catch {
    // the verdict stands without it
    return undefined;
  }
}
