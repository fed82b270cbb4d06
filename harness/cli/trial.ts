import { Option, type Command } from 'commander';
import type { BackendName } from '../../src/index';
import type { OpenSide, SideName } from '../sides/index';
import type { Model } from '../base/problem';
import type { TrialReport } from '../trial/index';
import { BackendNotRunError, exitCodes, UsageError, type Outcome } from '../base/outcome';
import { stderrProgress } from '../base/stderr-progress';
import { argumentsOf, refuseIdle, type DefineCommand } from './command';
import * as options from './options';
import { checkOutputs, outputOf, withJson, type JsonFlag } from './outputs';

interface Flags {
  readonly backends?: string;
  readonly only?: string;
  readonly seed: number;
  readonly shapes: number;
  readonly seeds: number;
  readonly break: number;
  readonly json?: JsonFlag;
  readonly html?: string;
  readonly sensitivity?: BackendName;
  readonly functionErrors?: BackendName;
  readonly cases: number;
  readonly stride: number;
  readonly layers?: string;
  readonly equations?: string;
}

/** `rnn-parity trial` */
export const defineTrial: DefineCommand = (program, finish) => {
  const command = program
    .command('trial')
    .description('test the harness itself: plant every known fault, and count how many are caught and named');
  options
    .addOptions(command, [
      options.backendsOption('plant the faults in these, one after the other'),
      new Option(
        '--only <pattern>',
        'plant only faults whose name contains this text; * and ? are wildcards',
      ),
      options.seedOption('seed of the problems'),
      options.option('--shapes <n>', 'number of problem shapes for each fault', options.whole(1), 5),
      options.option('--seeds <n>', 'number of problems of each shape', options.whole(1), 3),
      options.option(
        '--break <percent>',
        'fail when fewer than this percentage of the faults are caught',
        options.number(0, 100),
        100,
      ),
      new Option(
        '--layers <list>',
        "plant in this network of layers, as 'lstm:4' or 'bidirectional(gru:8),lstm:8': every mistake in one place of its equations, --seeds times; with --sensitivity: in one layer of up to so many units",
      ),
      new Option(
        '--equations <cell>',
        'the same for a cell given as formulas: a module that exports it as `cell`, or one of simple-rnn, lstm, gru, gru-reset-after',
      ).conflicts('layers'),
      options.jsonOption('the whole matrix'),
      new Option('--html <file>', 'write the matrix as one page, readable offline'),
      new Option(
        '--sensitivity <backend>',
        'measure instead how often the judge blames a correct side, and the smallest fault that it finds (docs/tolerance.md)',
      )
        .choices(options.backendNames)
        .conflicts(['only', 'backends', 'html']),
      options.option(
        '--cases <n>',
        'with --sensitivity: number of generated problems',
        options.whole(1),
        1000,
      ),
      new Option(
        '--function-errors <backend>',
        "measure instead the errors of the backend's tanh, exp and log",
      )
        .choices(options.backendNames)
        .conflicts(['only', 'backends', 'html', 'sensitivity']),
      options.option(
        '--stride <n>',
        'with --function-errors: every n-th single-precision number; 1 is exhaustive',
        options.whole(1),
        61,
      ),
    ])
    .addHelpText(
      'after',
      `
Each fault is a few lines in harness/faults/, and docs/bptt.md explains it; docs/trial.md says how to read the matrix, which shows for
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
    )
    .action(async (flags: Flags, command: Command) => finish(await trial(flags, command)));
};

async function trial(flags: Flags, command: Command): Promise<Outcome> {
  const idle = (because: string, ...names: (keyof Flags)[]): void => {
    refuseIdle(command, because, names);
  };
  const whenPlanting = ['equations', 'shapes', 'seeds', 'break'] as const;
  if (flags.functionErrors !== undefined)
    idle('with --function-errors', 'layers', ...whenPlanting, 'cases', 'seed');
  else idle('without --function-errors', 'stride');
  if (flags.sensitivity !== undefined) idle('with --sensitivity', ...whenPlanting);
  else idle('without --sensitivity', 'cases');
  if (flags.layers !== undefined) idle('with --layers', 'shapes');
  if (flags.equations !== undefined) idle('with --equations', 'shapes');
  if (flags.functionErrors !== undefined) return functionErrors(flags.functionErrors, flags);
  if (flags.sensitivity !== undefined) return sensitivity(flags.sensitivity, flags);
  if (flags.layers !== undefined || flags.equations !== undefined) return layersTrial(flags, command);
  const { everyName } = await import('../trial/trial.js');
  const { runTrial } = await import('../trial/index.js');
  const { scratchImplementation, sideNames } = await import('../sides/index.js');
  return planting(flags, command, [everyName[0], everyName[40]], async (isWanted) => {
    if (!everyName.some(isWanted)) return undefined;
    const { hosts, notRun } = await openHosts(flags, sideNames);
    return {
      hosts,
      run: () =>
        runTrial({
          ...flags,
          ...{ hosts, notRun, isWanted, progress: stderrProgress },
          float64: { ...scratchImplementation(), name: 'float64 side' },
        }),
    };
  });
}

/** The trial of a network of layers, or of a cell that is given as formulas. */
async function layersTrial(flags: Flags, command: Command): Promise<Outcome> {
  const { layers = '', equations, backends } = flags;
  if (backends !== undefined && equations !== undefined)
    throw new UsageError(
      '--backends is for networks that the backends run; a cell that is given as formulas is planted in emulated single precision.',
    );
  const { emulatedHost, runLayersTrial } = await import('../trial/index.js');
  const { scratchImplementation } = await import('../sides/index.js');
  const model = await modelOf(layers, equations);
  const example = 'layer1, c_t: the factor σ(z_t[f]) is forgotten';
  return planting(flags, command, [example], async (isWanted) => {
    const { hosts, notRun } = backends === undefined ? { hosts: [], notRun: [] } : await openHosts(flags, []);
    const float64 = { ...scratchImplementation(), name: 'float64 side' };
    const sides = [...(equations === undefined ? [float64] : []), ...hosts.map((one) => one.implementation)];
    const able = sides.filter(
      ({ layered }) => layered !== undefined && layered.refuses?.(model) === undefined,
    );
    return {
      hosts,
      run: () =>
        runLayersTrial({
          ...flags,
          ...{ layers: equations ?? layers, model, notRun, isWanted, progress: stderrProgress },
          hosts: [emulatedHost(), ...able],
          ...(equations === undefined && { float64 }),
        }),
    };
  });
}

/**
 * Runs a trial, and writes what is asked for.
 *
 * @param examples names as `--only` takes them
 * @param prepare what to run, on opened hosts; undefined where no fault is wanted
 */
async function planting(
  { only, json, html: htmlFile }: Flags,
  command: Command,
  examples: readonly string[],
  prepare: (
    isWanted: (name: string) => boolean,
  ) => Promise<{ hosts: readonly OpenSide[]; run: () => Promise<TrialReport> } | undefined>,
): Promise<Outcome> {
  const { formatTrial, trialPage, trialTitle } = await import('../trial/index.js');
  const { isSelected } = await import('../parity/select.js');
  const html = outputOf('--html', htmlFile, `<title>${trialTitle}</title>`);
  await checkOutputs([...outputOf('--json', json, 'rnn-parity-trial/'), ...html]);
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
  return await withJson({ exitCode, text: formatTrial(report), json: report, summarizes: true }, json, [
    [html, () => trialPage(found, argumentsOf(command))],
  ]);
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

async function functionErrors(name: BackendName, { stride, json }: Flags): Promise<Outcome> {
  const { loadBackend } = await import('../../src/index.js');
  const { measureConstants } = await import('../sides/arithmetic/index.js');
  const errors = await measureConstants(await loadBackend(name), stride);
  return await withJson(
    { exitCode: exitCodes.parity, text: JSON.stringify(errors, null, 2), json: errors },
    json,
  );
}

async function sensitivity(name: BackendName, { cases, seed, json, layers }: Flags): Promise<Outcome> {
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
  const onProgress = (done: number): unknown => process.stderr.write(`${done} problems\n`);
  const side = tfjsImplementation(await loadBackend(name));
  const result = await measureSensitivity(side, { cases, seed, onProgress, layer });
  const exitCode = result.falseAlarms.length === 0 ? exitCodes.parity : exitCodes.mismatch;
  return await withJson({ exitCode, text: JSON.stringify(result, null, 2), json: result }, json);
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
