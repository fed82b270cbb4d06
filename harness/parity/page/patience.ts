/** A device that gave no sign of life for so long hangs, at least where it was never slow. */
const leastPatience = 300;

/**
 * How long a side may be silent, in seconds: a device that is slow, or shares its machine, gets more time than one that is fast.
 *
 * @param slowest the longest silence of this side so far that ended
 * @param least what it gets at least
 */
export function patienceFor(slowest: number, least = leastPatience): number {
  return Math.max(least, 10 * slowest);
}

/**
 * Why a side has no answer. It was asked twice, the second time with twice the time.
 *
 * @param isAlone nothing else was at work the second time: so where a page runs the suite, and not where it answers problems
 */
export function silenceInWords(first: number, second: number, isAlone = true): string {
  const rounded = [first, second].map((seconds) => Math.round(seconds));
  return `not answered: no sign of life for ${rounded[0]} s, nor for ${rounded[1]} s when it was asked again${isAlone ? ' alone' : ''}`;
}
