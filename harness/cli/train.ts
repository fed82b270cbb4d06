import { basename, join } from 'node:path';
import { Option } from 'commander';
import { stopOnInterrupt } from '../base/interrupt';
import { exitCodes, UsageError, type Outcome } from '../base/outcome';
import type { Metrics, TrainChoices, TrainResult } from '../training/index';
import type { TrainingProgress } from '../training/progress-bar';
import type { DefineCommand } from './command';
import { checkDataFlags, columnOptions, dataChoicesOf, given, group, type DataFlags } from './data-flags';
import * as options from './options';
import { checkKeepsInputs, checkOutputs, outputOf, runFiles, withJson, type JsonFlag } from './outputs';

interface Flags extends DataFlags, options.StateFlags {
  readonly model?: 'scratch' | 'tfjs' | 'graph' | 'both' | 'auto';
  readonly backend?: 'tensorflow' | 'wasm' | 'cpu';
  readonly gradients?: 'autodiff' | 'bptt';
  readonly units?: number;
  readonly layers?: string;
  readonly from?: string;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly optimizer?: 'sgd' | 'adam';
  readonly learningRate?: number;
  readonly decay?: 'linear' | 'none';
  readonly clipNorm?: number;
  readonly patience?: number;
  readonly seed?: number;
  readonly initializer?: 'keras' | 'notebook';
  readonly out?: string;
  readonly force?: boolean;
  readonly resume?: string;
  readonly checkpointSeconds: number;
  readonly tensorboard?: string;
  readonly json?: JsonFlag;
}

/** `rnn-parity train`. */
export const defineTrain: DefineCommand = (program, finish) => {
  const command = program
    .command('train')
    .description(
      'train a simple RNN or any network of layers: by hand, in TensorFlow.js, or both side by side on the same batches',
    )
    .addOption(
      new Option(
        '--data <source>',
        'digits, notebook, memory, or a .npz, .csv, .tsv or .jsonl file (default: digits)',
      ).helpGroup(group),
    )
    .addOption(
      new Option('--validation <share>', 'share of the examples kept for validation (default: 0.2)')
        .argParser(options.number())
        .helpGroup(group),
    )
    .addOption(
      new Option(
        '--standardize',
        'scale features to mean 0, standard deviation 1 (default for files)',
      ).helpGroup(group),
    )
    .addOption(
      new Option('--no-standardize', 'leave features as they are').helpGroup(group).default(undefined),
    );
  for (const option of [...columnOptions(), ...options.stateOptions()]) command.addOption(option);
  command
    .addOption(
      new Option('--time-steps <n>', 'for --data memory: steps from the symbol to the question (default: 20)')
        .argParser(options.number())
        .helpGroup(group),
    )
    .addOption(
      new Option('--examples <n>', 'for --data memory: number of sequences (default: 2000)')
        .argParser(options.number())
        .helpGroup(group),
    )
    .addOption(
      new Option(
        '--model <kind>',
        'what to train; auto: the fastest engine of this machine (default: auto)',
      ).choices(['scratch', 'tfjs', 'graph', 'both', 'auto']),
    )
    .addOption(
      new Option(
        '--backend <name>',
        'backend of the TensorFlow.js side (default: tensorflow); implies --model tfjs',
      ).choices(['tensorflow', 'wasm', 'cpu']),
    )
    .addOption(
      new Option(
        '--gradients <method>',
        'how tfjs obtains gradients: written by hand, or autodiff (default: bptt; with --model both: autodiff)',
      ).choices(['bptt', 'autodiff']),
    )
    .option('--units <n>', 'size of the recurrent state of the simple RNN (default: 128)', options.number())
    .option(
      '--layers <list>',
      "any other network, for example 'bidirectional(gru:32),lstm:64'; a dense layer of one unit a class is added",
    )
    .option(
      '--from <model>',
      'start from a model: its layers and weights; see docs/models.md for what is read',
    )
    .option('--epochs <n>', 'passes over the data (default: 12)', options.number())
    .option('--batch-size <n>', 'examples per update (default: 64)', options.number())
    .addOption(new Option('--optimizer <name>', 'update rule (default: adam)').choices(['sgd', 'adam']))
    .option('--learning-rate <x>', 'step size (default: 0.002)', options.number())
    .addOption(
      new Option(
        '--decay <kind>',
        'course of the learning rate over the epochs (default: linear, down to 0)',
      ).choices(['linear', 'none']),
    )
    .option(
      '--clip-norm <x>',
      'clip gradients to this global norm; 0: no clipping (default: 1)',
      options.number(),
    )
    .option(
      '--patience <n>',
      'stop after n epochs without a better validation loss and keep the best weights (default: 0, never)',
      options.number(),
    )
    .option(
      '--seed <n>',
      'seed of the split, the initial weights and the order of the examples (default: 1)',
      options.number(),
    )
    .addOption(
      new Option('--initializer <kind>', 'initial weights (default: keras)').choices(['keras', 'notebook']),
    )
    .option(
      '--out <dir>',
      'directory for the model, history and report (default: the first free runs/DATA-MODEL-n)',
    )
    .option('--force', 'replace the files of an earlier run in --out')
    .option('--resume <dir>', 'continue the run in this directory')
    .addOption(
      new Option('--checkpoint-seconds <x>', 'time between checkpoints within an epoch')
        .argParser(options.number())
        .default(30),
    )
    .option('--tensorboard <dir>', 'write event files for TensorBoard (needs the tensorflow backend)')
    .addOption(options.jsonOption('the result'))
    .addHelpText(
      'after',
      `
Defaults depend on the data; those shown are for digits (docs/training.md has the table).
Exit codes: 0 trained, 1 training diverged or the two sides disagreed, 2 usage, 3 the backend did not run, 130 interrupted.

Examples:
  rnn-parity train
  rnn-parity train --data mine.csv --label-column kind --out runs/mine
  rnn-parity train --data memory --layers 'bidirectional(gru:16),lstm:8' --epochs 5
  rnn-parity train --resume runs/mine`,
    )
    .action(async (flags: Flags) => finish(await train(flags)));
};

