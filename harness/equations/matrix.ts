/** Row-major numbers; [rows, columns] is known to whoever holds them. */
export type Matrix = Float64Array;

/** Factors that are not zero, and where their rows begin: up to four terms at a time go to a row of a product. */
const factors = new Float64Array(4);
const starts = new Int32Array(4);

/** row += Σ factor · row of b for the first `found` of `factors`: one term after the other, as if each went by itself */
function addRows(out: Matrix, to: number, b: Matrix, n: number, found: number): void {
  if (found === 4) {
    const [x0, x1, x2, x3] = [factors[0], factors[1], factors[2], factors[3]];
    const [r0, r1, r2, r3] = [starts[0], starts[1], starts[2], starts[3]];
    for (let j = 0; j < n; j++)
      out[to + j] = out[to + j] + x0 * b[r0 + j] + x1 * b[r1 + j] + x2 * b[r2 + j] + x3 * b[r3 + j];
    return;
  }
  for (let f = 0; f < found; f++) {
    const x = factors[f];
    for (let j = 0, r = starts[f]; j < n; j++) out[to + j] += x * b[r + j];
  }
}

/** out [m, n] += a [m, k] b [k, n], or a [m, k] b [n, k]ᵀ */
export function addProduct(
  out: Matrix,
  a: Matrix,
  b: Matrix,
  [m, k, n]: readonly [number, number, number],
  transposed = false,
): Matrix {
  if (transposed) {
    for (let i = 0; i < m; i++) addDots(out, i * n, a, i * k, b, k, n);
    return out;
  }
  for (let i = 0; i < m; i++)
    for (let l = 0; l < k;) {
      let found = 0;
      for (; l < k && found < 4; l++) {
        const x = a[i * k + l];
        if (x === 0) continue;
        factors[found] = x;
        starts[found++] = l * n;
      }
      addRows(out, i * n, b, n, found);
    }
  return out;
}

/** row [n] += Σ_l of a row of a with every row of b [n, k] */
function addDots(out: Matrix, to: number, a: Matrix, from: number, b: Matrix, k: number, n: number): void {
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    let [d0, d1, d2, d3] = [0, 0, 0, 0];
    for (let l = 0, r = j * k; l < k; l++, r++) {
      const x = a[from + l];
      d0 += x * b[r];
      d1 += x * b[r + k];
      d2 += x * b[r + 2 * k];
      d3 += x * b[r + 3 * k];
    }
    out[to + j] += d0;
    out[to + j + 1] += d1;
    out[to + j + 2] += d2;
    out[to + j + 3] += d3;
  }
  for (; j < n; j++) {
    let dot = 0;
    for (let l = 0; l < k; l++) dot += a[from + l] * b[j * k + l];
    out[to + j] += dot;
  }
}

/** The numbers of a matrix that are not zero, row by row. */
export interface Sparse {
  /** of each row, and the number of all */ readonly starts: Int32Array;
  readonly columns: Int32Array;
  readonly values: Matrix;
}

const sparse = new WeakMap<Matrix, Sparse | null>();

/** Of a matrix most of which is zero, found once; undefined for any other: a probe has an identity in each kernel. */
export function sparseOf(b: Matrix, columns: number): Sparse | undefined {
  let known = sparse.get(b);
  if (known === undefined) sparse.set(b, (known = makeSparse(b, columns)));
  return known ?? undefined;
}

function makeSparse(b: Matrix, columns: number): Sparse | null {
  const count = b.reduce((n, x) => (x === 0 ? n : n + 1), 0);
  if (4 * count > b.length) return null;
  const made = {
    starts: new Int32Array(b.length / columns + 1),
    columns: new Int32Array(count),
    values: new Float64Array(count),
  };
  let n = 0;
  b.forEach((x, at) => {
    if (x === 0) return;
    made.columns[n] = at % columns;
    made.values[n++] = x;
    made.starts[Math.floor(at / columns) + 1] = n;
  });
  for (let row = 1; row < made.starts.length; row++)
    made.starts[row] = Math.max(made.starts[row], made.starts[row - 1]);
  return made;
}

/** `addProduct` without the terms that are zero. They change no sum that begins with 0, so that it is the same to the last bit where a is finite. */
export function addSparseProduct(
  out: Matrix,
  a: Matrix,
  { starts, columns, values }: Sparse,
  [m, k, n]: readonly [number, number, number],
  transposed: boolean,
): Matrix {
  for (let i = 0; i < m; i++)
    if (transposed)
      for (let j = 0; j < n; j++) {
        let dot = 0;
        for (let e = starts[j]; e < starts[j + 1]; e++) dot += a[i * k + columns[e]] * values[e];
        out[i * n + j] += dot;
      }
    else
      for (let l = 0; l < k; l++) {
        const x = a[i * k + l];
        if (x !== 0) for (let e = starts[l]; e < starts[l + 1]; e++) out[i * n + columns[e]] += x * values[e];
      }
  return out;
}

/** out [k, n] += a [m, k]ᵀ b [m, n]; the sum of b's rows where there is no a */
export function addOuter(out: Matrix, a: Matrix | undefined, b: Matrix, m: number): Matrix {
  const k = a === undefined ? 1 : a.length / m;
  const n = b.length / m;
  for (let l = 0; l < k; l++)
    for (let i = 0; i < m;) {
      let found = 0;
      for (; i < m && found < 4; i++) {
        const x = a === undefined ? 1 : a[i * k + l];
        if (x === 0) continue;
        factors[found] = x;
        starts[found++] = i * n;
      }
      addRows(out, l * n, b, n, found);
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
