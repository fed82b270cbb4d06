import { availableParallelism } from 'node:os';
import { readTextFile } from '../base/files/index';
import { exitCodes, UsageError, type Outcome } from '../base/outcome';
import type { Model } from '../base/problem';
import { stderrProgress } from '../base/stderr-progress';
import { defineCommand, type FlagsOf } from './command';
import { comparedCell } from './equations';
import * as options from './options';
import { openOutputs } from './outputs';

const { no, number, option, text, texts, whole, yes } = options;

const table = {
  ...options.backendsFlags('run only these (:bptt: with hand-written gradients)'),
  only: options.onlyFlag('run only cases whose id'),
  seed: options.seedFlag('seed of all random numbers'),
  cases: option('--cases <n>', 'number of generated problems (default: 200)', whole(0)),
  layers: text(
    '--layers <list>',
    "run problems about this network instead of the suite: lstm:16, 'bidirectional(gru:8),lstm:8:activation=relu,dense:3'",
  ),
  labels: no(
    '--no-labels',
    'with --layers or --equations: problems without a loss, for a layer alone; gradients arrive from above',
  ),
  equations: text(
    '--equations <file>',
    'with --candidate: compare it with a cell of your own, a module that exports `cell = defineCell({ ... })`',
  ),
  vectors: texts(
    '--vectors <files...>',
    'compare every implementation with the numbers in these files (.json, .npz) instead of running the suite',
  ),
  ...options.candidateFlags,
  atol: option('--atol <x>', 'absolute tolerance, instead of the derived error bounds', number(0)),
  rtol: option('--rtol <x>', 'relative tolerance, instead of the derived error bounds', number(0)),
  json: options.jsonFlag('the whole report'),
  junit: text('--junit <file>', 'write the report as JUnit XML, for CI servers'),
  html: text('--html <file>', 'write the report as one page with charts, readable offline'),
  trial: text(
    '--trial <file>',
    'with --html: also show this trial (a file of `rnn-parity trial --json`) on the page',
  ),
  checkReport: text(
    '--check-report <file>',
    'check that the verdict of an earlier --json report follows from its numbers',
  ),
  verbose: yes('--verbose', 'also print the worst place of every side and every failing problem'),
};
type Flags = FlagsOf<typeof table>;

export const defineParity = defineCommand({
  name: 'parity',
  description: 'compare the scratch network with its TensorFlow.js twin, or with your own implementation',
  flags: table,
  help: `${options.exitText}.
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
  async run(flags, command) {
    const { refuseIdle } = command;
    const { checkReport, ...others } = flags;
    if (checkReport !== undefined) {
      refuseIdle('with --check-report', ...(Object.keys(others) as (keyof typeof others)[]));
      return auditFile(checkReport);
    }
    if (flags.vectors !== undefined) refuseIdle('with --vectors', 'cases', 'seed');
    if (flags.layers === undefined && flags.equations === undefined)
      refuseIdle('without --layers or --equations', 'labels');
    if (flags.candidate === undefined) refuseIdle('without --candidate', 'timeout');
    options.refuseIdlePython(command, '--backends', flags.backends, 'python');
    return parity(flags, command.line);
  },
});

async function parity(flags: Flags, settings: readonly string[]): Promise<Outcome> {
  const { formatJunit, formatReport, formatSummary, runParity } = await import('../parity/index.js');
  const { ChartData, pageTitle, parityPage } = await import('../parity/html/index.js');
  const { parseAnySides } = await import('../frameworks/index.js');
  const { readTrialReport, trialSections } = await import('../trial/index.js');
  const { isNativeRequired } = await import('../../src/index.js');
  const outputs = await openOutputs(flags, {
    json: 'rnn-parity-report/',
    junit: '<testsuites name="rnn-parity"',
    html: `<title>${pageTitle}</title>`,
  });
  const { atol, rtol, trial: trialFile, candidate, cases, labels, only, python, seed, vectors } = flags;
  if (trialFile !== undefined && !outputs.has('html'))
    throw new UsageError('--trial is shown on the page of --html; give --html FILE as well.');
  const sections = trialFile === undefined ? [] : trialSections(await readTrialReport(trialFile));
  const tolerance = { absolute: atol, relative: rtol };
  const charts = outputs.has('html') ? new ChartData(tolerance) : undefined;
  const report = await runParity({
    ...{ candidate, cases, labels, only, python, seed, tolerance, vectors },
    backends: flags.backends === undefined ? undefined : parseAnySides(flags.backends),
    requireNative: isNativeRequired(),
    model: await modelOf(flags),
    timeoutSeconds: flags.timeout,
    observer: charts,
    progress: stderrProgress,
    processes: availableParallelism() > 1 ? 2 : 1,
    flags: flagsOf(flags),
  });
  const text = formatSummary(report, { verbose: flags.verbose === true });
  const { exitCode } = report;
  return outputs.outcome(
    { exitCode, text, json: report, machine: formatReport(report), summarizes: true },
    {
      junit: () => formatJunit(report),
      html: () => parityPage({ report, charts: charts?.sides ?? [], settings, sections }),
    },
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
