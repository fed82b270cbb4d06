import { addProduct, addSparseProduct, sparseOf, type Matrix } from '../matrix';
import type { Block } from './operation';

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

/** ± left · weight added to `out`. */
export function addMatrixProduct(
  out: Matrix,
  left: Matrix,
  weight: Matrix,
  term: { left: Block; weight: Block; transposed: boolean },
): Matrix {
  const [rows, columns] = sizeOfTerm({ sign: 1, ...term });
  const sizes = [rows, term.left.columns, columns] as const;
  const few = sparseOf(weight, term.weight.columns);
  // 0 times a number that is not finite is no zero
  if (few !== undefined && left.every(Number.isFinite))
    return addSparseProduct(out, left, few, sizes, term.transposed);
  return addProduct(out, left, weight, sizes, term.transposed);
}

/** All inner terms of a sum, and how many of its terms are products with a matrix. */
export function countOf(terms: readonly SumTerm<Block>[]): { n: number; products: number } {
  let n = 0;
  let products = 0;
  for (const term of terms) {
    if (!('of' in term)) products++;
    n += 'of' in term ? 1 : term.left.columns;
  }
  return { n, products };
}

/** The value of every term, without its sign. */
export function partsOf(terms: readonly SumTerm<Block>[]): readonly Matrix[] {
  return terms.map(termValue);
}

function termValue(term: SumTerm<Block>): Matrix {
  if ('of' in term) return term.of.value;
  return addMatrixProduct(zerosLike([term]), term.left.value, term.weight.value, term);
}

export function zerosLike(terms: readonly SumTerm<Block>[]): Matrix {
  const [rows, columns] = sizeOfTerm(terms[0]);
  return new Float64Array(rows * columns);
}

export function addTo(out: Matrix, sign: 1 | -1, more: Matrix): void {
  for (let i = 0; i < out.length; i++) out[i] += sign * more[i];
}

/** Weights are used at every step: their magnitudes and squares are made once. */
const magnitudes = new WeakMap<Matrix, Matrix>();
export function absolute(weight: Matrix): Matrix {
  let made = magnitudes.get(weight);
  if (made === undefined) magnitudes.set(weight, (made = weight.map(Math.abs)));
  return made;
}
const squared = new WeakMap<Matrix, Matrix>();
export function squares(weight: Matrix): Matrix {
  let made = squared.get(weight);
  if (made === undefined) squared.set(weight, (made = weight.map((w) => w * w)));
  return made;
}
