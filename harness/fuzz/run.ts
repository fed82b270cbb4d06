import { checkOptions, type OptionNames } from '../../scratch/index';
import { SideUnavailableError, type OpenSide } from '../sides/index';
import { UsageError } from '../base/outcome';
import { silentProgress, type StartProgress } from '../base/progress';
import { layerNames } from '../base/model';
import { partOf, type AnyProblem } from '../base/problem';
import { isOfLayers, type LayeredNetworks, type Networks } from '../problems/index';
import { defineCell } from '../equations/index';
import { fuzzCase, shardCases, shardSize, type FuzzCase, type Shard } from './series';
import { SideAtWork, type FuzzSide } from './side-at-work';
import { conclude, type FuzzSummary } from './summary';
import { versionsOf } from './versions';

export interface FuzzOptions {
  readonly sides: readonly FuzzSide[];
  /** seed of the series of problems; default 1 */ readonly seed?: number;
  /** the networks that the problems are about; default: the simple RNN, or networks of the layers that a candidate declares */
  readonly networks?: Networks | undefined;
  /** a number of problems of the series, or a time in seconds */
  readonly plan: { readonly cases: number } | { readonly seconds: number };
  /** default 1 of 1 */ readonly shard?: Shard;
  /** directory of the case files; it is created with the first file */ readonly out: string;
  /** time limit in seconds for simplifying each class of failure; default 20; 0: do not simplify */
  readonly shrinkSeconds?: number;
  /** ends the run after the current problem */ readonly signal?: AbortSignal;
  readonly progress?: StartProgress;
  /** keeps what was found so far, in case that the run is killed: called between problems, at most once in so many seconds */
  readonly save?: {
    readonly everySeconds: number;
    readonly write: (summary: FuzzSummary) => Promise<void>;
  };
}

const optionNames: OptionNames<FuzzOptions> = {
  sides: true,
  seed: true,
  networks: true,
  plan: true,
  shard: true,
  out: true,
  shrinkSeconds: true,
  signal: true,
  progress: true,
  save: true,
};

/**
 * Runs generated problems on every side and judges the answers (`examine`). The first failure of each class is simplified and saved as a
 * case file; all failures are counted.
 *
 * @throws RangeError for an option that does not exist, UsageError when the shard holds no problem, or two sides share a name
 */
export async function runFuzz(options: FuzzOptions): Promise<FuzzSummary> {
  checkOptions(options, optionNames, 'runFuzz');
  const { plan, seed = 1, shard = { index: 1, of: 1 }, signal, save } = options;
  const most = 'cases' in plan ? plan.cases : Number.POSITIVE_INFINITY;
  if (shardSize(shard, most) === 0)
    throw new UsageError(
      `shard ${shard.index} of ${shard.of} holds none of ${most} problems; take at most ${most} shards, or more problems.`,
    );
  // layers and formulas that cannot be read are an error before any side is asked
  if (options.networks !== undefined) checkNetworks(options.networks);
  const sides = await openSides(options);
  const { networks: given } = options;
  const declared = given === undefined || !isOfLayers(given) ? networksFor(sides) : undefined;
  const networks = declared === undefined ? given : { ...given, ...declared };
  const candidate = options.sides.find((side) => side.candidate !== undefined)?.candidate;
  const started = performance.now();
  const elapsed = (): number =>
    (performance.now() - started - sumOf(sides, (side) => side.shrinkingMs)) / 1000;
  const total = 'cases' in plan ? shardSize(shard, most) : Math.ceil(plan.seconds);
  const progress = (options.progress ?? silentProgress)('cases' in plan ? 'problems' : 'seconds', total);
  let cases = 0;
  let shown = 0;
  let interrupted = false;
  let saved = performance.now();
  const summaryOf = (isCut: boolean): FuzzSummary => {
    const summaries = sides.map((side) => side.summary());
    return conclude({
      versions: versionsOf(summaries),
      seed,
      plan,
      ...(candidate !== undefined && { candidate }),
      ...(networks && { networks }),
      shards: [{ ...shard, cases, seconds: elapsed(), interrupted: isCut }],
      sides: summaries,
    });
  };
  try {
    const indices =
      'cases' in plan && networks?.shapes !== undefined
        ? byShape(shardCases(shard, most), (index) => fuzzCase(seed, index, networks).problem)
        : shardCases(shard, most);
    const many = sides.every((side) => side.isElsewhere) ? atOnce : 1;
    for (;;) {
      // a macrotask in between, so that Ctrl-C is handled
      await new Promise(setImmediate);
      const over = 'seconds' in plan && elapsed() >= plan.seconds && cases > 0;
      if (over || sides.every((side) => side.isDone)) break;
      const taken = take(indices, many);
      // a run without a problem left is done, even if it was stopped during the last one
      interrupted = taken.length > 0 && signal?.aborted === true;
      if (taken.length === 0 || interrupted) break;
      const next = taken.map((index) => fuzzCase(seed, index, networks));
      await Promise.all(
        next.map(async (given) => {
          await takeBy(sides, given);
          cases++;
          const now = Math.min(total, 'cases' in plan ? cases : Math.floor(elapsed()));
          for (; shown < now; shown++) progress.step(given.id);
        }),
      );
      if (save === undefined || performance.now() - saved < 1000 * save.everySeconds) continue;
      await save.write(summaryOf(true));
      saved = performance.now();
    }
  } finally {
    progress.stop();
    for (const side of sides) side.dispose();
  }
  return summaryOf(interrupted || sides.some((side) => side.isCut));
}

