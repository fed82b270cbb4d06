/** The median time of one engine at each value of a sweep; undefined where it was not measured. */
export interface SweepLine {
  readonly engine: string;
  readonly medians: readonly (number | undefined)[];
}

/** Where the fastest engine changes along a sweep. */
export interface Crossover {
  /** the faster one below `at` */ readonly below: string;
  /** the faster one above `at` */ readonly above: string;
  /** where their lines meet, read between two measured values on log-log axes */ readonly at: number;
  /** the two measured values around it */ readonly between: readonly [number, number];
}

/** The engine with the smallest median at each value of the sweep. */
export function fastestAt(lines: readonly SweepLine[], index: number): SweepLine | undefined {
  return lines.reduce<SweepLine | undefined>((best, line) => {
    const time = line.medians[index];
    const record = best?.medians[index];
    return time !== undefined && (record === undefined || time < record) ? line : best;
  }, undefined);
}

/**
 * The changes of the fastest engine along a sweep. Between two neighbouring values x0 < x1 with times a0 < b0 and
 * a1 > b1, both lines are straight on log-log axes, so they meet where
 *   s = ln(b0 / a0) / (ln(b0 / a0) + ln(a1 / b1)),  x = x0 (x1 / x0)^s
 */
export function crossovers(values: readonly number[], lines: readonly SweepLine[]): Crossover[] {
  return values.slice(1).flatMap((upper, i) => {
    const [below, above] = [fastestAt(lines, i), fastestAt(lines, i + 1)];
    if (below === undefined || above === undefined || below === above) return [];
    const [belowAtUpper, aboveAtLower] = [below.medians[i + 1], above.medians[i]];
    if (belowAtUpper === undefined || aboveAtLower === undefined) return [];
    const leadBefore = Math.log(aboveAtLower / below.medians[i]!);
    const leadAfter = Math.log(belowAtUpper / above.medians[i + 1]!);
    const share = leadBefore + leadAfter === 0 ? 0.5 : leadBefore / (leadBefore + leadAfter);
    const at = values[i] * (upper / values[i]) ** share;
    return [{ below: below.engine, above: above.engine, at, between: [values[i], upper] as const }];
  });
}
