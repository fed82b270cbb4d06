/**
 * out(r, c) += Σ_k a(r, k) · b(k, c), with out(r, c) = out[outAt + r·outRow + c], a(r, k) = a[aAt + r·aRow + k·aStep] and
 * b(k, c) = b[bAt + k·bStep + c·bColumn].
 * Every sum is taken one product after the other, in the order of k, on top of what `out` holds.
 *
 * Why the code below looks so: a product of n x n matrices does n³ multiplications on n² numbers, and the textbook's
 * three loops spend their time fetching the same numbers again, 2 for each multiplication. Here a tile of several rows
 * and columns of `out` is computed at once; its sums stay in registers and share what is fetched. Ragged ends need no
 * code of their own: a tile that is too large does the last row or column again, with the same result.
 *
 * There are two tiles. `directly` is for small matrices, which are over before anything could be prepared. `inPanels`
 * first copies both matrices into panels, in the order in which its tile reads them: then the inner loop has one
 * direction whatever the strides, and reads arrays whose place and length the compiler knows, each at the same index:
 * one check of the index serves several, which halves the instructions. That pays from some thousand multiplications
 * on, and is then about 6 times the textbook's speed.
 */
export function product(
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
  outRow: number,
  rows: number,
  inner: number,
  columns: number,
): void {
  if (rows * inner * columns < smallest) {
    directly(a, aAt, aRow, aStep, b, bAt, bStep, bColumn, out, outAt, outRow, rows, inner, columns);
  } else {
    inPanels(a, aAt, aRow, aStep, b, bAt, bStep, bColumn, out, outAt, outRow, rows, inner, columns);
  }
}

/** Multiplications from which panels pay. */
const smallest = 4096;

/**
 * In tiles of 2 x 4: 8 multiplications for 6 fetches. The `| 0` tells the compiler that an index is a 32-bit integer. The tiles go down
 * the columns, not along the rows, so that what a tile has to know about its columns is worked out once for all rows.
 */
function directly(
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
  outRow: number,
  rows: number,
  inner: number,
  columns: number,
): void {
  for (let c = 0; c < columns; c += 4) {
    const last = columns - c - 1;
    const right1 = Math.min(1, last);
    const right2 = Math.min(2, last);
    const right3 = Math.min(3, last);
    const toColumn1 = right1 * bColumn;
    const toColumn2 = right2 * bColumn;
    const toColumn3 = right3 * bColumn;
    for (let r = 0; r < rows; r += 2) {
      const below = Math.min(1, rows - r - 1);
      const toRow1 = below * aRow;
      const row0 = outAt + r * outRow + c;
      const row1 = row0 + below * outRow;
      let s00 = out[row0];
      let s01 = out[row0 + right1];
      let s02 = out[row0 + right2];
      let s03 = out[row0 + right3];
      let s10 = out[row1];
      let s11 = out[row1 + right1];
      let s12 = out[row1 + right2];
      let s13 = out[row1 + right3];
      let i = aAt + r * aRow;
      let j = bAt + c * bColumn;
      for (let k = 0; k < inner; k++) {
        const a0 = a[i];
        const a1 = a[(i + toRow1) | 0];
        const b0 = b[j];
        const b1 = b[(j + toColumn1) | 0];
        const b2 = b[(j + toColumn2) | 0];
        const b3 = b[(j + toColumn3) | 0];
        s00 += a0 * b0;
        s01 += a0 * b1;
        s02 += a0 * b2;
        s03 += a0 * b3;
        s10 += a1 * b0;
        s11 += a1 * b1;
        s12 += a1 * b2;
        s13 += a1 * b3;
        i = (i + aStep) | 0;
        j = (j + bStep) | 0;
      }
      out[row0] = s00;
      out[row0 + right1] = s01;
      out[row0 + right2] = s02;
      out[row0 + right3] = s03;
      out[row1] = s10;
      out[row1 + right1] = s11;
      out[row1 + right2] = s12;
      out[row1 + right3] = s13;
    }
  }
}

