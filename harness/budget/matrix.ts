/** Flat row-major matrices; every product adds to `out`, so that sums over time need no temporaries. */
export type Matrix = Float64Array;

/** out [m, n] += a [m, k] b [k, n] */
export function addProduct(out: Matrix, a: Matrix, b: Matrix, m: number, k: number, n: number): Matrix {
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      const x = a[i * k + l];
      if (x === 0) continue;
      for (let j = 0, o = i * n, r = l * n; j < n; j++) out[o + j] += x * b[r + j];
    }
  }
  return out;
}

/** out [m, n] += a [m, k] b [n, k]^T */
export function addProductTransposed(
  out: Matrix,
  a: Matrix,
  b: Matrix,
  m: number,
  k: number,
  n: number,
): Matrix {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += a[i * k + l] * b[j * k + l];
      out[i * n + j] += sum;
    }
  }
  return out;
}

/** out [k, n] += a [m, k]^T b [m, n] */
export function addTransposedProduct(
  out: Matrix,
  a: Matrix,
  b: Matrix,
  m: number,
  k: number,
  n: number,
): Matrix {
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      const x = a[i * k + l];
      if (x === 0) continue;
      for (let j = 0, o = l * n, r = i * n; j < n; j++) out[o + j] += x * b[r + j];
    }
  }
  return out;
}

/** out [n] += sum over the rows of a [m, n] */
export function addRows(out: Matrix, a: Matrix, m: number, n: number): Matrix {
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[j] += a[i * n + j];
  return out;
}

/** |a|, element by element */
export function absolute(a: Matrix): Matrix {
  return a.map(Math.abs);
}

/** a * a, element by element */
export function squared(a: Matrix): Matrix {
  return a.map((x) => x * x);
}

/** Largest |element|; 0 for none. */
export function largest(a: ArrayLike<number> | undefined): number {
  let max = 0;
  if (a !== undefined) for (let i = 0; i < a.length; i++) max = Math.max(max, Math.abs(a[i]));
  return max;
}

/** Root of the mean square, safe from under- and overflow; 0 for none. */
export function rootMeanSquare(a: ArrayLike<number>): number {
  const scale = largest(a);
  if (scale === 0 || !Number.isFinite(scale)) return scale;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] / scale) ** 2;
  return scale * Math.sqrt(sum / a.length);
}
