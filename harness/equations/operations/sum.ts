import type { Matrix } from '../matrix';
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
import {
  absolute,
  addMatrixProduct,
  addTo,
  countOf,
  partsOf,
  sizeOfTerm,
  squares,
  zerosLike,
  type SumTerm,
} from './sum-terms';
import { tallyOf } from './tally';

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
    const between = (count: number, groups: number): number =>
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
        if (squared) {
          for (let i = 0; i < entering.length; i++) entering[i] = value[i] * value[i];
          addMatrixProduct(squared.terms, entering, squares(term.weight.value), term);
        }
      }
    });
    const flushed = n > 1 || products > 0 ? charges.floor : 0;
    const most = Math.max(between(n, terms.length), 0);
    const charged = k * between(n, terms.length);
    for (let i = 0; i < out.length; i++) {
      const m = Math.max(above[i], below[i]);
      let own = charged * m * m + (n * flushed) ** 2;
      if (tally !== undefined && squared !== undefined) {
        const { large, groups, small, all } = tally;
        const count = large[i];
        const every = k * (each(n) * squared.terms[i] + eachBias(n) * squared.biases[i] + most * m * m);
        const few =
          k *
          (each(count) * squared.terms[i] +
            eachBias(count) * squared.biases[i] +
            Math.max(between(count, groups[i]), 0) * m * m);
        own = Math.min(every, few + small[i] ** 2) + (all[i] * flushed) ** 2;
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

/** E (1 + γ) + γ |v|: what enters a sum whose every term is rounded by at most γ */
function entering({ value, bound }: Uncertain, g: number): Matrix {
  const out = new Float64Array(value.length);
  for (let i = 0; i < out.length; i++) out[i] = bound[i] * (1 + g) + g * Math.abs(value[i]);
  return out;
}
