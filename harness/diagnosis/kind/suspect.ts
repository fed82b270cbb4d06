import { catalogue, type Fault } from '../../faults/index';
import type { Phase, Precision } from '../../base/problem';

/** A fault that may explain an answer. */
export type Suspect = Pick<Fault, 'name' | 'words' | 'family' | 'phase' | 'runs' | 'calls'> & {
  readonly timeStep?: number;
  /** its number was read off the answer: it fits more easily than a fault of the catalogue */ readonly fitted?: true;
  /** other phases in which its first wrong number may be seen, besides its own */ readonly orIn?: readonly Phase[];
};

/** The fault that no answer shows by itself: it is right until the next one is given. */
export const overwritten = 'memory/answer-overwritten-by-next-call';

/** Every fault that a side of that precision can have. */
export function catalogueFor(precision: Precision): Suspect[] {
  return catalogue.filter(
    (fault) => (fault.precision ?? precision) === precision && fault.name !== overwritten,
  );
}
