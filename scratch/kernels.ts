/**
 * The three matrix products of a network and its gradients, on flat row-major arrays.
 *
 * Each one adds to `out`, so seed `out` first: with zeros, a bias, or a gradient from elsewhere. `aAt`, `bAt` and
 * `outAt` say where a matrix starts in its array. Every element of `out` is summed in the order of the index that is
 * summed over, so results do not depend on how the loops are arranged.
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
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let sum = out[outAt + r * columns + c];
      for (let k = 0; k < inner; k++) sum += a[aAt + r * inner + k] * b[k * columns + c];
      out[outAt + r * columns + c] = sum;
    }
  }
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
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let sum = out[outAt + r * columns + c];
      for (let k = 0; k < inner; k++) sum += a[aAt + r * inner + k] * b[c * inner + k];
      out[outAt + r * columns + c] = sum;
    }
  }
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
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let sum = out[r * columns + c];
      for (let k = 0; k < inner; k++) sum += a[aAt + k * rows + r] * b[bAt + k * columns + c];
      out[r * columns + c] = sum;
    }
  }
}

/** out[rows, n] = row[n] in every row: seeds a product with its bias. */
export function repeatRow(row: Float64Array, rows: number, out: Float64Array, outAt: number): void {
  const columns = row.length;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[outAt + r * columns + c] = row[c];
  }
}

/** out[n] += Σ over rows of matrix[rows, n]: the gradient of a bias. */
export function addRows(matrix: Float64Array, rows: number, out: Float64Array): void {
  const columns = out.length;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c] += matrix[r * columns + c];
  }
}
