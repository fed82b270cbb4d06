import { singlePrecisionRun, type SinglePrecisionOptions } from '../../referee/single-precision';
import type { DotOrder } from '../../referee/rounded-dot';
import { tensorOf, type TensorName } from '../../problem';
import type { Matrix } from './matrix';
import type { PrecisionModel } from './precision-model';
import type { Trace } from './trace';

/** How far honest single-precision runs scatter beyond the propagated standard deviation; at least 1. */
export interface Inflation {
  /** from the largest |error| / sigma, over 3 */ readonly largest: number;
  /** from the root mean square of error / sigma */ readonly rms: number;
}

/** Emulated runs per problem: with 2 or 4, chaotic problems were missed. */
export const emulatedRuns = 8;

const orders: readonly DotOrder[] = ['sequential', 'reversedFused', 'lanes', 'double'];

/** How run number k computes: every order of summation, fused or not, with errors of the functions that all go one way (k = 0, 1) or are random, then also of the sums. */
export function emulatedRunOptions(k: number, model: PrecisionModel): SinglePrecisionOptions {
  return {
    order: orders[k % orders.length],
    joint: k % 3 === 1,
    flatSums: k % 2 === 1,
    kappa: model.kappa,
    noise: k === 0 ? 'high' : k === 1 ? 'low' : 'sums',
    seed: k,
    format: model.precision === 'float32' ? 'single' : 'double45',
  };
}

/**
 * Monte Carlo arithmetic on the reference's own mathematics (Parker 1997): eight emulated float32 runs with different
 * orders of summation and random errors within the constants. They cannot hide a candidate's mistake, because they do
 * not look at the candidate.
 */
export function measureInflation(
  trace: Trace,
  sigma: Partial<Record<TensorName, Matrix>>,
  model: PrecisionModel,
): Map<TensorName, Inflation> {
  const runs = Array.from({ length: emulatedRuns }, (_, k) =>
    singlePrecisionRun(trace.problem, emulatedRunOptions(k, model)),
  );
  const inflations = new Map<TensorName, Inflation>();
  for (const name of Object.keys(sigma) as TensorName[]) {
    const reference = tensorOf(trace.evaluation, name)?.data;
    const deviation = sigma[name];
    if (reference === undefined || deviation === undefined) continue;
    let largest = 3;
    let rms = 1;
    for (const run of runs) {
      const values = tensorOf(run, name)?.data;
      if (values === undefined) continue;
      let sum = 0;
      values.forEach((value, i) => {
        const ratio = Math.abs(value - reference[i]) / deviation[i];
        if (!(ratio <= largest)) largest = Number.isFinite(ratio) ? ratio : largest;
        sum += Number.isFinite(ratio) ? ratio * ratio : 0;
      });
      rms = Math.max(rms, Math.sqrt(sum / values.length));
    }
    inflations.set(name, { largest: largest / 3, rms });
  }
  return inflations;
}
