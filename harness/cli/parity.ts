import { availableParallelism } from 'node:os';
import { Option, type Command } from 'commander';
import { readTextFile } from '../base/files/index';
import { exitCodes, UsageError, type Outcome } from '../base/outcome';
import type { Model } from '../base/problem';
import { stderrProgress } from '../base/stderr-progress';
import { argumentsOf, refuseIdle, type DefineCommand } from './command';
import { comparedCell } from './equations';
import * as options from './options';
import { checkOutputs, outputOf, withJson, type JsonFlag } from './outputs';

interface Flags {
  readonly backends?: string;
  readonly python?: string;
  readonly only?: string;
  readonly seed: number;
  readonly cases?: number;
  readonly layers?: string;
  readonly labels: boolean;
  readonly equations?: string;
  readonly vectors?: string[];
  readonly candidate?: string;
  readonly atol?: number;
  readonly rtol?: number;
  readonly timeout: number;
  readonly json?: JsonFlag;
  readonly junit?: string;
  readonly html?: string;
  readonly trial?: string;
  readonly checkReport?: string;
  readonly verbose?: true;
}

/** `rnn-parity parity` */
export const defineParity: DefineCommand = (program, finish) => {
  const command = program
    .command('parity')
    .description('compare the scratch network with its TensorFlow.js twin, or with your own implementation');
  const tolerance = (flag: string, word: string): Option =>
    options.option(flag, `${word} tolerance, instead of the derived error bounds`, options.number(0));
  options
    .addOptions(command, [
      ...options.backendsAndPython('run only these (:bptt: with hand-written gradients)'),
      new Option('--only <pattern>', 'run only cases whose id contains this text; * and ? are wildcards'),
      options.seedOption('seed of all random numbers'),
      options.option('--cases <n>', 'number of generated problems (default: 200)', options.whole(0)),
      options.layersOption(),
      new Option(
        '--no-labels',
        'with --layers or --equations: problems without a loss, for a layer alone; gradients arrive from above',
      ),
      new Option(
        '--equations <file>',
        'with --candidate: compare it with a cell of your own, a module that exports `cell = defineCell({ ... })`',
      ),
      new Option(
        '--vectors <files...>',
        'compare every implementation with the numbers in these files (.json, .npz) instead of running the suite',
      ),
      ...options.candidateOptions(),
      tolerance('--atol <x>', 'absolute'),
      tolerance('--rtol <x>', 'relative'),
      options.jsonOption('the whole report'),
      new Option('--junit <file>', 'write the report as JUnit XML, for CI servers'),
      new Option('--html <file>', 'write the report as one page with charts, readable offline'),
      new Option(
        '--trial <file>',
        'with --html: also show this trial (a file of `rnn-parity trial --json`) on the page',
      ),
      new Option(
        '--check-report <file>',
        'check that the verdict of an earlier --json report follows from its numbers',
      ),
      new Option('--verbose', 'also print the worst place of every side and every failing problem'),
    ])
    .addHelpText(
      'after',
      `
${options.exitText}.
NATIVE_REQUIRED=1 makes tensorflow, graph and tensorflow:bptt required.
A file that exists is replaced only if it is an earlier report of the same kind.

Examples:
  rnn-parity parity --backends wasm,cpu
  rnn-parity parity --backends keras,torch,onnxruntime --python .venv/bin/python
  rnn-parity parity --only 'edge/*' --json report.json
  rnn-parity parity --junit parity.xml --html parity.html --trial trial.json
  rnn-parity parity --layers 'bidirectional(gru:8),lstm:8,dense:3'
  rnn-parity parity --equations my-cell.ts --candidate ./my-layer.ts
  rnn-parity parity --vectors torch.npz keras.json
  rnn-parity parity --candidate ./my-rnn.ts`,
    )
    .action(async (flags: Flags, command: Command) => finish(await run(flags, command)));
};

async function run(flags: Flags, command: Command): Promise<Outcome> {
  const idle = (because: string, ...names: (keyof Flags)[]): void => {
    refuseIdle(command, because, names);
  };
  if (flags.checkReport !== undefined) {
    const others = Object.keys(flags).filter((name) => name !== 'checkReport');
    idle('with --check-report', ...(others as (keyof Flags)[]));
    return auditFile(flags.checkReport);
  }
  if (flags.vectors !== undefined) idle('with --vectors', 'cases', 'seed');
  if (flags.layers === undefined && flags.equations === undefined)
    idle('without --layers or --equations', 'labels');
  if (flags.candidate === undefined) idle('without --candidate', 'timeout');
  options.refuseIdlePython(command, '--backends', flags.backends);
  return parity(flags, argumentsOf(command));
}

