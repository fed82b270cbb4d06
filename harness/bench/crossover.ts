import type { Crossover, SizeReport, SweepReport } from './report/schema';

/** The median time of one engine at each value of a sweep; undefined where it was not measured. */
export interface SweepLine {
  readonly engine: string;
  readonly medians: readonly (number | undefined)[];
}

/** A line for every engine that was timed at one of the sizes of a sweep. */
export function sweepLines(
  reports: readonly SizeReport[],
  { sizes, task }: Pick<SweepReport, 'sizes' | 'task'>,
): SweepLine[] {
  const results = sizes.map((name) => {
    const point = reports.find(({ size }) => size.name === name);
    return point?.tasks.find((one) => one.task === task)?.results ?? [];
  });
  const engines = new Set(results.flat().map(({ engine }) => engine));
  return Array.from(engines, (engine) => ({
    engine,
    medians: results.map((own) => own.find((result) => result.engine === engine)?.spread.median),
  }));
}

/** The engine with the smallest median at each value of the sweep. */
function fastestAt(lines: readonly SweepLine[], index: number): SweepLine | undefined {
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
