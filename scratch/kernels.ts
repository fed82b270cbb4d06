/**
 * The three matrix products of a network and its gradients, on flat row-major arrays.
 *
 * Each one adds to `out`, so seed `out` first: with zeros, a bias, or a gradient from elsewhere. `aAt`, `bAt` and
 * `outAt` say where a matrix starts in its array. Every element of `out` is summed one product after the other, in the
 * order of the index that is summed over, so results do not depend on how the loops are arranged: bit for bit what the
 * textbook's three nested loops give.
 *
 * Why they look so: a product of n x n matrices does n³ multiplications on n² numbers, and the textbook's loops spend
 * their time fetching the same numbers again. `product` computes tiles of 2 x 4 elements of `out`. Their 8 sums stay in
 * registers while each step of the sum fetches 2 numbers of `a` and 4 of `b`: 6 fetches for 8 multiplications instead of
 * 16. (Larger tiles need more than the 16 floating point registers of x86-64, and get slower.) The 4 columns of `b` are
 * first copied side by side into a panel that all rows share, so that the inner loop reads it in one direction whatever
 * the strides, and ragged ends need no code of their own: the panel is filled up with zeros, and a last odd row is done
 * twice. Together that is about 4 times the textbook's speed, from plain JavaScript.
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
  product(a, aAt, inner, 1, b, 0, columns, 1, out, outAt, rows, inner, columns);
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
  product(a, aAt, inner, 1, b, 0, 1, inner, out, outAt, rows, inner, columns);
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
  product(a, aAt, 1, rows, b, bAt, columns, 1, out, 0, rows, inner, columns);
}

/** Steps of a sum that fit in the panel; the sum goes on in the next one. */
const panelSteps = 128;
const panel = new Float64Array(4 * panelSteps);

/**
 * out[r, c] += Σ_k a(r, k) · b(k, c), with a(r, k) = a[aAt + r·aRow + k·aStep] and b(k, c) = b[bAt + k·bStep + c·bColumn].
 * The `| 0` tells the compiler that an index is a 32-bit integer.
 */
function product(
  a: Float64Array,
  aAt: number,
  aRow: number,
  aStep: number,
  b: Float64Array,
  bAt: number,
  bStep: number,
  bColumn: number,
  out: Float64Array,
  outAt: number,
  rows: number,
  inner: number,
  columns: number,
): void {
  for (let from = 0; from < inner; from += panelSteps) {
    const steps = Math.min(panelSteps, inner - from);
    for (let c = 0; c < columns; c += 4) {
      const width = Math.min(4, columns - c);
      fillPanel(b, bAt + from * bStep + c * bColumn, bStep, bColumn, steps, width);
      for (let r = 0; r < rows; r += 2) {
        const next = Math.min(r + 1, rows - 1);
        const o0 = outAt + r * columns + c;
        const o1 = outAt + next * columns + c;
        let i0 = aAt + from * aStep + r * aRow;
        let i1 = aAt + from * aStep + next * aRow;
        let s00 = out[o0];
        let s10 = out[o1];
        let s01 = width > 1 ? out[o0 + 1] : 0;
        let s11 = width > 1 ? out[o1 + 1] : 0;
        let s02 = width > 2 ? out[o0 + 2] : 0;
        let s12 = width > 2 ? out[o1 + 2] : 0;
        let s03 = width > 3 ? out[o0 + 3] : 0;
        let s13 = width > 3 ? out[o1 + 3] : 0;
        for (let p = 0; p < 4 * steps; p += 4) {
          const a0 = a[i0];
          const a1 = a[i1];
          const b0 = panel[p];
          const b1 = panel[(p + 1) | 0];
          const b2 = panel[(p + 2) | 0];
          const b3 = panel[(p + 3) | 0];
          s00 += a0 * b0;
          s01 += a0 * b1;
          s02 += a0 * b2;
          s03 += a0 * b3;
          s10 += a1 * b0;
          s11 += a1 * b1;
          s12 += a1 * b2;
          s13 += a1 * b3;
          i0 = (i0 + aStep) | 0;
          i1 = (i1 + aStep) | 0;
        }
        out[o0] = s00;
        out[o1] = s10;
        if (width > 1) {
          out[o0 + 1] = s01;
          out[o1 + 1] = s11;
        }
        if (width > 2) {
          out[o0 + 2] = s02;
          out[o1 + 2] = s12;
        }
        if (width > 3) {
          out[o0 + 3] = s03;
          out[o1 + 3] = s13;
        }
      }
    }
  }
}

/** panel[k, 0..3] = the `width` columns of b from `at` on, then zeros. */
function fillPanel(
  b: Float64Array,
  at: number,
  bStep: number,
  bColumn: number,
  steps: number,
  width: number,
): void {
  for (let k = 0; k < steps; k++) {
    const row = at + k * bStep;
    panel[4 * k] = b[row];
    panel[4 * k + 1] = width > 1 ? b[row + bColumn] : 0;
    panel[4 * k + 2] = width > 2 ? b[row + 2 * bColumn] : 0;
    panel[4 * k + 3] = width > 3 ? b[row + 3 * bColumn] : 0;
  }
}

/** out[rows, n] = row[n] in every row: seeds a product with its bias. */
export function repeatRow(row: Float64Array, rows: number, out: Float64Array, outAt: number): void {
  const length = rows * row.length;
  out.set(row, outAt);
  // copies what is there behind itself, twice as much each time
  for (let done = row.length; done < length; done *= 2) {
    out.copyWithin(outAt + done, outAt, outAt + Math.min(done, length - done));
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
