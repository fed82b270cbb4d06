import type { Tensor } from '../../scratch/index';
import type { TensorName } from '../base/problem';
import { deviationsInMean, fewestDeviationsInMean, type Budget, rootMeanSquare } from '../budget/index';
import { compareTensor, type ExpectedTensor } from './compare-tensors';
import { digitsLeft, judgeSignal } from './signal';
import { formulaInWords } from './tolerance';
import type { TensorVerdict } from './verdict';

/**
 * Where emulated runs scatter so much more than sigma, sigma misses what happens: the tolerance would rest on eight samples of a single
 * cause, and a ninth is beyond 10/3 of the largest of them now and then.
 */
const mostInflation = 30;

/**
 * Judges one tensor by its error budget, in stages: the plain budget first; only an answer beyond it is worth the emulated
 * float32 runs that measure how far honest runs scatter here (`inflation`).
 *
 *     differs   an element beyond min(bound, 10 c sigma), or the tensor's root mean square beyond 5 c_rms (more where errors go together)
 *     ill       the budget is over 1 % of the signal, or sigma says nothing (no longer linear, or far too small for the emulated runs)
 *               and the rigorous bound holds
 *     zero      a signal that vanished below what single precision can hold; it was equal, but it could not show a fault
 */
export function judgeTensor(
  implementation: string,
  caseId: string,
  name: TensorName,
  expected: ExpectedTensor,
  given: Tensor,
  budget: Budget,
): TensorVerdict {
  const within = (allowed: Float64Array, tolerance: string): TensorVerdict =>
    compareTensor(implementation, caseId, name, { ...expected, allowed, tolerance }, given);
  const reference = expected.reference.data;
  const sigma = budget.sigma[name];
  let allowed = budget.allowed(name, false);
  let verdict = within(allowed, formulaInWords(budget, 1));
  if (verdict.status === 'nan' || verdict.status === 'infinity') {
    return budget.overflow
      ? {
          ...verdict,
          status: 'ill',
          reason: `ill-conditioned: numbers of this problem exceed single precision's largest, 3.4e38; ${verdict.reason ?? ''}`,
        }
      : verdict;
  }
  if ((verdict.status !== 'pass' && verdict.status !== 'differs') || sigma === undefined) return verdict;
  // equal elements count as 0 even where sigma is 0
  const mean = rootMeanSquare(
    reference.map((r, i) => (given.data[i] === r ? 0 : (given.data[i] - r) / sigma[i])),
  );
  if (verdict.status === 'differs' || !(mean <= fewestDeviationsInMean)) {
    const inflation = budget.inflation(name);
    allowed = budget.allowed(name, true);
    verdict = within(allowed, formulaInWords(budget, inflation.largest));
    const allowedMean = deviationsInMean(inflation) * inflation.rms;
    if (verdict.status === 'pass' && !(mean <= allowedMean)) {
      verdict = {
        ...verdict,
        status: 'differs',
        reason: `every element is within the tolerance, but their root mean square is ${mean.toPrecision(3)} standard deviations; ${allowedMean.toPrecision(3)} are allowed`,
      };
    }
  }
  const { digits, ...shown } = judgeSignal(reference, given.data, allowed, budget.model);
  const result = { ...verdict, digits, needed: neededTolerance(reference, given.data) };
  if (result.status !== 'differs') return { ...result, ...shown };
  const rigorous = budget.bound[name];
  const possible =
    rigorous !== undefined && reference.every((r, i) => Math.abs(given.data[i] - r) <= rigorous[i]);
  const { largest: inflation } = budget.inflation(name);
  const knows = budget.linear && inflation <= mostInflation;
  if (knows || !possible) return result;
  const why = budget.linear
    ? `rounding errors are ${inflation.toPrecision(2)} times what independent roundings explain (exact cancellation, equal weights)`
    : 'rounding errors grow until they are no longer small (chaotic or saturated)';
  const reason = `ill-conditioned: ${why}; ${digitsLeft(digits)}`;
  return { ...result, status: 'ill', reason };
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
