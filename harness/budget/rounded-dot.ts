/** How a dot product of single-precision numbers is summed; real libraries do all of these. */
export type DotOrder =
  /** one rounded product and one rounded addition after the other */
  | 'sequential'
  /** backwards, product and addition rounded once together (fused multiply-add) */
  | 'reversedFused'
  /** eight partial sums side by side, then a tree (SIMD) */
  | 'lanes'
  /** summed in double precision, rounded once at the end */
  | 'double'
  /** double precision within blocks of 48 terms, single between blocks: the `cpu` backend of TensorFlow.js */
  | 'blocks';

/** A matrix whose element [i, j] is `data[i * rowStride + j * columnStride]`: transposing costs nothing. */
export interface Strided {
  readonly data: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

export function strided(data: ArrayLike<number>, rows: number, columns: number): Strided {
  return { data, rows, columns, rowStride: columns, columnStride: 1 };
}

export function transposed({ data, rows, columns, rowStride, columnStride }: Strided): Strided {
  return { data, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride };
}

/** Element [i, j] of left right, every operation rounded to single precision in the given order. */
export function roundedDot(
  left: Strided,
  right: Strided,
  i: number,
  j: number,
  order: DotOrder,
  fround = Math.fround,
): number {
  const n = left.columns;
  if (products.length < n) products = new Float64Array(2 * n);
  let l = i * left.rowStride;
  let r = j * right.columnStride;
  for (let k = 0; k < n; k++) {
    products[k] = left.data[l] * right.data[r];
    l += left.columnStride;
    r += right.rowStride;
  }
  return roundedSum(n, products, order, fround);
}

/** Kept between calls: there are millions of them, and each would leave an array behind. */
let products = new Float64Array(64);
const lanes = new Float64Array(8);

/** Sum of the first n terms, which are exact (a product of two single-precision numbers is, in double precision). */
export function roundedSum(
  n: number,
  terms: ArrayLike<number>,
  order: DotOrder,
  fround = Math.fround,
): number {
  let sum = 0;
  switch (order) {
    case 'sequential':
      for (let k = 0; k < n; k++) sum = fround(sum + fround(terms[k]));
      return sum;
    case 'reversedFused':
      for (let k = n - 1; k >= 0; k--) sum = fround(sum + terms[k]);
      return sum;
    case 'double':
      for (let k = 0; k < n; k++) sum += terms[k];
      return fround(sum);
    case 'blocks':
      for (let start = 0; start < n; start += 48) {
        let block = 0;
        for (let k = start; k < Math.min(start + 48, n); k++) block += terms[k];
        sum = fround(sum + block);
      }
      return sum;
    case 'lanes': {
      lanes.fill(0);
      for (let k = 0; k < n; k++) lanes[k % 8] = fround(lanes[k % 8] + fround(terms[k]));
      for (let width = 4; width >= 1; width /= 2)
        for (let k = 0; k < width; k++) lanes[k] = fround(lanes[k] + lanes[k + width]);
      return lanes[0];
    }
  }
}
