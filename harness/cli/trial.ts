import type { BackendName } from '../../src/index';
import type { OpenSide, SideName } from '../sides/index';
import type { Model } from '../base/problem';
import type { TrialReport } from '../trial/index';
import { BackendNotRunError, exitCodes, UsageError, type Outcome } from '../base/outcome';
import { stderrProgress } from '../base/stderr-progress';
import { defineCommand, type FlagsOf } from './command';
import * as options from './options';
import { openOutputs, say } from './outputs';

const { backendNames, choice, number, option, text, whole } = options;

const table = {
  backends: options.backendsFlag('plant the faults in these, one after the other'),
  only: options.onlyFlag('plant only faults whose name'),
  seed: options.seedFlag('seed of the problems'),
  shapes: option('--shapes <n>', 'number of problem shapes for each fault', whole(1)).default(5),
  seeds: option('--seeds <n>', 'number of problems of each shape', whole(1)).default(3),
  break: option(
    '--break <percent>',
    'fail when fewer than this percentage of the faults are caught',
    number(0, 100),
  ).default(100),
  layers: text(
    '--layers <list>',
    "plant in this network of layers, as 'lstm:4' or 'bidirectional(gru:8),lstm:8': every mistake in one place of its equations, --seeds times; with --sensitivity: in one layer of up to so many units",
  ),
  equations: text(
    '--equations <cell>',
    'the same for a cell given as formulas: a module that exports it as `cell`, or one of simple-rnn, lstm, gru, gru-reset-after',
  ).conflicts('layers'),
  json: options.jsonFlag('the whole matrix'),
  html: text('--html <file>', 'write the matrix as one page, readable offline'),
  sensitivity: choice(
    '--sensitivity <backend>',
    'measure instead how often the judge blames a correct side, and the smallest fault that it finds (docs/tolerance.md)',
    backendNames,
  ).conflicts(['only', 'backends', 'html']),
  cases: option('--cases <n>', 'with --sensitivity: number of generated problems', whole(1)).default(1000),
  functionErrors: choice(
    '--function-errors <backend>',
    "measure instead the errors of the backend's tanh, exp and log",
    backendNames,
  ).conflicts(['only', 'backends', 'html', 'sensitivity']),
  stride: option(
    '--stride <n>',
    'with --function-errors: every n-th single-precision number; 1 is exhaustive',
    whole(1),
  ).default(61),
};
type Flags = FlagsOf<typeof table>;

export const defineTrial = defineCommand({
  name: 'trial',
  description: 'test the harness itself: plant every known fault, and count how many are caught and named',
  flags: table,
  help: `Each fault is a few lines in harness/faults/, and docs/bptt.md explains it; docs/trial.md says how to read the matrix, which shows for
each fault how often it was planted, how often it was caught (by results, step by step, by the weight probe, by asking again, by the
updates of a training check, by the referees), how often it was located, and whether the side and the fault class were named correctly.
A file that exists is replaced only if it is an earlier report of the same kind.

Exit codes: 0 passed, 1 fewer than --break per cent caught or something correct was blamed, 2 usage or harness error,
3 a backend of --backends did not run.

Examples:
  rnn-parity trial
  rnn-parity trial --only 'carry/*' --backends cpu
  rnn-parity trial --shapes 1 --seeds 1 --json trial.json --html trial.html
  rnn-parity trial --layers 'bidirectional(gru:3),lstm:3' --seeds 1
  rnn-parity trial --layers gru:3 --backends wasm,graph
  rnn-parity trial --equations my-cell.ts --json trial.json
  rnn-parity trial --sensitivity wasm --cases 3000 --seed 301
  rnn-parity trial --sensitivity wasm --layers lstm:24 --cases 3000
  rnn-parity parity --html parity.html --trial trial.json`,
  async run(flags, { line, refuseIdle: idle }) {
    const { functionErrors: measured, layers, equations, sensitivity: asked } = flags;
    const planting = ['equations', 'shapes', 'seeds', 'break'] as const;
    if (measured === undefined) idle('without --function-errors', 'stride');
    else idle('with --function-errors', 'layers', ...planting, 'cases', 'seed');
    if (asked === undefined) idle('without --sensitivity', 'cases');
    else idle('with --sensitivity', ...planting);
    if (layers !== undefined) idle('with --layers', 'shapes');
    if (equations !== undefined) idle('with --equations', 'shapes');
    if (measured !== undefined) return functionErrors(measured, flags);
    if (asked !== undefined) return sensitivity(asked, flags);
    return (layers === undefined && equations === undefined ? suiteTrial : layersTrial)(flags, line);
  },
});

