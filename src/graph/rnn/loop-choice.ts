import { looped } from './looped';
import type { Recurrent } from './recurrent';
import { unrolled } from './unrolled';

/** How the graph walks through time. */
export type Loop = 'unrolled' | 'while';

/** Longest sequence that gets a copy of the step per time step. */
export const longestUnrolled = 128;

/** The loop for sequences of `timeSteps` steps. */
export function chooseLoop(timeSteps: number): Loop {
  return timeSteps <= longestUnrolled ? 'unrolled' : 'while';
}

/** The layer for that loop, and the number of time steps its placeholders have: a letter when any number will do. */
export function recurrentFor(loop: Loop, timeSteps: number): { layer: Recurrent; steps: number | string } {
  return loop === 'unrolled'
    ? { layer: unrolled(timeSteps), steps: timeSteps }
    : { layer: looped, steps: 'T' };
}
