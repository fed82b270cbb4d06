import { isDeepStrictEqual } from 'node:util';
import { readJsonFile } from '../base/files/index';
import { UsageError } from '../base/outcome';
import { shardSize } from './series';
import { conclude, summaryFormat, type FailureGroup, type FuzzSummary, type SideSummary } from './summary';

/**
 * Reads summaries that `rnn-parity fuzz --json FILE` wrote.
 *
 * @throws UsageError with the name of the file that is not a summary
 */
export async function readSummaries(files: readonly string[]): Promise<FuzzSummary[]> {
  return Promise.all(
    files.map(async (file) => {
      const summary = (await readJsonFile(file, 'a summary of rnn-parity fuzz --json FILE')) as FuzzSummary;
      const { format, shards, sides } = (summary as Partial<FuzzSummary> | null) ?? {};
      if (format !== summaryFormat || !Array.isArray(shards) || shards.length === 0 || !Array.isArray(sides))
        throw new UsageError(
          `${file} has the format ${String(format)}; a whole "${summaryFormat}" was expected, as rnn-parity fuzz --json FILE writes it.`,
        );
      return summary;
    }),
  );
}

/**
 * Merges the summaries of all shards of one series: sums, and the conclusion that one run of all problems would reach.
 *
 * @throws UsageError when seeds, plans, versions or sides differ, a shard is given twice, is missing, or was cut short
 */
export function mergeSummaries(summaries: readonly FuzzSummary[], names?: readonly string[]): FuzzSummary {
  const [first] = summaries;
  const nameOf = (i: number): string => names?.[i] ?? `summary ${i + 1}`;
  if (summaries.length === 0)
    throw new UsageError('merge: no summary was given; give the files of all shards.');
  summaries.forEach((summary, i) => {
    for (const key of ['seed', 'plan', 'candidate', 'networks', 'versions'] as const) {
      if (!isDeepStrictEqual(summary[key], first[key]))
        throw new UsageError(
          `${nameOf(i)} and ${nameOf(0)} differ in ${key}: ${JSON.stringify(summary[key])}, not ${JSON.stringify(first[key])}; merge shards of one series only.`,
        );
    }
  });
  checkShards(summaries, nameOf);
  checkSides(summaries, nameOf);
  const shards = summaries.flatMap((summary) => summary.shards).sort((one, other) => one.index - other.index);
  const { versions, seed, plan, candidate, networks } = first;
  return conclude({
    versions,
    seed,
    plan,
    ...(candidate !== undefined && { candidate }),
    ...(networks && { networks }),
    shards,
    sides: first.sides.map(({ name }) =>
      mergeSides(summaries.flatMap(({ sides }) => sides.filter((side) => side.name === name))),
    ),
  });
}

function checkShards(summaries: readonly FuzzSummary[], nameOf: (i: number) => string): void {
  const { plan, shards: some } = summaries[0];
  const { of } = some[0];
  const taken = new Map<number, string>();
  summaries.forEach(({ shards }, i) => {
    for (const shard of shards) {
      if (shard.of !== of)
        throw new UsageError(
          `${nameOf(i)} holds shard ${shard.index} of ${shard.of}, ${nameOf(0)} one of ${of}: their problems overlap; merge shards of one division only.`,
        );
      const other = taken.get(shard.index);
      if (other !== undefined)
        throw new UsageError(
          `shard ${shard.index} of ${of} was given twice, in ${other} and in ${nameOf(i)}; leave one out.`,
        );
      taken.set(shard.index, nameOf(i));
      const planned = 'cases' in plan ? shardSize(shard, plan.cases) : undefined;
      const died = summaries[i].sides.some(({ errors }) => errors > 0);
      if (shard.interrupted || (planned !== undefined && shard.cases !== planned && !died))
        throw new UsageError(
          `shard ${shard.index} of ${of} (${nameOf(i)}) was cut short after ${shard.cases}${planned === undefined ? '' : ` of ${planned}`} problems; run it again.`,
        );
    }
  });
  const missing = Array.from({ length: of }, (_, i) => i + 1).filter((index) => !taken.has(index));
  if (missing.length > 0)
    throw new UsageError(
      `of ${of} shards ${missing.length === 1 ? 'one is' : `${missing.length} are`} missing: ${missing.join(', ')}; give the summaries of all.`,
    );
}

function checkSides(summaries: readonly FuzzSummary[], nameOf: (i: number) => string): void {
  const ran = (summary: FuzzSummary): string[] =>
    summary.sides.map(({ name, status }) => `${name} ${status}`).sort();
  summaries.forEach((summary, i) => {
    if (!isDeepStrictEqual(ran(summary), ran(summaries[0])))
      throw new UsageError(
        `${nameOf(i)} and ${nameOf(0)} have different sides: ${ran(summary).join(', ')}, not ${ran(summaries[0]).join(', ')}; some problems did not run on all sides, so run those shards again.`,
      );
  });
}

function leftOf(sides: readonly SideSummary[]): Record<string, number> {
  const all = new Map<string, number>();
  for (const [reason, problems] of sides.flatMap(({ left }) => Object.entries(left)))
    all.set(reason, (all.get(reason) ?? 0) + problems);
  return Object.fromEntries(all);
}

function mergeSides(sides: readonly SideSummary[]): SideSummary {
  const sum = (of: (side: SideSummary) => number): number =>
    sides.reduce((total, side) => total + of(side), 0);
  const groups = new Map<string, FailureGroup>();
  for (const group of sides.flatMap(({ failures }) => failures)) {
    const known = groups.get(group.signature);
    const earlier = known === undefined || group.first < known.first ? group : known;
    groups.set(group.signature, { ...earlier, count: group.count + (known?.count ?? 0) });
  }
  const reason = sides.find((side) => side.reason !== undefined)?.reason;
  return {
    ...sides[0],
    required: sides.some(({ required }) => required),
    ...(reason !== undefined && { reason }),
    cases: sum(({ cases }) => cases),
    pass: sum(({ pass }) => pass),
    ill: sum(({ ill }) => ill),
    fail: sum(({ fail }) => fail),
    errors: sum(({ errors }) => errors),
    left: leftOf(sides),
    compared: sum(({ compared }) => compared),
    seconds: sum(({ seconds }) => seconds),
    failures: [...groups.values()].sort((one, other) => one.first - other.first),
  };
}
