import path from 'node:path';
import { BackendNotRunError, exitCodes, UsageError } from '../base/outcome';
import { defaultEngines, engineEntries, parseEngines, type EngineEntry } from '../bench/catalogue';
import type { Tell } from '../bench/measure';
import type { BenchReport } from '../bench/report/schema';
import type { BenchOptions } from '../bench/run';
import { describeSize, namedSizes, parseSize, parseSweep, withLayers } from '../bench/size';
import { parseTasks, taskTitles } from '../bench/task';
import { defineCommand, type FlagsOf } from './command';
import * as options from './options';
import { openOutputs } from './outputs';

const { duration, option, repeatable, text, whole, yes } = options;

/** What says how to measure. */
const measuring = {
  sizes: text('--sizes <list>', 'sizes to measure (below), or "none" (default: S,M)'),
  layers: repeatable(
    '--layers <list>',
    'layers below the output layer, instead of a simple RNN of U units: lstm:128, or bidirectional(gru:64),lstm:32 (repeatable)',
  ),
  engines: text('--engines <list>', 'engines to measure (below), or "all"').default(defaultEngines),
  tasks: text('--tasks <list>', 'what to time (below)').default('step,forward1'),
  rounds: option('--rounds <n>', 'largest number of rounds', whole(1)).default(15),
  time: option(
    '--time <duration>',
    'start no new round after this time, for each size and task; at least 3 rounds run',
    duration(0, ''),
  ).default(30, '30s'),
  baseline: text(
    '--baseline <engine>',
    'the engine that every ratio is relative to (default: layers:tensorflow where it runs)',
  ),
  python: text(
    '--python <path>',
    'the Python in which the peers are installed (default: python3 on the PATH)',
  ),
  sweep: repeatable(
    '--sweep <letter=values>',
    'also measure a size with one letter varied: T=5,10,20,50 (repeatable)',
  ),
  sweepBase: text('--sweep-base <size>', 'the size in which --sweep varies the letter').default('M'),
  sweepEngines: text('--sweep-engines <list>', 'engines for --sweep (default: as --engines)'),
  promises: yes(
    '--promises',
    'measure what the promises of docs/performance.md need (no other sizes unless --sizes is given)',
  ),
  endurance: text('--endurance <list>', 'engines to watch the memory of over 20,000 steps and 100 models'),
  maxCall: option(
    '--max-call <duration>',
    'skip an engine where one call takes longer than this',
    duration(0, ''),
  ).default(30, '30s'),
  rest: option(
    '--rest <duration>',
    'pause between two samples, so that spinning threads go to sleep',
    duration(0, ''),
  ).default(0.1, '100ms'),
  seed: options.seedFlag('seed of the data, the weights and the order of engines'),
};
const table = {
  ...measuring,
  from: text('--from <file>', 'measure nothing: make the reports from the JSON of an earlier run'),
  json: options.jsonFlag('everything measured'),
  html: text('--html <file>', 'write a self-contained page with charts'),
  markdown: text('--markdown <file>', 'write the report in the form of docs/performance.md'),
};
type Flags = FlagsOf<typeof table>;

