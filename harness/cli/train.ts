import { basename, join } from 'node:path';
import { stopOnInterrupt } from '../base/interrupt';
import { exitCodes, UsageError } from '../base/outcome';
import type { Metrics, TrainResult } from '../training/index';
import type { TrainingProgress } from '../training/progress-bar';
import { defineCommand } from './command';
import { checkDataFlags, dataChoicesOf, dataFlags, given } from './data-flags';
import { backendNames, choice, jsonFlag, number, option, stateFlags, text, yes } from './options';
import { checkKeepsInputs, openOutputs, runFiles, say } from './outputs';

/** What is trained, and how; what is not given stays open. */
const choiceFlags = {
  model: choice('--model <kind>', 'what to train; auto: the fastest engine of this machine (default: auto)', [
    'scratch',
    'tfjs',
    'graph',
    'both',
    'auto',
  ]),
  backend: choice(
    '--backend <name>',
    'backend of the TensorFlow.js side (default: tensorflow); implies --model tfjs',
    backendNames,
  ),
  gradients: choice(
    '--gradients <method>',
    'how tfjs obtains gradients: written by hand, or autodiff (default: bptt; with --model both: autodiff)',
    ['bptt', 'autodiff'],
  ),
  units: option('--units <n>', 'size of the recurrent state of the simple RNN (default: 128)', number()),
  layers: text(
    '--layers <list>',
    "any other network, for example 'bidirectional(gru:32),lstm:64'; a dense layer of one unit a class is added",
  ),
  from: text(
    '--from <model>',
    'start from a model: its layers and weights; see docs/models.md for what is read',
  ),
  epochs: option('--epochs <n>', 'passes over the data (default: 12)', number()),
  batchSize: option('--batch-size <n>', 'examples per update (default: 64)', number()),
  optimizer: choice('--optimizer <name>', 'update rule (default: adam)', ['sgd', 'adam']),
  learningRate: option('--learning-rate <x>', 'step size (default: 0.002)', number()),
  decay: choice(
    '--decay <kind>',
    'course of the learning rate over the epochs (default: linear, down to 0)',
    ['linear', 'none'],
  ),
  clipNorm: option(
    '--clip-norm <x>',
    'clip gradients to this global norm; 0: no clipping (default: 1)',
    number(),
  ),
  patience: option(
    '--patience <n>',
    'stop after n epochs without a better validation loss and keep the best weights (default: 0, never)',
    number(),
  ),
  seed: option(
    '--seed <n>',
    'seed of the split, the initial weights and the order of the examples (default: 1)',
    number(),
  ),
  initializer: choice('--initializer <kind>', 'initial weights (default: keras)', ['keras', 'notebook']),
};

export const defineTrain = defineCommand({
  name: 'train',
  description:
    'train a simple RNN or any network of layers: by hand, in TensorFlow.js, or both side by side on the same batches',
  flags: {
    ...dataFlags,
    ...stateFlags,
    ...choiceFlags,
    out: text(
      '--out <dir>',
      'directory for the model, history and report (default: the first free runs/DATA-MODEL-n)',
    ),
    force: yes('--force', 'replace the files of an earlier run in --out'),
    resume: text('--resume <dir>', 'continue the run in this directory'),
    checkpointSeconds: option(
      '--checkpoint-seconds <x>',
      'time between checkpoints within an epoch',
      number(),
    ).default(30),
    tensorboard: text(
      '--tensorboard <dir>',
      'write event files for TensorBoard (needs the tensorflow backend)',
    ),
    json: jsonFlag('the result'),
  },
  help: `Defaults depend on the data; those shown are for digits (docs/training.md has the table).
Exit codes: 0 trained, 1 training diverged or the two sides disagreed, 2 usage, 3 the backend did not run, 130 interrupted.

Examples:
  rnn-parity train
  rnn-parity train --data mine.csv --label-column kind --out runs/mine
  rnn-parity train --data memory --layers 'bidirectional(gru:16),lstm:8' --epochs 5
  rnn-parity train --resume runs/mine`,
  async run(flags) {
    const { formatEpoch, trainingProgress } = await import('../training/progress-bar.js');
    const { openSummaries } = await import('../training/summaries.js');
    const { freeDirectory } = await import('../models/directory.js');
    const { formatMetrics, train } = await import('../training/index.js');
    const { data, force = false, from, nonlinearity, resume, steps, tensorboard } = flags;
    const named = resume ?? flags.out;
    const outputs = await openOutputs(flags, { json: '"outcome"' }, [
      ...(data === undefined ? [] : [data]),
      ...(named === undefined ? [] : runFiles(named)),
      ...(from === undefined ? [] : [from, ...runFiles(from)]),
    ]);
    if (resume !== undefined && (flags.out !== undefined || force))
      throw new UsageError('--resume continues in its own directory; leave out --out and --force.');
    if (force && flags.out === undefined)
      throw new UsageError(
        '--force replaces the files of a run in --out, and changes nothing without it; leave it out.',
      );
    if (resume === undefined || data !== undefined) checkDataFlags(flags, data ?? 'digits');
    if (named !== undefined && data !== undefined) await checkKeepsInputs(named, { '--data': data });
    const names = Object.keys(choiceFlags) as (keyof typeof choiceFlags)[];
    const choices = { ...given(flags, names), data: dataChoicesOf(flags) };
    const source = basename(data ?? 'digits').replace(/\W+/g, '-');
    const free =
      named === undefined
        ? await freeDirectory([source, choices.model].filter(Boolean).join('-'))
        : undefined;
    const out = named ?? free?.directory ?? '';
    const summaries = tensorboard === undefined ? undefined : await openSummaries(tensorboard);
    const stop = stopOnInterrupt('finishing the batch and saving a checkpoint');
    let progress: TrainingProgress | undefined;
    let epochs = 0;
    try {
      const result = await train(choices, {
        ...{ out, force, say, signal: stop.signal, checkpointSeconds: flags.checkpointSeconds },
        resume: resume !== undefined,
        reading: { nonlinearity, steps },
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
      const { outcome, reason, history, settings, seconds, sideMetrics: results } = result;
      const identity = result.data.identity;
      return await outputs.outcome({
        exitCode: exitCodeOf[outcome],
        text: describe(result, out, formatMetrics),
        json: { outcome, reason, out, settings, data: identity, seconds, history, results },
        summarizes: true,
      });
    } finally {
      progress?.stop();
      stop.dispose();
      await free?.removeEmpty();
    }
  },
});

const exitCodeOf = {
  finished: exitCodes.parity,
  interrupted: exitCodes.interrupted,
  parted: exitCodes.mismatch,
  diverged: exitCodes.mismatch,
} as const;

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
