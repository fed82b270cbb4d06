import { basename } from 'node:path';
import { writeFileAtomic } from '../base/files/index';
import { stopOnInterrupt } from '../base/interrupt';
import { exitCodes, UsageError, type Outcome } from '../base/outcome';
import { choicesOf, type TrainFlags } from './train';
import { freeDirectory } from '../models/directory';
import { formatEpoch } from '../training/epoch-line';
import { formatMetrics } from '../training/metrics';
import { trainingProgress, type TrainingProgress } from '../training/progress-bar';
import { openSummaries } from '../training/summaries';
import { train, type TrainResult } from '../training/train';

/** Runs `rnn-parity train`: progress on stderr, the result as text. */
export async function trainCommand(flags: TrainFlags): Promise<Outcome> {
  if (flags.resume !== undefined && (flags.out !== undefined || flags.force === true))
    throw new UsageError('--resume continues in its own directory; leave out --out and --force.');
  const choices = choicesOf(flags);
  const source = basename(choices.data?.source ?? 'digits').replace(/\W+/g, '-');
  const out = flags.resume ?? flags.out ?? freeDirectory(`${source}-${choices.model ?? 'tfjs'}`);
  const summaries = flags.tensorboard === undefined ? undefined : await openSummaries(flags.tensorboard);
  const stop = stopOnInterrupt('finishing the batch and saving a checkpoint');
  let progress: TrainingProgress | undefined;
  let epochs = 0;
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  try {
    const result = await train(choices, {
      out,
      force: flags.force ?? false,
      resume: flags.resume !== undefined,
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
  }
}

async function outcomeOf(result: TrainResult, out: string, flags: TrainFlags): Promise<Outcome> {
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
  const text = describe(result, out);
  if (flags.json === undefined) return { exitCode, text, json };
  const machine = `${JSON.stringify(json, undefined, 2)}\n`;
  if (flags.json === true) {
    process.stderr.write(`${reason ?? ''}${reason === undefined ? '' : '\n'}`);
    return { exitCode, text: machine, json };
  }
  await writeFileAtomic(flags.json, machine);
  return { exitCode, text, json };
}

function describe(
  { outcome, reason, sideMetrics = [], seconds, history, best }: TrainResult,
  out: string,
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
    `${history.length} epochs, ${seconds.toFixed(1)} s in this session; model, history, settings and report are in ${out} (open ${out}/report.html)`,
  ].join('\n');
}
