import type { Inflation } from './inflation';

/** Standard deviations allowed; honest runs of thousands of problems stay below 5.7 (docs/tolerance.md). */
const deviations = 10;

/** The root mean square of error / sigma that is allowed to any tensor, in units of the emulated runs' own. */
const fewestDeviationsInMean = 5;

/** Largest possible |error| and standard deviation of the error, for each of some numbers. */
export interface Errors {
  readonly bound: Float64Array;
  readonly sigma: Float64Array;
}

/** How far rounding can carry the numbers of one tensor, or of the equations of one quantity. */
export interface Spread extends Errors {
  /** false where errors are so large that their propagation is no longer linear: sigma then says nothing */
  readonly linear: boolean;
  /** true where a number of the run can exceed the largest single-precision number */ readonly overflow: boolean;
  /** the same for a program in any customary form; undefined where the form is known */ otherForms():
    Errors | undefined;
  /** how far emulated runs scatter; measured at the first call */ inflation(): Inflation;
}

/** One tolerance, from the tightest on: the next is worth computing only for an answer that is beyond this one. */
export interface Stage {
  /** min(bound, 10 c sigma) */ readonly allowed: Float64Array;
  readonly bound: Float64Array;
  readonly sigma: Float64Array;
  /** c */ readonly inflation: number;
  /** whether other customary forms are allowed for */ readonly otherForms: boolean;
  /** root mean square of error / sigma that is allowed */ readonly mean: number;
}

/** The plain budget; the one that also allows for other customary forms; the one that emulated runs inflate. */
export function* stagesOf(spread: Spread): Generator<Stage, void> {
  yield stage(spread, 1, false, fewestDeviationsInMean);
  const other = spread.otherForms();
  const errors = other ?? spread;
  if (other !== undefined) yield stage(other, 1, true, fewestDeviationsInMean);
  const inflation = spread.inflation();
  yield stage(errors, inflation.largest, other !== undefined, deviationsInMean(inflation) * inflation.rms);
}

function stage({ bound, sigma }: Errors, inflation: number, otherForms: boolean, mean: number): Stage {
  const allowed = bound.map((e, i) => Math.min(e, deviations * inflation * sigma[i]));
  return { allowed, bound, sigma, inflation, otherForms, mean };
}

/**
 * Root mean square of error / sigma over a tensor that is allowed: 5, and where one common cause holds a large share of the variance as
 * much as that cause may be off by itself, sqrt(10^2 share + 1 - share).
 */
function deviationsInMean({ share }: Pick<Inflation, 'share'>): number {
  return Math.max(fewestDeviationsInMean, Math.sqrt(deviations ** 2 * share + 1 - share));
}

/** What each number may be off: by the tightest stage, or by the widest with `inflated`. */
export function allowedOf(spread: Spread, inflated: boolean): Float64Array {
  let allowed: Float64Array | undefined;
  for (const stage of stagesOf(spread)) {
    ({ allowed } = stage);
    if (!inflated) break;
  }
  return allowed ?? new Float64Array(0);
}

/**
 * Where emulated runs scatter so much more than sigma, sigma misses what happens: the tolerance would rest on eight samples of a single
 * cause, and a ninth is beyond 10/3 of the largest of them now and then.
 */
const mostInflation = 30;

/** Why sigma misses what rounding does to these numbers, so that only the rigorous bound tells a mistake; undefined where it does not. */
export function whyUnclear(spread: Spread): string | undefined {
  if (!spread.linear) return 'rounding errors grow until they are no longer small (chaotic or saturated)';
  const { largest } = spread.inflation();
  return largest <= mostInflation
    ? undefined
    : `rounding errors are ${largest.toPrecision(2)} times what independent roundings explain (exact cancellation, equal weights)`;
}

/** What each number may be off before it is a mistake for certain: by the widest stage, or by its bound where sigma misses what happens. */
export function possibleOf(spread: Spread): Float64Array {
  const widest = [...stagesOf(spread)].at(-1);
  return (whyUnclear(spread) === undefined ? widest?.allowed : widest?.bound) ?? new Float64Array(0);
}

/** Of the difference of two programs, each of which rounds. */
export function bothSides(one: Spread, other: Spread): Spread {
  return {
    ...together(one, other),
    linear: one.linear && other.linear,
    get overflow() {
      return one.overflow || other.overflow;
    },
    otherForms: () => together(one.otherForms() ?? one, other.otherForms() ?? other),
    inflation: () => {
      const [a, b] = [one.inflation(), other.inflation()];
      const larger = (key: keyof Inflation): number => Math.max(a[key], b[key]);
      return { largest: larger('largest'), rms: larger('rms'), share: larger('share') };
    },
  };
}

function together(one: Errors, other: Errors): Errors {
  return {
    bound: one.bound.map((e, i) => e + other.bound[i]),
    sigma: one.sigma.map((s, i) => Math.hypot(s, other.sigma[i])),
  };
}