async function suiteTrial(flags: Flags, line: readonly string[]): Promise<Outcome> {
  const { everyName } = await import('../trial/trial.js');
  const { runTrial } = await import('../trial/index.js');
  const { scratchImplementation, sideNames } = await import('../sides/index.js');
  return plantFaults(flags, line, [everyName[0], everyName[40]], async (isWanted) => {
    if (!everyName.some(isWanted)) return undefined;
    const { hosts, notRun } = await openHosts(flags, sideNames);
    const float64 = { ...scratchImplementation(), name: 'float64 side' };
    const run = () => runTrial({ ...flags, hosts, notRun, isWanted, progress: stderrProgress, float64 });
    return { hosts, run };
  });
}

/** The trial of a network of layers, or of a cell that is given as formulas. */
async function layersTrial(flags: Flags, line: readonly string[]): Promise<Outcome> {
  const { layers = '', equations, backends } = flags;
  if (backends !== undefined && equations !== undefined)
    throw new UsageError(
      '--backends is for networks that the backends run; a cell that is given as formulas is planted in emulated single precision.',
    );
  const { emulatedHost, runLayersTrial } = await import('../trial/index.js');
  const { scratchImplementation } = await import('../sides/index.js');
  const model = await modelOf(layers, equations);
  const example = 'layer1, c_t: the factor σ(z_t[f]) is forgotten';
  return plantFaults(flags, line, [example], async (isWanted) => {
    const { hosts, notRun } = backends === undefined ? { hosts: [], notRun: [] } : await openHosts(flags, []);
    const float64 = { ...scratchImplementation(), name: 'float64 side' };
    const sides = [...(equations === undefined ? [float64] : []), ...hosts.map((one) => one.implementation)];
    const able = sides.filter(
      ({ layered }) => layered !== undefined && layered.refuses?.(model) === undefined,
    );
    const run = () =>
      runLayersTrial({
        ...{ ...flags, layers: equations ?? layers, model, notRun, isWanted, progress: stderrProgress },
        hosts: [emulatedHost(), ...able],
        ...(equations === undefined && { float64 }),
      });
    return { hosts, run };
  });
}

/**
 * Runs a trial, and writes what is asked for.
 *
 * @param examples names as `--only` takes them
 * @param prepare what to run, on opened hosts; undefined where no fault is wanted
 */
async function plantFaults(
  flags: Flags,
  line: readonly string[],
  examples: readonly string[],
  prepare: (
    isWanted: (name: string) => boolean,
  ) => Promise<{ hosts: readonly OpenSide[]; run: () => Promise<TrialReport> } | undefined>,
): Promise<Outcome> {
  const { formatTrial, trialPage, trialTitle } = await import('../trial/index.js');
  const { isSelected } = await import('../parity/select.js');
  const marks = { json: 'rnn-parity-trial/', html: `<title>${trialTitle}</title>` };
  const outputs = await openOutputs(flags, marks);
  const { only } = flags;
  const prepared = await prepare((name) => isSelected(name, only));
  let report: TrialReport | undefined;
  try {
    report = await prepared?.run();
  } finally {
    for (const { implementation } of prepared?.hosts ?? []) implementation.dispose?.();
  }
  if (report === undefined || report.rows.length + report.equivalents.length + report.heldOut.length === 0)
    throw new UsageError(
      `no fault matches --only ${JSON.stringify(only)}; names look like ${examples.map((name) => JSON.stringify(name)).join(', ')} (a part of a name is enough, * and ? are wildcards).`,
    );
  const found = report;
  const exitCode = report.exitCode === 0 ? exitCodes.parity : exitCodes.mismatch;
  return outputs.outcome(
    { exitCode, text: formatTrial(report), json: report, summarizes: true },
    { html: () => trialPage(found, line) },
  );
}

