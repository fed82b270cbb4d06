import type { Precision } from '../base/problem';

/**
 * How one tensor of one answer fared. `pass`, `zero` (equal, but the signal vanished, so that it is blind to faults) and `omitted`
 * (declared beforehand, counted, never compared) pass; `ill` (ill-conditioned: rounding may swallow the signal, so the comparison
 * says nothing) is neither a pass nor a mismatch; everything else fails.
 */
export type TensorStatus =
  | 'pass'
  | 'zero'
  | 'omitted'
  | 'ill'
  | 'differs'
  | 'nan'
  | 'infinity'
  | 'missing'
  | 'extra'
  | 'shape'
  | 'nothing';

/** The side being judged. */
export interface Side {
  /** `tfjs:wasm`, a candidate's name */ readonly name: string;
  readonly precision: Precision;
}

/** Where a number stands, by what the axes of its tensor count. */
export type Place = Readonly<Record<string, number | string>>;

/** One element, given by position, values and bound. */
export interface WorstElement {
  /** position along each axis, counted from 0 */ readonly index: readonly number[];
  /** the same with the axes named: `{ example: 2, timeStep: 4, unit: 0 }`, with gates `{ feature: 1, gate: 'f', unit: 0 }` */
  readonly at: Place;
  /** what the reference says */ readonly reference: number;
  /** what the judged side says */ readonly given: number;
  /** |given - reference| */ readonly error: number;
  /** the largest error this element may have */ readonly allowed: number;
  /** error / allowed: above 1 fails; 0.02 means that a fiftieth of the tolerance was used */
  readonly usedShare: number;
}

export interface TensorVerdict {
  readonly implementation: string;
  readonly caseId: string;
  /** dotted name, as in the vectors format */ readonly tensor: string;
  readonly status: TensorStatus;
  /** why it fails, in words, with numbers */ readonly reason?: string;
  /** elements the ledger expects of this tensor */ readonly elements: number;
  /** elements that were really compared */ readonly compared: number;
  /** elements beyond their tolerance */ readonly beyond: number;
  /** the element that used most of its tolerance; absent where no numbers were compared */
  readonly worst?: WorstElement;
  /** where the tolerance comes from */ readonly tolerance?: string;
  /** significant digits that the tolerance leaves of the signal: log10(rms of reference / rms of allowed) */
  readonly digits?: number;
  /** the tolerance you would have needed: smallest absolute one alone, smallest relative one alone */
  readonly needed?: { readonly absolute: number; readonly relative: number };
}

/** Every expected element is compared or declared omitted; anything else fails. */
export interface Ledger {
  readonly expected: number;
  readonly compared: number;
  readonly omitted: number;
}

export interface CaseVerdict {
  readonly implementation: string;
  /** the side it was compared with */ readonly against: string;
  readonly caseId: string;
  /** `ill`: nothing fails, but something is ill-conditioned */
  readonly status: 'pass' | 'ill' | 'fail';
  readonly tensors: readonly TensorVerdict[];
  readonly ledger: Ledger;
}

/** Whether a tensor's verdict is green. */
export function isGreen(verdict: TensorVerdict): boolean {
  return verdict.status === 'pass' || verdict.status === 'zero' || verdict.status === 'omitted';
}

/** Whether a tensor's verdict is a mismatch: neither green nor ill-conditioned. */
export function isFailing(verdict: TensorVerdict): boolean {
  return !isGreen(verdict) && verdict.status !== 'ill';
}

/** `example 2, time step 4, unit 0` for messages; empty for a scalar. */
export function formatPlace(at: Place): string {
  const words: Readonly<Record<string, string>> = { timeStep: 'time step', fromUnit: 'from unit' };
  return Object.entries(at)
    .map(([axis, i]) => `${words[axis] ?? axis} ${i}`)
    .join(', ');
}

/** A case's verdict from those of its tensors: a pass only when something was compared or declared, and nothing fails. */
export function caseVerdict(
  caseId: string,
  implementation: string,
  against: string,
  tensors: readonly TensorVerdict[],
): CaseVerdict {
  const nothing = tensors.length === 0;
  const all: readonly TensorVerdict[] = nothing
    ? [
        {
          implementation,
          caseId,
          tensor: '(none)',
          status: 'nothing',
          reason: 'nothing was compared: this case asks for no tensor at all',
          elements: 0,
          compared: 0,
          beyond: 0,
        },
      ]
    : tensors;
  const ledger = {
    expected: sum(all, (t) => t.elements),
    compared: sum(all, (t) => t.compared),
    omitted: sum(all, (t) => (t.status === 'omitted' ? t.elements : 0)),
  };
  const complete = ledger.expected === ledger.compared + ledger.omitted;
  const fails = !complete || all.some(isFailing);
  const status = fails ? 'fail' : all.every(isGreen) ? 'pass' : 'ill';
  return { implementation, against, caseId, status, tensors: all, ledger };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Failed by wrong numbers: a tensor that is missing, of another shape or no tensor at all tells its own reason. */
export function isOfNumbers(verdicts: readonly CaseVerdict[]): boolean {
  const statuses = new Set(verdicts.flatMap(({ tensors }) => tensors.map(({ status }) => status)));
  const numbers = ['differs', 'nan', 'infinity'] as const;
  const explained = ['missing', 'extra', 'shape', 'nothing'] as const;
  return numbers.some((status) => statuses.has(status)) && !explained.some((status) => statuses.has(status));
}
