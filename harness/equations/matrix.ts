/** Row-major numbers; [rows, columns] is known to whoever holds them. */
export type Matrix = Float64Array;

/** out [m, n] += a [m, k] b [k, n], or a [m, k] b [n, k]ᵀ */
export function addProduct(
  out: Matrix,
  a: Matrix,
  b: Matrix,
  [m, k, n]: readonly [number, number, number],
  transposed = false,
): Matrix {
  if (transposed) {
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let dot = 0;
        for (let l = 0; l < k; l++) dot += a[i * k + l] * b[j * k + l];
        out[i * n + j] += dot;
      }
    return out;
  }
  for (let i = 0; i < m; i++)
    for (let l = 0; l < k; l++) {
      const x = a[i * k + l];
      if (x === 0) continue;
      for (let j = 0, o = i * n, r = l * n; j < n; j++) out[o + j] += x * b[r + j];
    }
  return out;
}

/** out [k, n] += a [m, k]ᵀ b [m, n]; the sum of b's rows where there is no a */
export function addOuter(out: Matrix, a: Matrix | undefined, b: Matrix, m: number): Matrix {
  const k = a === undefined ? 1 : a.length / m;
  const n = b.length / m;
  for (let i = 0; i < m; i++)
    for (let l = 0; l < k; l++) {
      const x = a === undefined ? 1 : a[i * k + l];
      if (x === 0) continue;
      for (let j = 0; j < n; j++) out[l * n + j] += x * b[i * n + j];
    }
  return out;
}

/** Columns from..to of a [rows, columns] */
export function columnsOf(a: Matrix, rows: number, from: number, to: number): Matrix {
  const columns = a.length / rows;
  const out = new Float64Array(rows * (to - from));
  for (let i = 0; i < rows; i++) out.set(a.subarray(i * columns + from, i * columns + to), i * (to - from));
  return out;
}

/** Matrices of as many rows, side by side */
export function sideBySide(parts: readonly Matrix[], rows: number): Matrix {
  const columns = parts.reduce((sum, part) => sum + part.length / rows, 0);
  const out = new Float64Array(rows * columns);
  let at = 0;
  for (const part of parts) {
    const width = part.length / rows;
    for (let i = 0; i < rows; i++) out.set(part.subarray(i * width, (i + 1) * width), i * columns + at);
    at += width;
  }
  return out;
}

/** Matrices of as many columns, one below the other */
export function below(parts: readonly Matrix[]): Matrix {
  const out = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Row i of `real` where live[i] is 1, else row i of `kept` */
export function selectRows(live: Uint8Array, real: Matrix, kept: Matrix): Matrix {
  const columns = real.length / live.length;
  const out = real.slice();
  live.forEach((alive, i) => {
    if (alive !== 1) out.set(kept.subarray(i * columns, (i + 1) * columns), i * columns);
  });
  return out;
}

/** Largest |element|; 0 for none */
export function largest(a: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < a.length; i++) max = Math.max(max, Math.abs(a[i]));
  return max;
}
