import { addProduct, type Matrix } from '../matrix';
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
import type { Block, Moving, Uncertain } from './operation';

/**
 * One term of a sum: a block, or left · weight (left · weightᵀ), which is summed together with the rest. A bias may be what the
 * accumulator begins with.
 */
export type SumTerm<B> =
  | { readonly sign: 1 | -1; readonly of: B; readonly bias?: boolean }
  | { readonly sign: 1 | -1; readonly left: B; readonly weight: B; readonly transposed: boolean };

/** [rows, columns] of a term. */
export function sizeOfTerm(term: SumTerm<Block>): readonly [rows: number, columns: number] {
  if ('of' in term) return [term.of.rows, term.of.columns];
  return [term.left.rows, term.transposed ? term.weight.rows : term.weight.columns];
}

/** ± left · weight added to `out`; `map` is applied to both matrices first. */
function addMatrixProduct(
  out: Matrix,
  left: Matrix,
  weight: Matrix,
  term: { left: Block; weight: Block; transposed: boolean },
): Matrix {
  const [rows, columns] = sizeOfTerm({ sign: 1, ...term });
  return addProduct(out, left, weight, [rows, term.left.columns, columns], term.transposed);
}

/**
 * s = ± v_1 ± v_2 ... ± left · weight ..., added in any order, also as one sum over the inner terms of all products.
 * With products, n = all inner terms and blocks; without, n = the number of blocks:
 *
 *     E = Σ E (1 + γ) + γ Σ|v| + n η      with γ = γ_n, or γ_(n-1) where there is no product
 *     V = Σ V + k (ce(n) Σ p² + n b² + (cs(n) + terms - 1) m²), or Σ V + k (n - 1) m²
 *
 * p are the products and blocks, b the bias, m the largest partial sum of any subset of terms.
 * A sum that is a factor of a product may be multiplied out, which rounds each of its blocks once more (`factor`).
 *
 * Terms that are certainly zero round nothing, and a term costs no more than itself (`Tally`): n may count the large terms alone, where
 * (1 + γ_n)(1 + 2 γ_n) τ is added to E and τ² to V, τ = Σ of the small ones. The smaller of the two holds.
 */