async function train(flags: Flags): Promise<Outcome> {
  const { trainingProgress } = await import('../training/progress-bar.js');
  const { formatEpoch } = await import('../training/epoch-line.js');
  const { openSummaries } = await import('../training/summaries.js');
  const { freeDirectory } = await import('../models/directory.js');
  const training = await import('../training/index.js');
  const directory = flags.resume ?? flags.out;
  await checkOutputs(outputOf('--json', flags.json, '"outcome"'), [
    ...(flags.data === undefined ? [] : [flags.data]),
    ...(directory === undefined ? [] : runFiles(directory)),
    ...(flags.from === undefined ? [] : [flags.from, ...runFiles(flags.from)]),
  ]);
  if (flags.resume !== undefined && (flags.out !== undefined || flags.force === true))
    throw new UsageError('--resume continues in its own directory; leave out --out and --force.');
  if (flags.force === true && flags.out === undefined)
    throw new UsageError(
      '--force replaces the files of a run in --out, and changes nothing without it; leave it out.',
    );
  if (flags.resume === undefined || flags.data !== undefined) checkDataFlags(flags, flags.data ?? 'digits');
  if (directory !== undefined && flags.data !== undefined)
    await checkKeepsInputs(directory, { '--data': flags.data });
  const choices = choicesOf(flags);
  const source = basename(choices.data?.source ?? 'digits').replace(/\W+/g, '-');
  const named = flags.resume ?? flags.out;
  const free =
    named === undefined ? await freeDirectory([source, choices.model].filter(Boolean).join('-')) : undefined;
  const out = named ?? free?.directory ?? '';
  const summaries = flags.tensorboard === undefined ? undefined : await openSummaries(flags.tensorboard);
  const stop = stopOnInterrupt('finishing the batch and saving a checkpoint');
  let progress: TrainingProgress | undefined;
  let epochs = 0;
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  try {
    const result = await training.train(choices, {
      out,
      force: flags.force ?? false,
      resume: flags.resume !== undefined,
      reading: { nonlinearity: flags.nonlinearity, steps: flags.steps },
      checkpointSeconds: flags.checkpointSeconds,
      signal: stop.signal,
      say,
      onStart: (settings) => {
        epochs = settings.epochs;
        progress = trainingProgress(epochs);
      },
      onBatch: (log) => progress?.batch(log),
      onEpoch: (record) => {
        progress?.line(formatEpoch(record, epochs));
        summaries?.write(record);
      },
    });
    progress?.stop();
    summaries?.flush();
    result.dispose();
    return await outcomeOf(result, out, flags);
  } finally {
    progress?.stop();
    stop.dispose();
    await free?.removeEmpty();
  }
}

async function outcomeOf(result: TrainResult, out: string, flags: Flags): Promise<Outcome> {
  const { outcome, reason, history, settings, data, sideMetrics, seconds } = result;
  const json = {
    outcome,
    reason,
    out,
    settings,
    data: data.identity,
    seconds,
    history,
    results: sideMetrics,
  };
  const exitCode =
    outcome === 'finished'
      ? exitCodes.parity
      : outcome === 'interrupted'
        ? exitCodes.interrupted
        : exitCodes.mismatch;
  const { formatMetrics } = await import('../training/index.js');
  const text = describe(result, out, formatMetrics);
  return withJson({ exitCode, text, json, summarizes: true }, flags.json);
}

function describe(
  { outcome, reason, sideMetrics = [], seconds, history, best }: TrainResult,
  out: string,
  formatMetrics: (metrics: Metrics) => string,
): string {
  if (outcome === 'interrupted')
    return `interrupted; a checkpoint is in ${out}. Continue with: rnn-parity train --resume ${out}`;
  if (outcome !== 'finished') return reason ?? outcome;
  const lines = sideMetrics.map(
    ({ name, metrics }) =>
      (sideMetrics.length > 1 ? `${name}: ` : '') + formatMetrics(metrics).split('\n')[0],
  );
  const [first] = sideMetrics;
  const agreement = history.at(-1)?.agreement;
  return [
    ...lines,
    ...(agreement
      ? [
          `both sides learned the same within rounding: weights drifted apart by ${agreement.drift.toExponential(1)}, float32 noise reaches ${agreement.noise.toExponential(1)}`,
        ]
      : []),
    ...(best ? [`the weights are those of epoch ${best.epoch}, the best on the validation part`] : []),
    ...formatMetrics(first.metrics).split('\n').slice(1),
    '',
    `${history.length} ${history.length === 1 ? 'epoch' : 'epochs'}, ${seconds.toFixed(1)} s in this session; model, history, settings and report are in ${out} (open ${join(out, 'report.html')})`,
  ].join('\n');
}

/** The flags as choices; what is not given stays open. */
function choicesOf(flags: Flags): TrainChoices {
  const own = [
    'model',
    'backend',
    'gradients',
    'units',
    'layers',
    'from',
    'epochs',
    'batchSize',
    'optimizer',
    'learningRate',
    'decay',
    'clipNorm',
    'patience',
    'seed',
    'initializer',
  ] as const;
  return { ...given(flags, own), data: dataChoicesOf(flags) };
}
