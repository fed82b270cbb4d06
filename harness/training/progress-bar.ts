import { SingleBar } from 'cli-progress';
import type { BatchLog } from '../../scratch/index';
import type { EpochRecord } from './history';

/** Where a run stands, on stderr. */
export interface TrainingProgress {
  batch(log: BatchLog): void;
  /** a line that stays */ line(text: string): void;
  stop(): void;
}

/** A bar with examples/s, ETA, loss and accuracy on a terminal; elsewhere only the lines, and one now and then in long epochs. */
export function trainingProgress(epochs: number): TrainingProgress {
  return process.stderr.isTTY ? bar(epochs) : lines(epochs);
}

function bar(epochs: number): TrainingProgress {
  let current: SingleBar | undefined;
  let epoch = -1;
  let start = performance.now();
  let seen = 0;
  const close = (): void => {
    current?.stop();
    current = undefined;
  };
  return {
    batch: (log) => {
      if (current === undefined || log.epoch !== epoch) {
        close();
        epoch = log.epoch;
        start = performance.now();
        seen = 0;
        current = new SingleBar({
          format: `epoch ${epoch + 1}/${epochs} {bar} {value}/{total}  {rate} examples/s  ETA {left}  loss {loss}  accuracy {accuracy}`,
          stream: process.stderr,
          clearOnComplete: true,
          hideCursor: true,
          barsize: 20,
        });
        current.start(log.batches, log.batch, { rate: '-', left: '-', loss: '-', accuracy: '-' });
      }
      seen += log.batchSize;
      const seconds = (performance.now() - start) / 1000;
      const rate = seen / seconds;
      const { partial } = log.position;
      const perEpoch = (log.batches * partial.examples) / (log.batch + 1);
      const left = ((epochs - log.epoch) * perEpoch - partial.examples) / rate;
      current.update(log.batch + 1, {
        rate: Math.round(rate),
        left: duration(left),
        loss: (partial.loss / partial.examples).toFixed(4),
        accuracy: `${((100 * partial.correct) / partial.examples).toFixed(1)} %`,
      });
    },
    line: (text) => {
      close();
      process.stderr.write(`${text}\n`);
    },
    stop: close,
  };
}

/** A plain line at most this often. */
const lineEveryMs = 10_000;

function lines(epochs: number): TrainingProgress {
  let last = performance.now();
  return {
    batch: ({ epoch, batch, batches, position: { partial } }) => {
      if (performance.now() - last < lineEveryMs) return;
      last = performance.now();
      process.stderr.write(
        `epoch ${epoch + 1}/${epochs}, batch ${batch + 1}/${batches}: loss ${(partial.loss / partial.examples).toFixed(4)}\n`,
      );
    },
    line: (text) => {
      last = performance.now();
      process.stderr.write(`${text}\n`);
    },
    stop: () => undefined,
  };
}

function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-';
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** One epoch as one line; with two sides their losses stand side by side, then how far the weights have drifted. */
export function formatEpoch(record: EpochRecord, epochs: number): string {
  const { epoch, sides, seconds, agreement } = record;
  const [first, second] = sides;
  const start = `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`;
  if (sides.length === 1) {
    const { loss, accuracy, validationLoss, validationAccuracy } = first;
    const held =
      validationLoss === undefined || validationAccuracy === undefined
        ? ''
        : `  validation ${validationLoss.toFixed(4)} ${percent(validationAccuracy)}`;
    return `${start}  loss ${loss.toFixed(4)}  accuracy ${percent(accuracy)}${held}  ${seconds.toFixed(1)} s`;
  }
  const losses = `${first.name} ${first.loss.toFixed(8)}  ${second.name} ${second.loss.toFixed(8)}  difference ${(second.loss - first.loss).toExponential(1)}`;
  const held =
    first.validationAccuracy === undefined || second.validationAccuracy === undefined
      ? ''
      : `  validation ${percent(first.validationAccuracy)} ${percent(second.validationAccuracy)}`;
  const drift =
    agreement === undefined
      ? ''
      : `  drift ${agreement.drift.toExponential(1)} noise ${agreement.noise.toExponential(1)} ${agreement.verdict === 'rounding' ? 'ok' : 'PARTED'}`;
  return `${start}  ${losses}${held}${drift}  ${seconds.toFixed(1)} s`;
}
