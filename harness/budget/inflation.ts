import { largest, rootMeanSquare } from '../base/magnitude';

/** How far honest single-precision runs scatter beyond the propagated standard deviation; at least 1. */
export interface Inflation {
  /** from the largest |error| / sigma, over 3 */ readonly largest: number;
  /** from the root mean square of error / sigma */ readonly rms: number;
  /** how much of the tensor's error variance one common cause can hold: 1 / (number of elements) to 1 */ readonly share: number;
}

/** Emulated runs per problem: with 2 or 4, chaotic problems were missed. */
export const emulatedRuns = 8;

/**
 * Monte Carlo arithmetic on the reference's own mathematics (Parker 1997): emulated runs with different orders of summation and random
 * errors within the constants. They cannot hide a candidate's mistake, because they do not look at the candidate.
 *
 * @param value of each number in float64
 * @param sigma standard deviation of its error
 * @param runs the same numbers of each emulated run
 */
export function measureInflation(
  value: Float64Array,
  sigma: Float64Array,
  runs: readonly Float64Array[],
): Inflation {
  const errors = runs.map((run) => run.map((x, i) => finite((x - value[i]) / sigma[i])));
  return {
    largest: Math.max(3, ...errors.map(largest)) / 3,
    rms: Math.max(1, ...errors.map(rootMeanSquare)),
    share: commonShare(value, errors),
  };
}

/**
 * How much of a tensor's error variance one common cause can hold, 1 where all errors go together: the largest eigenvalue of the
 * errors' covariance over its trace. It is at most the Frobenius norm over the trace, whose square is the mean of cos^2 over pairs
 * of runs. Elements of equal value are computed alike and err alike.
 *
 * @param reference [n]
 * @param errors error / sigma of every element [n], for each emulated run
 */
export function commonShare(reference: Float64Array, errors: readonly Float64Array[]): number {
  const alike = new Map<number, number>();
  for (const x of reference) alike.set(x, (alike.get(x) ?? 0) + 1);
  let sum = 0;
  let pairs = 0;
  for (const [k, one] of errors.entries())
    for (const other of errors.slice(k + 1)) {
      const squares = dot(one, one) * dot(other, other);
      // a run without an error tells nothing: all alike is the careful guess
      sum += squares > 0 ? dot(one, other) ** 2 / squares : 1;
      pairs++;
    }
  return Math.min(1, Math.max(Math.sqrt(sum / pairs), Math.max(...alike.values()) / reference.length));
}

function dot(one: Float64Array, other: Float64Array): number {
  return one.reduce((sum, x, i) => sum + x * other[i], 0);
}

function finite(ratio: number): number {
  return Number.isFinite(ratio) ? ratio : 0;
}