/** Sizes of what the command line leaves open: 3 inputs, 4 units of a cell that is given as formulas, 3 classes. */
async function modelOf(layers: string, equations: string | undefined): Promise<Model> {
  const { parseLayers } = await import('../base/layers-text.js');
  const dense = { layer: 'dense', units: 3 } as const;
  if (equations !== undefined) {
    const { textOfCell } = await import('../equations/index.js');
    const { findCell } = await import('./equations.js');
    const cell = textOfCell(await findCell(equations));
    return { features: 3, layers: [{ layer: 'cell', cell, units: 4 }, dense] };
  }
  const { modelOfLayers } = await import('../problems/index.js');
  const { layers: made } = modelOfLayers(parseLayers(layers, '--layers'), '--layers');
  const isOpen = !['dense', 'timeDistributed'].includes(made[made.length - 1].layer);
  const features = made[0].layer === 'embedding' ? {} : { features: 3 };
  return { ...features, layers: [...made, ...(isOpen ? [dense] : [])] };
}

async function functionErrors(name: BackendName, flags: Flags): Promise<Outcome> {
  const outputs = await openOutputs(flags, { json: '"rootMeanSquare"' });
  const { loadBackend } = await import('../../src/index.js');
  const { measureConstants } = await import('../sides/arithmetic/index.js');
  const errors = await measureConstants(await loadBackend(name), flags.stride);
  const text = JSON.stringify(errors, null, 2);
  return outputs.outcome({ exitCode: exitCodes.parity, text, json: errors });
}

async function sensitivity(name: BackendName, flags: Flags): Promise<Outcome> {
  const { cases, seed, layers } = flags;
  const outputs = await openOutputs(flags, { json: '"falseAlarms"' });
  const { parseLayers } = await import('../base/layers-text.js');
  const own = layers === undefined ? [] : parseLayers(layers, '--layers');
  const layer = own.find((one) => one.layer === 'simpleRNN' || one.layer === 'lstm' || one.layer === 'gru');
  if (own.length > 1 || own.some((one) => one !== layer))
    throw new UsageError(
      `--layers ${JSON.stringify(layers)} with --sensitivity: expected one recurrent layer with its largest number of units, as lstm:24.`,
    );
  const { loadBackend } = await import('../../src/index.js');
  const { measureSensitivity } = await import('../trial/sensitivity.js');
  const { tfjsImplementation } = await import('../sides/index.js');
  const onProgress = (done: number): void => say(`${done} problems`);
  const side = tfjsImplementation(await loadBackend(name));
  const result = await measureSensitivity(side, { cases, seed, onProgress, layer });
  const exitCode = result.falseAlarms.length === 0 ? exitCodes.parity : exitCodes.mismatch;
  return outputs.outcome({ exitCode, text: JSON.stringify(result, null, 2), json: result });
}

async function openHosts(
  { backends }: Flags,
  usual: readonly SideName[],
): Promise<{ hosts: OpenSide[]; notRun: TrialReport['notRun'] }> {
  const { parseSideNames, sideSource, SideUnavailableError } = await import('../sides/index.js');
  const { rememberAnswers } = await import('../trial/index.js');
  const required = backends !== undefined;
  const names = backends === undefined ? usual : parseSideNames(backends);
  const hosts: OpenSide[] = [];
  const notRun: { name: string; reason: string }[] = [];
  for (const name of names) {
    try {
      const side = await sideSource(name, required).open();
      hosts.push(side.isElsewhere === true ? rememberAnswers(side) : side);
    } catch (error) {
      if (!(error instanceof SideUnavailableError)) throw error;
      if (required) throw new BackendNotRunError(`--backends ${name}: ${error.message}`, { cause: error });
      notRun.push({ name, reason: error.message });
    }
  }
  if (hosts.length === 0)
    throw new BackendNotRunError('no backend could be opened, so that there is nothing to plant a fault in.');
  return { hosts, notRun };
}
