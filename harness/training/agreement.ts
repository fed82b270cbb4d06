import type { LayersNetwork } from '../../scratch/index';
import { distance, largestOf } from './drift';
import type { Agreement } from './history';
import type { NoiseTwin, StepCheck, StepComparison } from './noise';

/**
 * Drift that rounding explains, as a multiple of the noise twin's. On the digits the ratio is about 1 (0.9 to 1.2, measured); but the
 * twin is one draw of the noise and the sides' distance another, and a side may round several times where the twin moves once.
 * Another update rule, learning rate or gradient exceeds 16 within the first epochs (the tests sabotage a side to see it).
 */
export const driftAllowance = 16;

export interface Watch {
  readonly noise: NoiseTwin;
  readonly steps: StepCheck;
}

/** Compares two sides after an epoch. */
export function judgeAgreement(
  sides: readonly LayersNetwork[],
  watch: Watch,
  comparisons: readonly StepComparison[],
): Agreement {
  const drift = distance(sides[0].getWeights(), sides[1].getWeights());
  const noise = watch.noise.drift().relative;
  const limit = driftAllowance * noise;
  const worstStep = comparisons.reduce<StepComparison | undefined>(
    (worst, one) => (worst === undefined || !(one.share <= worst.share) ? one : worst),
    undefined,
  );
  const rounding = drift.relative <= limit && (worstStep === undefined || worstStep.share <= 1);
  return {
    drift: drift.relative,
    noise,
    limit,
    driftByWeight: drift.byWeight,
    ...(worstStep && { worstStep }),
    verdict: rounding ? 'rounding' : 'parted',
  };
}

/** Why two sides are held to compute different things. */
export function describeParting(sides: readonly LayersNetwork[], agreement: Agreement): string {
  const [reference, candidate] = sides.map(({ name }) => name);
  const { worstStep, drift, noise, limit } = agreement;
  if (worstStep !== undefined && !(worstStep.share <= 1))
    return describeStep(reference, candidate, worstStep);
  const worst = largestOf(agreement.driftByWeight);
  return `${candidate} and ${reference} parted for another reason than rounding: their weights drifted apart by ${drift.toExponential(1)} where float32 noise reaches ${noise.toExponential(1)} (allowed ${limit.toExponential(1)}); most in ${worst}.`;
}

export function describeStep(
  reference: string,
  candidate: string,
  { step, worst, deviation, budget }: StepComparison,
): string {
  return `${candidate} and ${reference} parted for another reason than rounding: at step ${step + 1}, from the same weights and optimizer state, one update of ${worst} differs by ${deviation[worst].toExponential(1)} where float32 rounding allows ${budget[worst].toExponential(1)}.`;
}
