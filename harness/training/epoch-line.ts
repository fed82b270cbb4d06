import type { EpochRecord } from './history';

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
