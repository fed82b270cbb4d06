import { sparseOf, type Matrix } from '../matrix';
import type { Charges } from '../rounding-model';
import type { Uncertain } from './operation';
import { absolute, addMatrixProduct, addTo, sizeOfTerm, zerosLike, type SumTerm } from './sum-terms';

/**
 * Which terms of each element can be rounded.
 *
 * A product with a number that is certainly zero (its value and its bound are 0) is zero in any arithmetic, and adding it is exact. And
 * a + b is off by at most |a| and by at most |b|, as both are numbers of the format: what is small costs no more than itself.
 * So let τ be the sum of |p| over any set of terms, and n the number of the others. Of the additions of any order, at most n - 1 join two
 * sums that both have one of the others in them; the rest add sums of small terms, each term once, or join small terms alone. So
 *
 *     |error| <= γ_n Σ|p| + (1 + γ_n)(1 + 2 γ_N) τ,     N = the number of all terms
 *
 * with one rounding of each product among the n, fused or not. Small here is what is at most u Σ|p|, where this is the smaller charge.
 */
export interface Tally {
  /** Σ|p|, errors of the factors included */ readonly size: Matrix;
  /** how many terms are large */ readonly large: Matrix;
  /** in how many of the blocks and products these are */ readonly groups: Matrix;
  /** Σ|p| of the others */ readonly small: Matrix;
  /** how many terms are not certainly zero */ readonly all: Matrix;
}

/** Undefined where all terms of all elements are about as large: all of them count. */
export function tallyOf(
  terms: readonly SumTerm<Uncertain>[],
  { model: { unit } }: Charges,
): Tally | undefined {
  const reaches = terms.map((term) => reachOf('of' in term ? term.of : term.left));
  if (!isUneven(terms, reaches, unit)) return undefined;
  const [size, large, groups, small, all] = [1, 2, 3, 4, 5].map(() => zerosLike(terms));
  terms.forEach((term, which) => {
    if ('of' in term) addTo(size, 1, reaches[which]);
    else addMatrixProduct(size, reaches[which], absolute(term.weight.value), term);
  });
  terms.forEach((term, which) => {
    const reach = reaches[which];
    if ('of' in term) {
      for (let i = 0; i < reach.length; i++) {
        const p = reach[i];
        if (!(p > 0)) continue;
        all[i]++;
        if (p > unit * size[i]) {
          large[i]++;
          groups[i]++;
        } else small[i] += p;
      }
      return;
    }
    const { left, weight, transposed } = term;
    const magnitude = absolute(weight.value);
    const [rows, columns] = sizeOfTerm(term);
    const [alongInner, alongColumn] = transposed ? [1, weight.columns] : [weight.columns, 1];
    const isIn = new Uint8Array(columns);
    const see = (p: number, to: number, j: number): void => {
      all[to]++;
      if (p > unit * size[to]) {
        large[to]++;
        isIn[j] = 1;
      } else small[to] += p;
    };
    const few = sparseOf(magnitude, weight.columns);
    for (let i = 0; i < rows; i++) {
      isIn.fill(0);
      const [from, to] = [i * left.columns, i * columns];
      if (few !== undefined) {
        for (let row = 0; row < weight.rows; row++)
          for (let e = few.starts[row]; e < few.starts[row + 1]; e++) {
            const [l, j] = transposed ? [few.columns[e], row] : [row, few.columns[e]];
            const a = reach[from + l];
            if (a !== 0) see(a * few.values[e], to + j, j);
          }
      } else {
        for (let l = 0; l < left.columns; l++) {
          const a = reach[from + l];
          if (a === 0) continue;
          for (let j = 0, at = l * alongInner; j < columns; j++, at += alongColumn)
            if (magnitude[at] > 0) see(a * magnitude[at], to + j, j);
        }
      }
      for (let j = 0; j < columns; j++) groups[i * columns + j] += isIn[j];
    }
  });
  return { size, large, groups, small, all };
}

/** Whether a row of a left factor, a weight, or where there is no product an element's blocks, differ by more than a factor of u. */
function isUneven(terms: readonly SumTerm<Uncertain>[], reaches: readonly Matrix[], unit: number): boolean {
  const products = terms.flatMap((term, which) => ('of' in term ? [] : [{ ...term, reach: reaches[which] }]));
  if (products.length === 0) {
    if (terms.length < 2) return false;
    return reaches[0].some((_, i) => {
      let [least, most] = [Infinity, 0];
      for (const reach of reaches) {
        least = Math.min(least, reach[i]);
        most = Math.max(most, reach[i]);
      }
      return least <= unit * most;
    });
  }
  return products.some(({ left: { rows, columns }, weight, reach }) => {
    if (isUnevenWeight(weight.value)) return true;
    for (let i = 0; i < rows; i++) if (isUnevenRow(reach, i * columns, (i + 1) * columns, unit)) return true;
    return false;
  });
}

function isUnevenRow(sizes: Matrix, from: number, to: number, unit: number): boolean {
  let [least, most] = [Infinity, 0];
  for (let i = from; i < to; i++) {
    if (sizes[i] < least) least = sizes[i];
    if (sizes[i] > most) most = sizes[i];
  }
  return least <= unit * most;
}

const unevenWeights = new WeakMap<Matrix, boolean>();
function isUnevenWeight(weight: Matrix): boolean {
  let known = unevenWeights.get(weight);
  if (known === undefined)
    unevenWeights.set(weight, (known = isUnevenRow(absolute(weight), 0, weight.length, 2 ** -24)));
  return known;
}

/** |v| + E */
function reachOf({ value, bound }: Uncertain): Matrix {
  const out = new Float64Array(value.length);
  for (let i = 0; i < out.length; i++) out[i] = Math.abs(value[i]) + bound[i];
  return out;
}
