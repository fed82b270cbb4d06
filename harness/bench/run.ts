import { chooseBaseline, withSpeedups } from './report/baseline';
import { Bench } from './bench';
import type { EngineEntry } from './catalogue';
import { crossovers, sweepLines } from './crossover';
import { findPython } from '../base/process/index';
import { launchOf } from './process/launch';
import { describeMachine, loadWarning } from './machine';
import { enginesOf, type PlannedSize } from './plan';
import { measureProducts } from './products';
import type { Tell } from './measure';
import type { BenchReport, EnduranceReport, SizeReport, SweepReport } from './report/schema';
import type { Effort } from './schedule';
import { withLetter, type BenchSize, type Sweep } from './size';
import type { Task } from './task';

/** What one run of the bench measures. */
export interface BenchOptions {
  readonly plan: readonly PlannedSize[];
  /** what the ratios are taken over; chosen from what was timed when undefined */
  readonly baseline: string | undefined;
  readonly sweeps: readonly Sweep[];
  /** the size whose letters the sweeps change */ readonly sweepBase: BenchSize;
  readonly sweepEngines: readonly EngineEntry[];
  /** engines whose memory is watched over many calls */ readonly endurance: readonly EngineEntry[];
  readonly effort: Effort;
  readonly seed: number;
  readonly python: string | undefined;
  /** the arguments as given, for the report */ readonly command: readonly string[];
  readonly tell: Tell;
}

/** Sweeps time this: it is what training consists of. */
const sweepTask: Task = 'step';
/** Above this share of the processors, other processes disturb the numbers. */
const quietShare = 0.05;

/** Measures everything that was asked for, one size after the other. */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const started = new Date().toISOString();
  const machine = describeMachine();
  const { effort, seed, tell } = options;
  const busy = loadWarning(machine);
  if (busy !== undefined) tell(`warning: ${busy}`);
  const entries = [...options.plan.flatMap(enginesOf), ...options.sweepEngines, ...options.endurance];
  const python = entries.some(({ runs }) => runs === 'python') ? await findPython(options.python) : undefined;
  const bench = new Bench({ effort, seed, tell, launch: (entry) => launchOf(entry, python) });
  const products = await measureProducts(entries, (entry) => launchOf(entry, python), tell);
  const sizes: SizeReport[] = [];
  const sweeps: SweepReport[] = [];
  for (const planned of options.plan) sizes.push(await bench.measureSize(planned));
  for (const sweep of options.sweeps) {
    const points: SizeReport[] = [];
    for (const value of sweep.values) {
      const size = withLetter(options.sweepBase, sweep.letter, value);
      const tasks = [{ task: sweepTask, engines: options.sweepEngines }];
      points.push(await bench.measureSize({ size, tasks }));
    }
    sizes.push(...points);
    sweeps.push(summarizeSweep(sweep, options.sweepBase, points));
  }
  const endurance: EnduranceReport[] = [];
  for (const entry of options.endurance) endurance.push(...(await bench.endure(entry)));
  const baseline = options.baseline ?? chooseBaseline(sizes);
  return {
    format: 'rnn-parity-bench',
    version: 1,
    started,
    finished: new Date().toISOString(),
    command: options.command,
    seed,
    machine,
    ...(products && { products }),
    warnings: [...(busy === undefined ? [] : [busy]), ...sizes.flatMap(othersWarnings)],
    ...(baseline === undefined ? {} : { baseline }),
    versions: bench.versions,
    absent: bench.absent,
    sizes: baseline === undefined ? sizes : withSpeedups(sizes, baseline),
    sweeps,
    endurance,
  };
}

/** One sweep's place in the report: which sizes belong to it, and where the fastest engine changes. */
function summarizeSweep(sweep: Sweep, base: BenchSize, points: readonly SizeReport[]): SweepReport {
  const found = { ...sweep, base, task: sweepTask, sizes: points.map(({ size }) => size.name) };
  return { ...found, crossovers: crossovers(sweep.values, sweepLines(points, found)) };
}

function othersWarnings({ size, tasks }: SizeReport): string[] {
  return tasks.flatMap(({ task, othersShare }) =>
    othersShare === undefined || othersShare <= quietShare
      ? []
      : [
          `${size.name}, ${task}: other processes used ${Math.round(100 * othersShare)} % of the processors meanwhile`,
        ],
  );
}
