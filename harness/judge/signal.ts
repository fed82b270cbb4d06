import { largest, rootMeanSquare } from '../base/magnitude';
import type { PrecisionModel } from '../budget/index';

/** Below this many significant digits a budget swallows the signal: it is more than 1 % of it. */
const fewestDigits = 2;

/** Below this magnitude a signal has vanished: single precision ends a few digits further down. */
const vanished = 1e-30;

/** What a comparison within the budget is worth. */
export interface SignalVerdict {
  /** significant digits that the budget leaves: log10(rms of reference / rms of allowed) */ readonly digits: number;
  /**
   * `zero`: nothing to see, either because signal and budget are beyond the format's reach or because both sides vanished, so
   * equal, but blind to faults; `ill`: rounding may swallow the signal
   */
  readonly status: 'pass' | 'zero' | 'ill';
  readonly reason?: string;
}

/** Judges what an answer within its budget shows, by the size of the signal compared with that of the budget. */
export function judgeSignal(
  reference: Float64Array,
  given: ArrayLike<number>,
  allowed: Float64Array,
  model: PrecisionModel,
): SignalVerdict {
  const signal = rootMeanSquare(reference);
  const budget = rootMeanSquare(allowed);
  const digits = Math.log10(signal / budget);
  const floor = model.tiny * 1e8;
  const lost = signal < floor && budget < floor;
  if (!lost && digits >= fewestDigits) return { digits, status: 'pass' };
  if (lost || (signal < vanished && largest(given) < vanished)) {
    const reason = 'the signal is zero or vanished: equal, but blind to faults here';
    return { digits, status: 'zero', reason };
  }
  const reason = `ill-conditioned: the budget is more than 1 % of the signal; ${digitsLeft(digits)}`;
  return { digits, status: 'ill', reason };
}

export function digitsLeft(digits: number): string {
  return digits > 0 ? `${digits.toFixed(1)} significant digits left` : 'no significant digit left';
}
