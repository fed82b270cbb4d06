import type { Implementation, Problem } from '../base/problem';
import type { Diagnosis } from './diagnosis';
import { type Examination, failingViewsOf } from '../examine/index';
import { kindOf } from './kind/index';
import { locate } from './locate';
import { rule } from './rule';

export interface DiagnoseOptions {
  /** the side that made the reference; default `scratch` */ readonly against?: string;
  /** names the kind of mistake; default true */ readonly kind?: boolean;
}

/**
 * Says of a failed examination where the mistake begins (`locate`), what kind it looks like (`kindOf`) and which side made it
 * (`sideAtFault`). The side is asked a few more problems for it; the cost matters on failure only.
 *
 * @param implementation the side that was examined, still able to answer
 * @param examination whose status is `fail`
 * @throws Error where nothing is red
 */
export async function diagnose(
  implementation: Implementation,
  examination: Examination,
  options: DiagnoseOptions = {},
): Promise<Diagnosis> {
  const location = await locate(implementation, examination);
  const kind = options.kind === false ? undefined : await kindOfFault(implementation, examination, location);
  const verdict = rule(implementation, examination, options.against ?? 'scratch');
  const { side, note } = verdict;
  return {
    implementation: implementation.name,
    ...location,
    // a fault that explains every number at one step only says where a sum over time goes wrong
    ...(location.timeSteps === undefined && kind?.timeStep !== undefined && { timeSteps: [kind.timeStep] }),
    ...(kind && { kind }),
    side,
    sideNote: note,
  };
}

/** By the results; where the catalogue does not explain them, or they are right, by what else is red. */
async function kindOfFault(
  implementation: Implementation,
  examination: Examination,
  { timeSteps, phase }: Pick<Diagnosis, 'timeSteps' | 'phase'>,
): Promise<Diagnosis['kind']> {
  for (const { problem, answer, previous } of failingViewsOf(examination)) {
    const ask = (other: Problem) => implementation.evaluate(other);
    const kind = await kindOf(problem, answer, implementation, { timeSteps, phase, previous, ask });
    if (kind !== undefined) return kind;
  }
  return undefined;
}
