import type { CaseVerdict } from '../judge/index';
import type { AnyProblem, Evaluation, Implementation } from '../base/problem';

/** One answer as it was judged, with every number of it: a report keeps the verdict only. */
export interface Observation {
  readonly implementation: Implementation;
  /** the problem that was solved: rounded to float32 for a float32 side */ readonly problem: AnyProblem;
  /** the float64 reference's answer to it */ readonly reference: Evaluation;
  readonly answer: Evaluation;
  readonly verdict: CaseVerdict;
}

/** Looks on while a run goes by, to draw what a report has no room for. */
export interface Observer {
  /** after the results of every problem */ judged(observation: Observation): void;
  /** when a side has answered all its cases and can still be asked more */
  sideDone(implementation: Implementation): Promise<void>;
}