export const sum = {
  value(terms: readonly SumTerm<Block>[], parts = partsOf(terms)): Matrix {
    const out = zerosLike(terms);
    terms.forEach(({ sign }, which) => {
      addTo(out, sign, parts[which]);
    });
    return out;
  },

  tangent(terms: readonly SumTerm<Moving>[]): Matrix {
    const out = zerosLike(terms);
    for (const term of terms) {
      if ('of' in term) addTo(out, term.sign, term.of.rate);
      else {
        const { left, weight } = term;
        const rate = addMatrixProduct(zerosLike([term]), left.rate, weight.value, term);
        addTo(out, term.sign, addMatrixProduct(rate, left.value, weight.rate, term));
      }
    }
    return out;
  },

  bound(
    terms: readonly SumTerm<Uncertain>[],
    charges: Charges,
    factor = false,
    tally = tallyOf(terms, charges),
  ): Matrix {
    const { unit } = charges.model;
    const { n, products } = countOf(terms);
    // additions alone: one rounding fewer than terms
    const free = products > 0 || factor ? 0 : 1;
    const g = gamma(n - free, unit);
    const out = zerosLike(terms);
    for (const term of terms) {
      const own = tally === undefined ? g : 0;
      if ('of' in term) addTo(out, 1, entering(term.of, own));
      else addMatrixProduct(out, entering(term.left, own), absolute(term.weight.value), term);
    }
    const flushed = n > 1 || products > 0 ? charges.floor : 0;
    const twice = 1 + 2 * gamma(n, unit);
    for (let i = 0; i < out.length; i++) {
      let own = n * flushed;
      if (tally !== undefined) {
        const { size, small, large, all } = tally;
        const few = gamma(Math.max(large[i] - free, 0), unit);
        own = Math.min(g * size[i], few * size[i] + (1 + few) * twice * small[i]) + all[i] * flushed;
      }
      out[i] = capBound(out[i] + own);
    }
    return out;
  },

  variance(
    terms: readonly SumTerm<Uncertain>[],
    charges: Charges,
    factor = false,
    parts = partsOf(terms),
    tally = tallyOf(terms, charges),
  ): Matrix {
    const { n, products } = countOf(terms);
    const k = varianceOfRounding(charges.model);
    const each = (count: number): number => (products > 0 ? perTerm(count) : factor ? 1 : 0);
    const eachBias = (count: number): number => (products > 0 ? Math.max(count, each(count)) : each(count));
    const whole = (count: number, groups: number): number =>
      products > 0 ? perSum(count) + groups - 1 : Math.max(groups - 1, 0);
    const out = zerosLike(terms);
    const above = zerosLike(terms); // sum of the positive and of the negative terms: the largest partial sum is one of the two
    const below = zerosLike(terms);
    // squares of terms and biases, where the elements differ in how many terms they have; else they are charged at once
    const squared = tally && { terms: zerosLike(terms), biases: zerosLike(terms) };
    terms.forEach((term, which) => {
      const values = parts[which];
      for (let i = 0; i < values.length; i++) {
        const v = term.sign * values[i];
        if (v > 0) above[i] += v;
        else below[i] -= v;
      }
      if ('of' in term) {
        const { variance } = term.of;
        const into = squared?.[term.bias === true ? 'biases' : 'terms'] ?? out;
        const charged = squared ? 1 : k * (term.bias === true ? eachBias(n) : each(n));
        for (let i = 0; i < values.length; i++) {
          out[i] += variance[i];
          into[i] += charged * values[i] * values[i];
        }
      } else {
        const { value, variance } = term.left;
        const kn = squared ? 0 : k * each(n);
        const entering = new Float64Array(value.length);
        for (let i = 0; i < entering.length; i++) entering[i] = variance[i] + kn * value[i] * value[i];
        addMatrixProduct(out, entering, squares(term.weight.value), term);
        if (squared)
          addMatrixProduct(
            squared.terms,
            value.map((v) => v * v),
            squares(term.weight.value),
            term,
          );
      }
    });
    const flushed = n > 1 || products > 0 ? charges.floor : 0;
    for (let i = 0; i < out.length; i++) {
      const m = Math.max(above[i], below[i]);
      let own = k * whole(n, terms.length) * m * m + (n * flushed) ** 2;
      if (tally !== undefined && squared !== undefined) {
        const { large, groups, small, all } = tally;
        const rounded = (count: number, of: number): number =>
          k *
          (each(count) * squared.terms[i] +
            eachBias(count) * squared.biases[i] +
            Math.max(whole(count, of), 0) * m * m);
        own =
          Math.min(rounded(n, terms.length), rounded(large[i], groups[i]) + small[i] ** 2) +
          (all[i] * flushed) ** 2;
      }
      out[i] = capVariance(out[i] + own);
    }
    return out;
  },

  rounded(terms: readonly SumTerm<Block>[], rounding: Rounding): Matrix {
    const biases: { sign: 1 | -1; value: Matrix }[] = [];
    const blocks: { sign: 1 | -1; value: Matrix }[] = [];
    const products: Exclude<SumTerm<Block>, { of: Block }>[] = [];
    for (const term of terms) {
      if ('of' in term)
        (term.bias === true ? biases : blocks).push({ sign: term.sign, value: term.of.value });
      else products.push(term);
    }
    const summed = rounding.joint && products.length > 1 ? [products] : products.map((one) => [one]);
    const [first, ...others] = summed.map((group) => ({ sign: 1 as const, value: dots(group, rounding) }));
    // the bias belongs to the first product, as layers of Keras and TensorFlow.js add it
    const parts: { sign: 1 | -1; value: Matrix }[] = [
      ...(summed.length > 0 ? [first] : []),
      ...biases,
      ...others,
      ...blocks,
    ];
    const ordered = rounding.form(2) === 0 ? parts : parts.toReversed();
    const { round } = rounding;
    const out = zerosLike(terms);
    addTo(out, ordered[0].sign, ordered[0].value);
    for (const { sign, value } of ordered.slice(1))
      for (let i = 0; i < out.length; i++) out[i] = round(out[i] + sign * value[i]);
    return out;
  },

  words: (terms: readonly { sign: 1 | -1; of: string }[]): string =>
    terms
      .map(({ sign, of }, i) => (i === 0 ? (sign < 0 ? `-${of}` : of) : `${sign < 0 ? ' - ' : ' + '}${of}`))
      .join(''),
};