async function parity(flags: Flags, args: readonly string[]): Promise<Outcome> {
  const { formatJunit, formatReport, formatSummary, runParity } = await import('../parity/index.js');
  const { ChartData, pageTitle, parityPage } = await import('../parity/html/index.js');
  const { parseAnySides } = await import('../frameworks/index.js');
  const { readTrialReport, trialSections } = await import('../trial/index.js');
  const { isNativeRequired } = await import('../../src/index.js');
  const junit = outputOf('--junit', flags.junit, '<testsuites name="rnn-parity"');
  const html = outputOf('--html', flags.html, `<title>${pageTitle}</title>`);
  await checkOutputs([...outputOf('--json', flags.json, 'rnn-parity-report/'), ...junit, ...html]);
  if (flags.trial !== undefined && html.length === 0)
    throw new UsageError('--trial is shown on the page of --html; give --html FILE as well.');
  const trial = flags.trial === undefined ? undefined : await readTrialReport(flags.trial);
  const tolerance = { absolute: flags.atol, relative: flags.rtol };
  const charts = html.length === 0 ? undefined : new ChartData(tolerance);
  const report = await runParity({
    backends: flags.backends === undefined ? undefined : parseAnySides(flags.backends),
    python: flags.python,
    requireNative: isNativeRequired(),
    only: flags.only,
    seed: flags.seed,
    cases: flags.cases,
    model: await modelOf(flags),
    labels: flags.labels,
    vectors: flags.vectors,
    candidate: flags.candidate,
    timeoutSeconds: flags.timeout,
    tolerance,
    observer: charts,
    progress: stderrProgress,
    processes: availableParallelism() > 1 ? 2 : 1,
    flags: flagsOf(flags),
  });
  const sections = trial === undefined ? [] : trialSections(trial);
  const text = formatSummary(report, { verbose: flags.verbose === true });
  const { exitCode } = report;
  return withJson(
    { exitCode, text, json: report, machine: formatReport(report), summarizes: true },
    flags.json,
    [
      [junit, () => formatJunit(report)],
      [html, () => parityPage({ report, charts: charts?.sides ?? [], settings: args, sections })],
    ],
  );
}

/** What chose the cases and how they were judged: the command that runs one case again repeats it. */
function flagsOf({ layers, equations, labels, cases, atol, rtol }: Flags): string[] {
  const given = Object.entries({ layers, equations, cases, atol, rtol });
  const valued = given.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]));
  return labels ? valued : [...valued, '--no-labels'];
}

/**
 * The network of --layers, or of the cell of --equations.
 *
 * @throws UsageError when it cannot be read, or another option also says what is run
 */
async function modelOf({ layers, equations, vectors, candidate }: Flags): Promise<Model | undefined> {
  if (layers === undefined && equations === undefined) return undefined;
  const given = Object.entries({ layers, equations, vectors }).filter(([, value]) => value !== undefined);
  if (given.length > 1)
    throw new UsageError(
      `${given.map(([name]) => `--${name}`).join(' and ')} each say what is run; give one of them.`,
    );
  const { modelOfCell, modelOfLayers } = await import('../problems/index.js');
  if (layers !== undefined) {
    const { parseLayers } = await import('../base/layers-text.js');
    return modelOfLayers(parseLayers(layers, '--layers'), '--layers');
  }
  return modelOfCell(await comparedCell(equations ?? '', candidate));
}

/** Derives the verdict of a report that was written earlier again, from its own numbers. */
async function auditFile(file: string): Promise<Outcome> {
  const { checkReport } = await import('../parity/index.js');
  const text = await readTextFile(file);
  const { report, faults } = await checkReport(text, file);
  if (faults.length > 0) {
    const shown = faults.slice(0, 20);
    const more = faults.length > shown.length ? [`... and ${faults.length - shown.length} more`] : [];
    const verdict = `MISMATCH: ${file} does not follow from its own numbers (${faults.length} contradictions)`;
    return { exitCode: exitCodes.mismatch, text: [...shown, ...more, verdict].join('\n') };
  }
  return {
    exitCode: report.exitCode,
    text: `${file} accounts for everything it planned, and its verdict follows from its numbers: ${report.verdict}`,
  };
}
