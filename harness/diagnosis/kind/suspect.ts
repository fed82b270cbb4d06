import { catalogue, faultsOfStep, type Fault } from '../../faults/index';
import type { Problem } from '../../base/problem';

/** A fault that may explain an answer. */
export type Suspect = Pick<Fault, 'name' | 'words' | 'family' | 'phase' | 'network' | 'calls'> & {
  readonly timeStep?: number;
};

/** The fault that no answer shows by itself: it is right until the next one is given. */
export const overwritten = 'memory/answer-overwritten-by-next-call';

/** Every fault of the catalogue that such a problem can show. */
export function catalogueFor(problem: Problem, precision: 'float32' | 'float64'): Suspect[] {
  return catalogue.filter(
    (fault) =>
      (fault.precision ?? precision) === precision &&
      (fault.shows?.(problem) ?? true) &&
      fault.name !== overwritten,
  );
}

/** Every fault that one of these steps alone can have. */
export function stepSuspects(problem: Problem, timeSteps: Iterable<number>): Suspect[] {
  return [...new Set(timeSteps)].flatMap((step) =>
    step < 0 || step >= problem.inputs.shape[1]
      ? []
      : faultsOfStep(step).filter((fault) => fault.shows?.(problem) ?? true),
  );
}