/** Steps of a sum that fit in the panels; the sum goes on in the next ones. */
const panelSteps = 128;
/** Numbers of `a` that fit in each of its panels: a power of two, for the `&` in `tile`. */
const panelSize = 2 ** 13;
/** Rows of `a` that fit. */
const panelRows = (3 * panelSize) / panelSteps;
/** Rows 0, 3, 6, ... of `a`, and those below each of them: [rows / 3, steps] */
const rows0 = new Float64Array(panelSize);
const rows1 = new Float64Array(panelSize);
const rows2 = new Float64Array(panelSize);
/** Two columns of `b`: [steps] */
const column0 = new Float64Array(panelSteps);
const column1 = new Float64Array(panelSteps);

/** Through panels, in tiles of 3 x 2. */
function inPanels(
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
  outRow: number,
  rows: number,
  inner: number,
  columns: number,
): void {
  for (let from = 0; from < inner; from += panelSteps) {
    const steps = Math.min(panelSteps, inner - from);
    for (let top = 0; top < rows; top += panelRows) {
      const height = Math.min(panelRows, rows - top);
      fillPanelsOfA(a, aAt + top * aRow + from * aStep, aRow, aStep, height, steps);
      for (let c = 0; c < columns; c += 2) {
        const right = Math.min(1, columns - c - 1);
        fillPanelsOfB(b, bAt + from * bStep + c * bColumn, bStep, right * bColumn, steps);
        for (let r = 0; r < height; r += 3) {
          const toRow1 = Math.min(1, height - r - 1) * outRow;
          const toRow2 = Math.min(2, height - r - 1) * outRow;
          tile((r / 3) * steps, steps, out, outAt + (top + r) * outRow + c, right, toRow1, toRow2);
        }
      }
    }
  }
}

/** Rows r, r + 1 and r + 2, step by step; the last row stands in for those after it. */
function fillPanelsOfA(
  a: Float64Array,
  at: number,
  aRow: number,
  aStep: number,
  height: number,
  steps: number,
): void {
  let p = 0;
  for (let r = 0; r < height; r += 3) {
    const toRow1 = Math.min(1, height - r - 1) * aRow;
    const toRow2 = Math.min(2, height - r - 1) * aRow;
    for (let k = 0; k < steps; k++) {
      const i = at + r * aRow + k * aStep;
      rows0[p] = a[i];
      rows1[p] = a[i + toRow1];
      rows2[p] = a[i + toRow2];
      p++;
    }
  }
}

/** The columns at `at` and `toRight` from there, step by step. */
function fillPanelsOfB(b: Float64Array, at: number, bStep: number, toRight: number, steps: number): void {
  for (let k = 0; k < steps; k++) {
    const j = at + k * bStep;
    column0[k] = b[j];
    column1[k] = b[j + toRight];
  }
}

/**
 * Adds to 3 x 2 elements of `out`: 6 multiplications for 5 fetches. (V8 computes all products of a step before it adds
 * the first one, so 8 sums and their products no longer fit into 15 registers, and a sum that waits in memory costs
 * more than the fetch it saves.) The `| 0` and `&` change no number, and tell the compiler that the indices are small.
 */
function tile(
  panelAt: number,
  steps: number,
  out: Float64Array,
  row0: number,
  right: number,
  toRow1: number,
  toRow2: number,
): void {
  const row1 = row0 + toRow1;
  const row2 = row0 + toRow2;
  let s00 = out[row0];
  let s01 = out[row0 + right];
  let s10 = out[row1];
  let s11 = out[row1 + right];
  let s20 = out[row2];
  let s21 = out[row2 + right];
  const start = panelAt & (panelSize - 1);
  const end = Math.min(steps | 0, panelSteps);
  for (let k = 0; k < end; k++) {
    const i = start + k;
    const a0 = rows0[i];
    const a1 = rows1[i];
    const a2 = rows2[i];
    const b0 = column0[k];
    const b1 = column1[k];
    s00 += a0 * b0;
    s01 += a0 * b1;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s20 += a2 * b0;
    s21 += a2 * b1;
  }
  out[row0] = s00;
  out[row0 + right] = s01;
  out[row1] = s10;
  out[row1 + right] = s11;
  out[row2] = s20;
  out[row2 + right] = s21;
}
