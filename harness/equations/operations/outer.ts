import { addOuter, type Matrix } from '../matrix';
import {
  capBound,
  capVariance,
  gamma,
  perSum,
  perTerm,
  varianceOfRounding,
  type Charges,
} from '../rounding-model';
import type { Rounding } from '../rounding';
import type { Block, Uncertain } from './operation';

/** One summand of a weight's gradient: leftᵀ · right of one time step, or the sum over the rows of right where there is no left. */
export interface Share<B> {
  readonly left?: B;
  readonly right: B;
}

/**
 * G = Σ_t leftᵀ · right, over batch and time: N terms, in any order.
 *
 *     E = Σ |left|ᵀ (E_r (1 + γ_(N+1)) + γ_(N+1) |r|) + E_leftᵀ (|r| + E_r)(1 + γ_(N+1)) + (N + 1) η
 *     V = Σ left²ᵀ (V_r + k ce(N) r²) + V_leftᵀ (r² + V_r), and k cs(N) G²
 */
export const outer = {
  value(shares: readonly Share<Block>[]): Matrix {
    const out = emptyFor(shares);
    for (const { left, right } of shares) addOuter(out, left?.value, right.value, right.rows);
    return out;
  },

  bound(shares: readonly Share<Uncertain>[], { model, floor }: Charges): Matrix {
    const terms = termsOf(shares);
    const g = gamma(terms + 1, model.unit);
    const out = emptyFor(shares);
    for (const { left, right } of shares) {
      addOuter(out, left?.value.map(Math.abs), entering(right, g).first, right.rows);
      if (left !== undefined) addOuter(out, left.bound, entering(right, g).whole, right.rows);
    }
    for (let i = 0; i < out.length; i++) out[i] = capBound(out[i] + (terms + 1) * floor);
    return out;
  },

  variance(shares: readonly Share<Uncertain>[], value: Matrix, { model, floor }: Charges): Matrix {
    const terms = termsOf(shares);
    const k = varianceOfRounding(model);
    const out = emptyFor(shares);
    const kn = k * perTerm(terms);
    for (const { left, right } of shares) {
      const { first, whole } = enteringVariances(right, kn);
      addOuter(
        out,
        left?.value.map((v) => v * v),
        first,
        right.rows,
      );
      if (left !== undefined) addOuter(out, left.variance, whole, right.rows);
    }
    const closing = k * perSum(terms);
    for (let i = 0; i < out.length; i++)
      out[i] = capVariance(out[i] + closing * value[i] ** 2 + (terms * floor) ** 2);
    return out;
  },

  rounded(shares: readonly Share<Block>[], rounding: Rounding): Matrix {
    if (rounding.flat) return roundedOuter(shares, rounding);
    const [first, ...others] = shares;
    const out = roundedOuter([first], rounding);
    for (const share of others)
      roundedOuter([share], rounding).forEach((v, i) => (out[i] = rounding.round(out[i] + v)));
    return out;
  },
};

/** What of a right factor enters a sum: with the left factor's value, and with the left factor's error. */
interface Entering {
  readonly per: number;
  readonly first: Matrix;
  readonly whole: Matrix;
}

/** The same for all weights of a step, whose gradients have the right factor in common. */
function onceFor(
  make: (right: Uncertain, per: number, first: Matrix, whole: Matrix) => void,
): (right: Uncertain, per: number) => Entering {
  const known = new WeakMap<Uncertain, Entering>();
  return (right, per) => {
    const found = known.get(right);
    if (found?.per === per) return found;
    const made = {
      per,
      first: new Float64Array(right.value.length),
      whole: new Float64Array(right.value.length),
    };
    make(right, per, made.first, made.whole);
    known.set(right, made);
    return made;
  };
}

/** E (1 + γ) + γ |r|, and (|r| + E)(1 + γ) */
const entering = onceFor(({ value, bound }, g, first, whole) => {
  for (let i = 0; i < first.length; i++) {
    const size = Math.abs(value[i]);
    first[i] = bound[i] * (1 + g) + g * size;
    whole[i] = (size + bound[i]) * (1 + g);
  }
});

/** V + k ce(N) r², and r² + V */
const enteringVariances = onceFor(({ value, variance }, kn, first, whole) => {
  for (let i = 0; i < first.length; i++) {
    const square = value[i] * value[i];
    first[i] = variance[i] + kn * square;
    whole[i] = square + variance[i];
  }
});

/** Every element as one sum over the rows of all shares. */
function roundedOuter(shares: readonly Share<Block>[], rounding: Rounding): Matrix {
  const out = emptyFor(shares);
  const columns = shares[0].right.columns;
  const terms = new Float64Array(termsOf(shares));
  return out.map((_, at) => {
    const l = Math.floor(at / columns);
    const j = at % columns;
    let n = 0;
    for (const { left, right } of shares)
      for (let i = 0; i < right.rows; i++)
        terms[n++] =
          (left === undefined ? 1 : left.value[i * left.columns + l]) * right.value[i * columns + j];
    return rounding.total(terms, n);
  });
}

function emptyFor(shares: readonly Share<Block>[]): Matrix {
  const [{ left, right }] = shares;
  return new Float64Array((left?.columns ?? 1) * right.columns);
}

function termsOf(shares: readonly Share<Block>[]): number {
  return shares.reduce((sum, { right }) => sum + right.rows, 0);
}
