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

  bound(terms: readonly SumTerm<Uncertain>[], { model, floor }: Charges, factor = false): Matrix {
    const { n, products } = countOf(terms);
    const g = gamma(products > 0 || factor ? n : n - 1, model.unit);
    const out = zerosLike(terms);
    for (const term of terms) {
      if ('of' in term) addTo(out, 1, entering(term.of, g));
      else addMatrixProduct(out, entering(term.left, g), absolute(term.weight.value), term);
    }
    const most = n > 1 || products > 0 ? n * floor : 0;
    for (let i = 0; i < out.length; i++) out[i] = capBound(out[i] + most);
    return out;
  },

  variance(
    terms: readonly SumTerm<Uncertain>[],
    { model, floor }: Charges,
    factor = false,
    parts = partsOf(terms),
  ): Matrix {
    const { n, products } = countOf(terms);
    const k = varianceOfRounding(model);
    const out = zerosLike(terms);
    const above = zerosLike(terms); // sum of the positive and of the negative terms: the largest partial sum is one of the two
    const below = zerosLike(terms);
    const each = products > 0 ? perTerm(n) : factor ? 1 : 0;
    terms.forEach((term, which) => {
      const values = parts[which];
      for (let i = 0; i < values.length; i++) {
        const v = term.sign * values[i];
        if (v > 0) above[i] += v;
        else below[i] -= v;
      }
      if ('of' in term) {
        const { variance } = term.of;
        const rounded = k * (products > 0 && term.bias === true ? Math.max(n, each) : each);
        for (let i = 0; i < values.length; i++) out[i] += variance[i] + rounded * values[i] * values[i];
      } else {
        const { value, variance } = term.left;
        const kn = k * each;
        const entering = new Float64Array(value.length);
        for (let i = 0; i < entering.length; i++) entering[i] = variance[i] + kn * value[i] * value[i];
        addMatrixProduct(out, entering, squares(term.weight.value), term);
      }
    });
    const whole = k * (products > 0 ? perSum(n) + terms.length - 1 : terms.length - 1);
    const least = n > 1 || products > 0 ? (n * floor) ** 2 : 0;
    for (let i = 0; i < out.length; i++) {
      const m = Math.max(above[i], below[i]);
      out[i] = capVariance(out[i] + whole * m * m + least);
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
