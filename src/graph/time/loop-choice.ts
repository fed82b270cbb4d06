import { checkChoice } from '../../../scratch/index';
import { looped } from './looped';
import { unrolled } from './unrolled';
import type { WalkThroughTime } from './walk';

/** How the graph walks through time. */
export type Loop = 'unrolled' | 'while';

/**
 * Longest sequence that gets a copy of the step per time step. Measured on a busy two-core machine at B32 U128, seconds until
 * the first step is done, unrolled in one chain | two | While: T 28: 0.3 | 0.5 | 0.2; 64: 0.5 | 1.0 | 0.2; 100: 0.8 | 1.6 | 0.2;
 * 128: 1.1 | 3.1 | 0.3; 192: 2.1 | 4.3 | 0.2; 784: two chains 36, While 0.7. From 100 steps on a step takes about the same time
 * either way.
 */
export const longestUnrolled = 100;

/** The loop for sequences of `timeSteps` steps. */
export function chooseLoop(timeSteps: number): Loop {
  return timeSteps <= longestUnrolled ? 'unrolled' : 'while';
}

/** @throws RangeError when there is no such loop */
export function checkLoop(loop: Loop, name: string): Loop {
  return checkChoice(loop, ['unrolled', 'while'], `${name}: loop`);
}

/** The walk for that loop, and the number of time steps its placeholders have: a letter when any number will do. */
export function walkFor(loop: Loop, timeSteps: number): { walk: WalkThroughTime; steps: number | string } {
  return loop === 'unrolled' ? { walk: unrolled(timeSteps), steps: timeSteps } : { walk: looped, steps: 'T' };
}
