import { createRandom, type Random } from '../../scratch/index';

/**
 * The order in which engines take their turns, anew each round: every engine follows every other one equally often in
 * the long run, so none always inherits the caches and the clock speed that one neighbour leaves behind.
 */
export function shuffledRounds<Item>(items: readonly Item[], seed: number): () => Item[] {
  const random: Random = createRandom(seed);
  return () => Array.from(random.permutation(items.length), (i) => items[i]);
}

/** How often and how long to measure. */
export interface Effort {
  /** largest number of rounds */ readonly rounds: number;
  /** start no new round after this many milliseconds per task, once `minimumRounds` are done */
  readonly milliseconds: number;
  /** calls are bundled until one sample takes about this long */ readonly sampleMilliseconds: number;
  /** an engine that takes longer than this for one call is left out, with a note */
  readonly longestCallMilliseconds: number;
  /** an engine that does not answer within so much more than the longest call is ended */
  readonly graceMilliseconds: number;
  /** rest between two samples, in which the last engine's spinning threads go to sleep */
  readonly restMilliseconds: number;
}

/** Rounds that are measured even when the time is over: fewer than three rounds give no spread. */
export const minimumRounds = 3;

/** Calls to bundle into one sample, given what one warm call takes. */
export function callsPerSample(warmMilliseconds: number, sampleMilliseconds: number): number {
  return Math.min(100_000, Math.max(1, Math.ceil(sampleMilliseconds / Math.max(warmMilliseconds, 1e-6))));
}

/** True while another round should be measured. */
export function anotherRound(done: number, elapsedMilliseconds: number, effort: Effort): boolean {
  if (done >= effort.rounds) return false;
  return done < Math.min(minimumRounds, effort.rounds) || elapsedMilliseconds < effort.milliseconds;
}
