import path from 'node:path';
import { writeFileAtomic } from '../base/files/index';
import { BackendNotRunError, exitCodes, UsageError, type Outcome } from '../base/outcome';
import { chooseBaseline, withSpeedups } from '../bench/report/baseline';
import { parseEngines, type EngineEntry } from '../bench/catalogue';
import { enginesOf, mergePlans, planAll } from '../bench/plan';
import { promisePlan } from '../bench/report/claims';
import type { BenchFlags } from './bench';
import { htmlReport } from '../bench/report/html';
import { markdownReport } from '../bench/report/markdown';
import type { Tell } from '../bench/measure';
import { readReport } from '../bench/report/read';
import type { BenchReport } from '../bench/report/schema';
import { runBench, type BenchOptions } from '../bench/run';
import { parseSize, parseSweep } from '../bench/size';
import { parseTasks } from '../bench/task';
import { textReport } from '../bench/report/text';

/** What the command does: measures, or reads an earlier measurement, and writes the reports that were asked for. */
export async function bench(flags: BenchFlags, args: readonly string[]): Promise<Outcome> {
  const options = readFlags(flags, args);
  const report =
    flags.from === undefined ? await runBench(options) : await rereadReport(flags.from, flags.baseline);
  const json = `${JSON.stringify(report, null, 1)}\n`;
  if (typeof flags.json === 'string') await writeFileAtomic(flags.json, json);
  if (flags.html !== undefined) await writeFileAtomic(flags.html, await htmlReport(report));
  if (flags.markdown !== undefined) {
    const source = flags.from ?? (typeof flags.json === 'string' ? flags.json : 'FILE');
    await writeFileAtomic(
      flags.markdown,
      markdownReport(report, path.isAbsolute(source) ? path.basename(source) : source),
    );
  }
  if (flags.from === undefined) requireRun(report, flags.baseline);
  const wrong = report.sizes.some(({ engines }) =>
    engines.some(({ failures }) => failures.some(({ kind }) => kind === 'wrong')),
  );
  return {
    exitCode: wrong ? exitCodes.mismatch : exitCodes.parity,
    text: flags.json === true ? json : textReport(report),
    json: report,
  };
}

/** Turns flags into options; every mistake in them is told before anything is measured. */
function readFlags(flags: BenchFlags, command: readonly string[]): BenchOptions {
  const promises = flags.promises === true;
  const engines = parseEngines(flags.engines);
  const sweepEngines = flags.sweepEngines === undefined ? engines : parseEngines(flags.sweepEngines);
  const sizesText = flags.sizes ?? (promises ? 'none' : 'S,M');
  const sizes = sizesText === 'none' ? [] : sizesText.split(',').map((text) => parseSize(text.trim()));
  const sweeps = flags.sweep.map(parseSweep);
  const watched = flags.endurance ?? (promises ? 'graph' : undefined);
  const endurance = watched === undefined ? [] : parseEngines(watched);
  if (sizes.length + sweeps.length + endurance.length === 0) {
    throw new UsageError(
      'bench: --sizes none, no --sweep, no --promises and no --endurance leave nothing to measure; give one of them.',
    );
  }
  const plan = mergePlans(planAll(sizes, parseTasks(flags.tasks), engines), promises ? promisePlan() : []);
  const measured = [...plan.flatMap(enginesOf), ...(sweeps.length > 0 ? sweepEngines : [])];
  if (flags.from === undefined) checkBaseline(flags.baseline, measured);
  return {
    plan,
    baseline: flags.baseline,
    sweeps,
    sweepBase: parseSize(flags.sweepBase),
    sweepEngines: sweeps.length > 0 ? sweepEngines : [],
    endurance,
    effort: {
      rounds: flags.rounds,
      milliseconds: flags.time,
      sampleMilliseconds: 50,
      longestCallMilliseconds: flags.maxCall,
      graceMilliseconds: 60_000,
      restMilliseconds: flags.rest,
    },
    seed: flags.seed,
    python: flags.python,
    command,
    tell: teller(process.stderr),
  };
}

function checkBaseline(baseline: string | undefined, measured: readonly EngineEntry[]): void {
  if (baseline === undefined || measured.some(({ name }) => name === baseline)) return;
  throw new UsageError(
    `--baseline: ${baseline} is not among the engines to measure (${[...new Set(measured.map(({ name }) => name))].join(', ')}); add it to --engines or choose one of them.`,
  );
}

async function rereadReport(file: string, asked: string | undefined): Promise<BenchReport> {
  const report = await readReport(file);
  const baseline = asked ?? report.baseline ?? chooseBaseline(report.sizes);
  return baseline === undefined
    ? report
    : { ...report, baseline, sizes: withSpeedups(report.sizes, baseline) };
}

/** @throws BackendNotRunError when no engine, or not the baseline that was asked for, was timed */
function requireRun({ sizes, absent, endurance }: BenchReport, baseline: string | undefined): void {
  const timed = sizes.flatMap(({ tasks }) => tasks.flatMap(({ results }) => results));
  const reasons = absent.map(({ engine, reason }) => `${engine}: ${reason}`).join('\n  ');
  if (timed.length + endurance.length === 0)
    throw new BackendNotRunError(`bench: no engine could be timed.\n  ${reasons}`);
  if (baseline !== undefined && !timed.some(({ engine }) => engine === baseline))
    throw new BackendNotRunError(`bench: the baseline ${baseline} was not timed.\n  ${reasons}`);
}

/** Progress: one line that is rewritten on a terminal, a line now and then elsewhere. */
function teller(stream: NodeJS.WriteStream): Tell {
  let last = -Infinity;
  return (line) => {
    if (stream.isTTY) {
      stream.write(`\r\u001b[K${line.slice(0, (stream.columns || 80) - 1)}`);
    } else if (performance.now() - last > 5000 || line.startsWith('warning')) {
      last = performance.now();
      stream.write(`${line}\n`);
    }
  };
}
