import type { Charges } from '../rounding-model';
import type { Rounding } from '../rounding';

/** A function of one number, with everything the judge must know of it. A new activation is one object of this type. */
export interface Activation {
  /** as a formula spells it: `tanh`, `σ` */ readonly symbol: string;
  /** other spellings that the parser takes */ readonly spellings: readonly string[];
  readonly value: (z: number) => number;
  /** f′(z), without cancellation */
  readonly derivative: (z: number) => number;
  /** largest |f′| between z - reach and z + reach */
  readonly steepest: (z: number, reach: number) => number;
  /** two values are never farther apart; Infinity for an unbounded function */ readonly range: number;
  /** what computing f(z) = y may be off by on its own: the bound and the variance */
  readonly bound: (z: number, y: number, charges: Charges) => number;
  readonly variance: (z: number, y: number, charges: Charges) => number;
  readonly rounded: (z: number, kappa: Kappa, rounding: Rounding) => number;
  readonly slope: Slope;
}

export type Kappa = Charges['model']['kappa'];

/** f′ as layers compute it in the backward pass: from y = f(z), or from z where y does not tell it. w is the one of the two. */
export interface Slope {
  readonly from: 'output' | 'argument';
  /** its formula, for readers: `1 - y²` */ readonly words: string;
  /** f′, of w alone */
  readonly value: (w: number) => number;
  /** how far f′ may move when w moves by at most e */
  readonly bound: (w: number, e: number) => number;
  /** variance of f′ when w has the variance v */
  readonly variance: (w: number, v: number) => number;
  /** |f′| is never above this */ readonly largest: number;
  /** what computing f′ from w may be off by on its own: the bound and the variance; `g` is f′ */
  readonly ownBound: (w: number, g: number, charges: Charges) => number;
  readonly ownVariance: (w: number, g: number, charges: Charges) => number;
  readonly rounded: (w: number, rounding: Rounding) => number;
}

export function square(x: number): number {
  return x * x;
}
