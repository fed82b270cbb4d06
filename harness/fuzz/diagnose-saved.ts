import { diagnose, type Diagnosis } from '../diagnosis/index';
import type { Implementation } from '../base/problem';
import type { Finding } from './judge-problem';

/** Where the mistake of a saved failure begins, and which side made it; the fault class is in the verdict. */
export type KeptDiagnosis = Pick<
  Diagnosis,
  'phase' | 'tensor' | 'formula' | 'timeSteps' | 'inherited' | 'side' | 'sideNote'
>;

/**
 * Diagnoses a simplified failure, one for each group of failures. The problem is small, so that it costs little.
 *
 * @returns undefined where there is nothing to locate (an error, a missing tensor, a different shape), or the side no longer answers
 */
export async function diagnoseKept(
  implementation: Implementation,
  { verdict, examination }: Finding,
): Promise<KeptDiagnosis | undefined> {
  const areNumbers = verdict.failing.every(({ status }) => ['differs', 'nan', 'infinity'].includes(status));
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
    // the verdict is valid without a diagnosis
    return undefined;
  }
}