/**
 * The problems of one shape one after the other: a software GPU keeps the programs that it used last, and compiles the others again.
 * Number i of a series is the same problem in any order.
 */
function byShape(indices: Iterable<number>, problemOf: (index: number) => AnyProblem): Iterator<number> {
  const groups = new Map<string, number[]>();
  for (const index of indices) {
    const problem = problemOf(index);
    const shapes = [problem.inputs, partOf(problem, 'weights.recurrentKernel')].map((part) => part?.shape);
    const key = JSON.stringify([problem.model?.layers, shapes]);
    groups.set(key, [...(groups.get(key) ?? []), index]);
  }
  return [...groups.values()].flat().values();
}

/** So many problems at a time, where all sides compute elsewhere: this program judges some while others are computed. */
const atOnce = 8;

/** Sides that compute here run one after the other, and those that compute elsewhere at the same time. */
async function takeBy(sides: readonly SideAtWork[], given: FuzzCase): Promise<void> {
  const elsewhere = sides.filter((side) => side.isElsewhere).map((side) => side.take(given));
  const here = async (): Promise<void> => {
    for (const side of sides) if (!side.isElsewhere) await side.take(given);
  };
  await Promise.all([...elsewhere, here()]);
}

function take<T>(from: Iterator<T>, most: number): T[] {
  const taken: T[] = [];
  while (taken.length < most) {
    const { done, value } = from.next() as IteratorResult<T, undefined>;
    if (done === true) break;
    taken.push(value);
  }
  return taken;
}

async function openSides(options: FuzzOptions): Promise<SideAtWork[]> {
  const sides: SideAtWork[] = [];
  try {
    for (const side of options.sides) {
      let open: OpenSide | string;
      try {
        open = await side.source.open();
      } catch (error) {
        if (!(error instanceof SideUnavailableError)) throw error;
        open = error.message;
      }
      const name = typeof open === 'string' ? side.source.name : open.implementation.name;
      if (sides.some((other) => other.name === name))
        throw new UsageError(
          `two sides have the name ${JSON.stringify(name)}; give the candidate a different name.`,
        );
      sides.push(new SideAtWork(name, side, open, options));
    }
    return sides;
  } catch (error) {
    for (const side of sides) side.dispose();
    throw error;
  }
}

function checkNetworks(networks: Networks): void {
  if ('cell' in networks) defineCell(networks.cell);
  fuzzCase(1, 0, networks);
}

/** Networks of what a side declares, where it answers nothing else. */
function networksFor(sides: readonly SideAtWork[]): LayeredNetworks | undefined {
  for (const side of sides) {
    const layers = side.declaredLayers;
    if (layers === undefined) continue;
    const drawn = layerNames.filter((layer) => layers.includes(layer));
    if (drawn.length > 0) return { layers: `any(${drawn.join(',')})` };
    throw new UsageError(
      `${side.name} declares the layers ${layers.join(', ')}; give --layers, or --equations FILE for a cell of your own formulas, to say what the problems are about.`,
    );
  }
  return undefined;
}

function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}
