import { product } from './product';

/**
 * The three matrix products of a network and its gradients, on flat row-major arrays.
 *
 * Each one adds to `out`, so seed `out` first: with zeros, a bias, or a gradient from elsewhere. `aAt`, `bAt` and
 * `outAt` say where a matrix starts in its array. Every element of `out` is summed one product after the other, in the
 * order of the index that is summed over, so results do not depend on how the loops are arranged: bit for bit what the
 * textbook's three nested loops give.
 */

/** out[rows, columns] += a[rows, inner] · b[inner, columns] */
export function multiply(
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  out: Float64Array,
  outAt: number,
  rows: number,
  inner: number,
  columns: number,
): void {
  product(a, aAt, inner, 1, b, 0, columns, 1, out, outAt, columns, rows, inner, columns);
}

/** out[rows, columns] += a[rows, inner] · b[columns, inner]ᵀ */
export function multiplyByTranspose(
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  out: Float64Array,
  outAt: number,
  rows: number,
  inner: number,
  columns: number,
): void {
  product(a, aAt, inner, 1, b, 0, 1, inner, out, outAt, columns, rows, inner, columns);
}

/** out[rows, columns] += a[inner, rows]ᵀ · b[inner, columns] */
export function transposedMultiplyAccumulate(
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  bAt: number,
  out: Float64Array,
  rows: number,
  inner: number,
  columns: number,
): void {
  product(a, aAt, 1, rows, b, bAt, columns, 1, out, 0, columns, rows, inner, columns);
}

/**
 * The same three products for a gate: a block of `width` columns, from column `at` on, of matrices whose rows are `row`
 * numbers apart. out[rows, block] += a[rows, inner] · b[inner, block]
 */
export function multiplyBlock(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  at: number,
  width: number,
  row: number,
  rows: number,
  inner: number,
): void {
  product(a, 0, inner, 1, b, at, row, 1, out, at, row, rows, inner, width);
}

/** out[rows, columns] += a[rows, block] · b[columns, block]ᵀ */
export function multiplyBlockByTranspose(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  at: number,
  width: number,
  row: number,
  rows: number,
  columns: number,
): void {
  product(a, at, row, 1, b, at, 1, row, out, 0, columns, rows, width, columns);
}

/** out[rows, block] += a[inner, rows]ᵀ · b[inner, block] */
export function transposedMultiplyBlock(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  at: number,
  width: number,
  row: number,
  rows: number,
  inner: number,
): void {
  product(a, 0, 1, rows, b, at, row, 1, out, at, row, rows, inner, width);
}

/** out[rows, n] = row[n] in every row: seeds a product with its bias. */
export function repeatRow(row: Float64Array, rows: number, out: Float64Array, outAt: number): void {
  const columns = row.length;
  for (let r = 0, at = outAt; r < rows; r++, at += columns) {
    for (let c = 0; c < columns; c++) out[at + c] = row[c];
  }
}

/** out[n] += Σ over rows of matrix[rows, n]: the gradient of a bias; four columns at a time, as in `product`. */
export function addRows(matrix: Float64Array, rows: number, out: Float64Array): void {
  const columns = out.length;
  const tiled = columns - (columns % 4);
  for (let c = 0; c < tiled; c += 4) {
    let s0 = out[c];
    let s1 = out[c + 1];
    let s2 = out[c + 2];
    let s3 = out[c + 3];
    for (let r = 0, i = c; r < rows; r++, i += columns) {
      s0 += matrix[i];
      s1 += matrix[i + 1];
      s2 += matrix[i + 2];
      s3 += matrix[i + 3];
    }
    out[c] = s0;
    out[c + 1] = s1;
    out[c + 2] = s2;
    out[c + 3] = s3;
  }
  for (let c = tiled; c < columns; c++) {
    for (let r = 0; r < rows; r++) out[c] += matrix[r * columns + c];
  }
}
