import type { Tensor } from '../../scratch/index';
import { stagesOf, type Budget, type PrecisionModel, type Spread, type Stage } from '../budget/index';
import { compareTensor, type ExpectedTensor } from './compare-tensors';
import { explainByRounding } from './explain-by-rounding';
import { digitsLeft, judgeSignal } from './signal';
import { formulaInWords } from './tolerance';
import type { TensorVerdict } from './verdict';

/** Numbers to be judged, and what rounding can do to them. */
export interface JudgedNumbers {
  readonly implementation: string;
  readonly caseId: string;
  readonly name: string;
  readonly expected: Pick<ExpectedTensor, 'reference' | 'axes'>;
  readonly given: Tensor;
  readonly spread: Spread;
  readonly model: PrecisionModel;
  /** allowed to each number besides rounding */ readonly extra?: Float64Array;
  /** whether the root mean square is limited as well; default true without `extra` */ readonly mean?: boolean;
  /** the tolerance as a sentence */ readonly inWords: (stage?: Stage) => string;
}

/**
 * Judges numbers by what rounding can do to them (`explainByRounding`).
 *
 *     differs   rounding does not explain them
 *     ill       the budget is over 1 % of the signal, or sigma says nothing here and the rigorous bound holds
 *     zero      a signal that vanished below what single precision can hold; it was equal, but it could not show a fault
 *
 * @returns the verdict, and what each number may be off
 */
export function judgeNumbers(judged: JudgedNumbers): {
  readonly verdict: TensorVerdict;
  readonly allowed: Float64Array;
} {
  const { implementation, caseId, name, expected, given, spread, model, extra, inWords } = judged;
  const reference = expected.reference.data;
  const within = (allowed: Float64Array, stage?: Stage): TensorVerdict =>
    compareTensor(implementation, caseId, name, { ...expected, allowed, tolerance: inWords(stage) }, given);
  const none = new Float64Array(reference.length);
  const first = within(none);
  if (first.status === 'shape' || first.status === 'nothing') return { verdict: first, allowed: none };
  if (first.status === 'nan' || first.status === 'infinity') {
    const [{ allowed }] = stagesOf(spread);
    const verdict = within(allowed);
    const reason = `ill-conditioned: numbers of this problem exceed single precision's largest, 3.4e38; ${verdict.reason ?? ''}`;
    return { verdict: spread.overflow ? { ...verdict, status: 'ill', reason } : verdict, allowed };
  }
  const explanation = explainByRounding(reference, given.data, spread, {
    extra,
    ...(judged.mean !== undefined && { mean: judged.mean }),
  });
  const { allowed, stage } = explanation;
  const verdict = within(allowed, stage);
  const { digits, ...shown } = judgeSignal(reference, given.data, allowed, model);
  const result = { ...verdict, digits };
  if (explanation.status === 'explained') return { verdict: { ...result, ...shown }, allowed };
  const { reason } = explanation;
  if (explanation.status === 'beyond')
    return { verdict: { ...result, status: 'differs', ...(reason !== undefined && { reason }) }, allowed };
  const why = `ill-conditioned: ${reason ?? ''}; ${digitsLeft(digits)}`;
  return { verdict: { ...result, status: 'ill', reason: why }, allowed };
}

/** Judges one tensor of an answer by its error budget. */
export function judgeTensor(
  implementation: string,
  caseId: string,
  name: string,
  expected: ExpectedTensor,
  given: Tensor,
  budget: Budget,
): TensorVerdict {
  const { verdict } = judgeNumbers({
    implementation,
    caseId,
    name,
    expected,
    given,
    spread: budget.spread(name),
    model: budget.model,
    inWords: (stage) => formulaInWords(budget.model, stage),
  });
  if (verdict.digits === undefined) return verdict;
  return { ...verdict, needed: neededTolerance(expected.reference.data, given.data) };
}

/** The tolerance you would have needed: the smallest absolute one alone, and the smallest relative one alone. */
function neededTolerance(
  reference: Float64Array,
  given: ArrayLike<number>,
): { absolute: number; relative: number } {
  let absolute = 0;
  let relative = 0;
  reference.forEach((r, i) => {
    const error = Math.abs(given[i] - r);
    absolute = Math.max(absolute, error);
    if (error > 0) relative = Math.max(relative, error / Math.abs(r));
  });
  return { absolute, relative };
}