export const defineBench = defineCommand({
  name: 'bench',
  summary: 'measure the time of training and forward passes of every engine, after checking parity',
  description:
    'Time training steps, epochs and forward passes of every engine on this machine. Each engine first has to ' +
    'agree with the scratch network; then all take turns in one run, so that their ratios can be believed.',
  flags: table,
  help: helpText(),
  async run(flags, { line, refuseIdle }) {
    const { from, baseline } = flags;
    // ratios to another baseline follow from what was measured
    const names = Object.keys(measuring) as (keyof typeof measuring)[];
    if (from !== undefined) refuseIdle('with --from', ...names.filter((name) => name !== 'baseline'));
    else if (flags.sweep.length === 0) refuseIdle('without --sweep', 'sweepBase', 'sweepEngines');
    const { runBench } = await import('../bench/run.js');
    const { htmlReport, markdownReport, textReport } = await import('../bench/report/document.js');
    const marks = {
      json: 'rnn-parity-bench',
      html: '<title>Performance</title>',
      markdown: 'Made by: rnn-parity bench',
    };
    const outputs = await openOutputs(flags, marks);
    const settings = await readFlags(flags, line);
    const json = from === undefined ? await runBench(settings) : await rereadReport(from, baseline);
    const source = from ?? (typeof flags.json === 'string' && flags.json !== '-' ? flags.json : 'FILE');
    if (from === undefined) requireRun(json, baseline);
    const failures = json.sizes.flatMap(({ engines }) => engines.flatMap((engine) => engine.failures));
    const exitCode = failures.some(({ kind }) => kind === 'wrong') ? exitCodes.mismatch : exitCodes.parity;
    return outputs.outcome(
      { exitCode, text: textReport(json), json, machine: `${JSON.stringify(json, null, 1)}\n` },
      {
        html: () => htmlReport(json),
        markdown: () => markdownReport(json, path.isAbsolute(source) ? path.basename(source) : source),
      },
    );
  },
});

function helpText(): string {
  const lines = (rows: readonly (readonly [string, string])[]): string =>
    rows.map(([name, text]) => `  ${name.padEnd(18)} ${text}`).join('\n');
  return `Sizes (B sequences of T steps of F features, U units, C classes; or write your own, for example B10T5F2U4C3):
${lines(namedSizes.map((name) => [name, sizeText(name)]))}

Tasks:
${lines(Object.entries(taskTitles))}

Engines (tfjs and layers without a backend mean all their backends; an engine that is not installed is reported as absent):
${lines(engineEntries.map(({ name, title }) => [name, title]))}

Examples:
  rnn-parity bench                                        a first look, about 3 minutes
  rnn-parity bench --sizes S --engines scratch,layers     engines that need no set-up
  rnn-parity bench --python .venv/bin/python --engines all --html bench.html
  rnn-parity bench --sizes M --layers lstm:128 --layers gru:128   LSTM and GRU instead of the simple RNN
  rnn-parity bench --sizes none --sweep U=4,16,64,256 --engines scratch,graph --html sweep.html

Exit codes: 0 measured, 1 an engine did not agree with scratch, 2 usage error, 3 the --baseline or no engine ran.`;
}

function sizeText(name: string): string {
  const size = parseSize(name);
  const data = size.data === 'digits' ? `, ${size.epochExamples} handwritten digits` : '';
  return `${describeSize(size)}${data}`;
}

/** Turns flags into options; every mistake in them is reported before anything is measured. */
async function readFlags(flags: Flags, command: readonly string[]): Promise<BenchOptions> {
  const { enginesOf, mergePlans, planAll } = await import('../bench/plan.js');
  const { promisePlan } = await import('../bench/report/claims.js');
  const promises = flags.promises === true;
  const engines = parseEngines(flags.engines);
  const sweepEngines = flags.sweepEngines === undefined ? engines : parseEngines(flags.sweepEngines);
  const sizesText = flags.sizes ?? (promises ? 'none' : 'S,M');
  const plain = sizesText === 'none' ? [] : sizesText.split(',').map((text) => parseSize(text.trim()));
  const sizes =
    flags.layers.length === 0
      ? plain
      : plain.flatMap((size) => flags.layers.map((layers) => withLayers(size, layers)));
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
    ...{ plan, baseline: flags.baseline, seed: flags.seed, python: flags.python, command },
    sweeps,
    sweepBase: parseSize(flags.sweepBase),
    sweepEngines: sweeps.length > 0 ? sweepEngines : [],
    endurance,
    effort: {
      rounds: flags.rounds,
      milliseconds: 1000 * flags.time,
      sampleMilliseconds: 50,
      longestCallMilliseconds: 1000 * flags.maxCall,
      graceMilliseconds: 60_000,
      restMilliseconds: 1000 * flags.rest,
    },
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
  const { chooseBaseline, withSpeedups } = await import('../bench/report/baseline.js');
  const { readReport } = await import('../bench/report/read.js');
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
