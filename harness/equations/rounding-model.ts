/**
 * How an implementation rounds: all that the rules of error need to know. An elementary function f is assumed to come out within
 * `kappa * unit * |f(x)|` of the true value; docs/tolerance.md has the constants of every backend.
 */
export interface RoundingModel {
  /** unit roundoff: half the distance from 1 to the next number */ readonly unit: number;
  /** below this magnitude a result may be flushed to zero */ readonly tiny: number;
  readonly kappa: {
    readonly tanh: number;
    readonly sigmoid: number;
    readonly exp: number;
    readonly log: number;
  };
  /** how many of the two compared sides make errors of this size */ readonly sides: 1 | 2;
  /** what the standards of graphics cards grant besides; absent where the processor computes */ readonly card?: CardErrors;
  /** what an equally customary way of writing the network may add; absent where the way is known */
  readonly forms?: CustomaryForms;
}

/**
 * A program that was never read may use other customary formulas than h = tanh z, 1 - h², (p - onehot) / B and the shifted log-sum-exp.
 * They add to the budget (docs/tolerance.md, "Other customary forms"):
 */
export interface CustomaryForms {
  /** tanh z = 1 - 2 / (e^2z + 1) errs absolutely, by this many u */ readonly tanh: number;
  /** relative error, in u, of a slope computed from z: 1 / cosh² z, or 4 e^-2|z| / (1 + e^-2|z|)² */
  readonly slope: number;
  /** largest |logit| whose exponential is taken without a shift */ readonly unshifted: number;
}

/** Errors of a graphics card that have no bound of the form κ u |f|; docs/tolerance.md, "Graphics cards", derives them. */
export interface CardErrors {
  /** tanh is made of e^(-2|z|), so it errs absolutely near 0: by this many u (1 - f²) */ readonly tanh: number;
  /** e^x errs by this many u |x| e^x */ readonly exponent: number;
  /** log errs absolutely, by this many u */ readonly log: number;
  /** a quotient is not the nearest number: this many u more */ readonly quotient: number;
}

export const noCard: CardErrors = { tanh: 0, exponent: 0, log: 0, quotient: 0 };

/** A model, and what flushing one product to zero can cost (η in the formulas). */
export interface Charges {
  readonly model: RoundingModel;
  readonly floor: number;
}

/** γ_n = n u / (1 - n u), Higham 2002, lemma 3.1: the relative error of n roundings at most. */
export function gamma(n: number, unit: number): number {
  return (n * unit) / (1 - n * unit);
}

/** k = u²/3: the variance of a rounding error that is uniform in ±u. */
export function varianceOfRounding({ unit }: RoundingModel): number {
  return (unit * unit) / 3;
}

/** ce(n) = 1 + (n + 1)/6: one rounding of each product, and the partial sums' share of Σp² in a sum of n terms in random order. */
export function perTerm(n: number): number {
  return n <= 1 ? 1 : 1 + (n + 1) / 6;
}

/** cs(n) = (n + 1)/3: the partial sums' share of (Σp)². */
export function perSum(n: number): number {
  return n <= 1 ? 0 : (n + 1) / 3;
}

/** Beyond this a bound says nothing; a finite number keeps 0 · ∞ out of the sums. */
const vacuous = 1e100;

/** A bound, at most `vacuous`. */
export function capBound(e: number): number {
  return e < vacuous ? e : vacuous;
}

/** A variance, at most the square of `vacuous`. */
export function capVariance(v: number): number {
  return v < vacuous * vacuous ? v : vacuous * vacuous;
}
