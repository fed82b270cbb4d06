import type { Diagnosis } from '../diagnosis/index';
import type { CaseVerdict } from '../judge/index';
import type { HarnessError, PlannedCase, SideReport } from './report';

/** What the sides' runs add to; `conclude` draws the conclusion. */
export interface Collected {
  readonly sides: SideReport[];
  readonly notes: string[];
  readonly plan: PlannedCase[];
  readonly cases: CaseVerdict[];
  readonly diagnoses: Diagnosis[];
  readonly warnings: string[];
  readonly errors: HarnessError[];
}

export function noFindings(): Collected {
  return { sides: [], notes: [], plan: [], cases: [], diagnoses: [], warnings: [], errors: [] };
}

/** What several sides found, one after the other. */
export function together(found: readonly Collected[]): Collected {
  const all = noFindings();
  for (const one of found) {
    all.sides.push(...one.sides);
    all.notes.push(...one.notes);
    all.plan.push(...one.plan);
    all.cases.push(...one.cases);
    all.diagnoses.push(...one.diagnoses);
    all.warnings.push(...one.warnings);
    all.errors.push(...one.errors);
  }
  return all;
}
