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
import { isZero, type Block, type Uncertain } from './operation';
import { addTo } from './sum-terms';

/** One summand of a weight's gradient: leftᵀ · right of one time step, or the sum over the rows of right where there is no left. */
export interface Share<B> {
  readonly left?: B;
  readonly right: B;
}

/**
 * G = Σ_t leftᵀ · right, over batch and time, in any order: N terms, those aside of which a factor is certainly zero.
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

  /** @param counts of `countsIn(shares)` */
  bound(
    shares: readonly Share<Uncertain>[],
    { model, floor }: Charges,
    { own, terms, counts }: Counts = countsIn(shares),
  ): Matrix {
    const out = emptyFor(shares);
    const g = gamma(terms + 1, model.unit);
    // Σ (|left| + E)(|right| + E), which the γ of each element is of, where they differ
    const size = counts && emptyFor(shares);
    for (const { left, right } of own) {
      const { first, whole } = entering(right, counts ? 0 : g);
      const sizeOfLeft = left && new Float64Array(left.value.length);
      if (left && sizeOfLeft)
        for (let i = 0; i < sizeOfLeft.length; i++) sizeOfLeft[i] = Math.abs(left.value[i]);
      addOuter(out, sizeOfLeft, first, right.rows);
      if (left !== undefined) addOuter(out, left.bound, whole, right.rows);
      if (size) {
        if (left && sizeOfLeft) addTo(sizeOfLeft, 1, left.bound);
        addOuter(size, sizeOfLeft, whole, right.rows);
      }
    }
    for (let i = 0; i < out.length; i++) {
      const n = counts?.[i] ?? terms;
      const rounded = size === undefined ? 0 : gamma(n + 1, model.unit) * size[i];
      out[i] = n === 0 ? 0 : capBound(out[i] + rounded + (n + 1) * floor);
    }
    return out;
  },

  /** @param counts of `countsIn(shares)` */
  variance(
    shares: readonly Share<Uncertain>[],
    value: Matrix,
    { model, floor }: Charges,
    { own, terms, counts }: Counts = countsIn(shares),
  ): Matrix {
    const k = varianceOfRounding(model);
    const out = emptyFor(shares);
    const kn = counts ? 0 : k * perTerm(terms);
    const squares = counts && emptyFor(shares);
    for (const { left, right } of own) {
      const { first, whole } = enteringVariances(right, kn);
      const squaresOfLeft = left && squared(left.value);
      addOuter(out, squaresOfLeft, first, right.rows);
      if (left !== undefined) addOuter(out, left.variance, whole, right.rows);
      if (squares) addOuter(squares, squaresOfLeft, squared(right.value), right.rows);
    }
    for (let i = 0; i < out.length; i++) {
      const n = counts?.[i] ?? terms;
      const rounded = squares === undefined ? 0 : k * perTerm(n) * squares[i];
      out[i] = n === 0 ? 0 : capVariance(out[i] + rounded + k * perSum(n) * value[i] ** 2 + (n * floor) ** 2);
    }
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

/** Which terms the elements of a gradient have. */
export interface Counts {
  /** the shares of which neither factor is nothing but certain zeros, as the states before the first step often are */
  readonly own: readonly Share<Uncertain>[];
  /** their terms */ readonly terms: number;
  /** how many of these each element has; undefined where no factor is certainly zero */
  readonly counts: Matrix | undefined;
}

export function countsIn(shares: readonly Share<Uncertain>[]): Counts {
  const all = shares.map((share) => ({
    share,
    left: share.left && presence(share.left),
    right: presence(share.right),
  }));
  const there = all.filter(({ left, right }) => right.count > 0 && left?.count !== 0);
  const own = there.map(({ share }) => share);
  const isWhole = ({ of, count }: Presence): boolean => count === of.length;
  if (there.every(({ left, right }) => isWhole(right) && (left === undefined || isWhole(left))))
    return { own, terms: termsOf(own), counts: undefined };
  const counts = emptyFor(shares);
  for (const { share, left, right } of there) {
    const { rows, columns } = share.right;
    // where one factor is there everywhere, the other is counted by itself
    if (isWhole(right))
      addEverywhere(counts, columns, left && countsOfColumns(left.of, rows), undefined, rows);
    else if (left === undefined || isWhole(left))
      addEverywhere(counts, columns, undefined, countsOfColumns(right.of, rows), rows);
    else addOuter(counts, left.of, right.of, rows);
  }
  return { own, terms: termsOf(own), counts };
}

/** counts [k, columns] += the count of its row, or of its column, or `rows` where neither is given */
function addEverywhere(
  counts: Matrix,
  columns: number,
  ofRows: Matrix | undefined,
  ofColumns: Matrix | undefined,
  rows: number,
): void {
  for (let l = 0, at = 0; at < counts.length; l++)
    for (let j = 0; j < columns; j++, at++) counts[at] += ofRows?.[l] ?? ofColumns?.[j] ?? rows;
}

function countsOfColumns(presence: Matrix, rows: number): Matrix {
  return addOuter(new Float64Array(presence.length / rows), undefined, presence, rows);
}

/** 1 where a number is not certainly zero, and how many of these there are. */
interface Presence {
  readonly of: Matrix;
  readonly count: number;
}

function presence(block: Uncertain): Presence {
  const of = new Float64Array(block.value.length);
  let count = 0;
  for (let i = 0; i < of.length; i++) {
    if (isZero(block, i)) continue;
    of[i] = 1;
    count++;
  }
  return { of, count };
}

function squared(a: Matrix): Matrix {
  const out = new Float64Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = a[i] * a[i];
  return out;
}

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