/** All inner terms of a sum, and how many of its terms are products with a matrix. */
function countOf(terms: readonly SumTerm<Block>[]): { n: number; products: number } {
  let n = 0;
  let products = 0;
  for (const term of terms) {
    if (!('of' in term)) products++;
    n += 'of' in term ? 1 : term.left.columns;
  }
  return { n, products };
}

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
interface Tally {
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
  const count = (p: number, i: number): boolean => {
    all[i]++;
    const isLarge = p > unit * size[i];
    if (isLarge) large[i]++;
    else small[i] += p;
    return isLarge;
  };
  terms.forEach((term, which) => {
    const reach = reaches[which];
    if ('of' in term) {
      for (let i = 0; i < reach.length; i++) if (reach[i] > 0 && count(reach[i], i)) groups[i]++;
      return;
    }
    const { left, weight, transposed } = term;
    const magnitude = absolute(weight.value);
    const [rows, columns] = sizeOfTerm(term);
    const [alongInner, alongColumn] = transposed ? [1, weight.columns] : [weight.columns, 1];
    const isIn = new Uint8Array(columns);
    for (let i = 0; i < rows; i++) {
      isIn.fill(0);
      for (let l = 0; l < left.columns; l++) {
        const a = reach[i * left.columns + l];
        if (a === 0) continue;
        for (let j = 0, at = l * alongInner; j < columns; j++, at += alongColumn)
          if (magnitude[at] > 0 && count(a * magnitude[at], i * columns + j)) isIn[j] = 1;
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

/** The sum over the inner terms of one or more products, each rounded as the run sums. */
function dots(group: readonly Exclude<SumTerm<Block>, { of: Block }>[], rounding: Rounding): Matrix {
  const [rows, columns] = sizeOfTerm(group[0]);
  const out = new Float64Array(rows * columns);
  const inner = new Float64Array(group.reduce((n, { left }) => n + left.columns, 0));
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let n = 0;
      for (const { sign, left, weight, transposed } of group)
        for (let l = 0; l < left.columns; l++) {
          const w = transposed ? weight.value[j * weight.columns + l] : weight.value[l * weight.columns + j];
          inner[n++] = sign * left.value[i * left.columns + l] * w;
        }
      out[i * columns + j] = rounding.total(inner, n);
    }
  return out;
}

/** The value of every term, without its sign. */
export function partsOf(terms: readonly SumTerm<Block>[]): readonly Matrix[] {
  return terms.map(termValue);
}

function termValue(term: SumTerm<Block>): Matrix {
  if ('of' in term) return term.of.value;
  return addMatrixProduct(zerosLike([term]), term.left.value, term.weight.value, term);
}

function zerosLike(terms: readonly SumTerm<Block>[]): Matrix {
  const [rows, columns] = sizeOfTerm(terms[0]);
  return new Float64Array(rows * columns);
}

function addTo(out: Matrix, sign: 1 | -1, more: Matrix): void {
  for (let i = 0; i < out.length; i++) out[i] += sign * more[i];
}

/** E (1 + γ) + γ |v|: what enters a sum whose every term is rounded by at most γ */
function entering({ value, bound }: Uncertain, g: number): Matrix {
  const out = new Float64Array(value.length);
  for (let i = 0; i < out.length; i++) out[i] = bound[i] * (1 + g) + g * Math.abs(value[i]);
  return out;
}

/** Weights are used at every step: their magnitudes and squares are made once. */
const magnitudes = new WeakMap<Matrix, Matrix>();
function absolute(weight: Matrix): Matrix {
  let made = magnitudes.get(weight);
  if (made === undefined) magnitudes.set(weight, (made = weight.map(Math.abs)));
  return made;
}
const squared = new WeakMap<Matrix, Matrix>();
function squares(weight: Matrix): Matrix {
  let made = squared.get(weight);
  if (made === undefined) squared.set(weight, (made = weight.map((w) => w * w)));
  return made;
}
