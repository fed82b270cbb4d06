/** Five numbers that say where a sample lies and how wide it spreads. */
export interface Spread {
  readonly count: number;
  readonly min: number;
  /** first quartile */ readonly q1: number;
  readonly median: number;
  /** third quartile */ readonly q3: number;
  readonly max: number;
}

/**
 * Quantile p of a sample by linear interpolation between order statistics: position (n - 1) p, counted from 0
 * (Hyndman & Fan 1996, definition 7; the default of NumPy and R).
 *
 * @throws RangeError on an empty sample, a number that is not finite, or p outside [0, 1]
 */
export function quantile(sample: readonly number[], p: number): number {
  if (sample.length === 0 || !sample.every(Number.isFinite) || !(p >= 0 && p <= 1)) {
    throw new RangeError(
      `quantile: got ${sample.length} numbers and p = ${p}; pass at least one number, all finite, and p between 0 and 1.`,
    );
  }
  const sorted = [...sample].sort((left, right) => left - right);
  const position = (sorted.length - 1) * p;
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

/** Minimum, quartiles and maximum of a sample. Throws as `quantile` does. */
export function spreadOf(sample: readonly number[]): Spread {
  const [min, q1, median, q3, max] = [0, 0.25, 0.5, 0.75, 1].map((p) => quantile(sample, p));
  return { count: sample.length, min, q1, median, q3, max };
}

/** How much faster one side is than the baseline: 3 means a third of its time. */
export interface Speedup {
  /** baseline time / this time within each round, then their spread: robust to a machine that slows down */
  readonly paired: Spread;
  /** median baseline time / median time */ readonly ofMedians: number;
}

/**
 * Speed-up of `times` over `baseline`, where `times[i]` and `baseline[i]` were measured in the same round.
 * A round in which either is missing (undefined) does not count.
 *
 * @returns undefined when no round holds both
 */
export function speedup(
  times: readonly (number | undefined)[],
  baseline: readonly (number | undefined)[],
): Speedup | undefined {
  const pairs = times.flatMap((time, round) => {
    const base = baseline[round];
    return time === undefined || base === undefined ? [] : [{ time, base }];
  });
  if (pairs.length === 0) return undefined;
  return {
    paired: spreadOf(pairs.map(({ time, base }) => base / time)),
    ofMedians:
      spreadOf(pairs.map(({ base }) => base)).median / spreadOf(pairs.map(({ time }) => time)).median,
  };
}
