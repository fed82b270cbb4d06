/** A row of numbers, and rows of them: the whole arithmetic of the networks that carry the planted faults. */
export type Row = readonly number[];
export type Rows = readonly Row[];

/** row [n] times matrix [n, m] */
export function times(row: Row, matrix: Rows): number[] {
  const sum = matrix[0].map(() => 0);
  for (let i = 0; i < row.length; i++) {
    const from = matrix[i];
    for (let j = 0; j < sum.length; j++) sum[j] += row[i] * from[j];
  }
  return sum;
}

export function add(one: Row, other: Row): number[] {
  return one.map((x, i) => x + other[i]);
}

/** one element at a time */
export function multiply(one: Row, other: Row): number[] {
  return one.map((x, i) => x * other[i]);
}

export function scale(row: Row, factor: number): number[] {
  return row.map((x) => x * factor);
}

export function zerosLike(row: Row): number[] {
  return row.map(() => 0);
}

export function transpose(matrix: Rows): number[][] {
  return matrix[0].map((_, j) => matrix.map((row) => row[j]));
}

/** column [n] times row [m]: a matrix [n, m] */
export function outer(column: Row, row: Row): number[][] {
  return column.map((x) => row.map((y) => x * y));
}

/** Adds `more` to `sum`, in place. */
export function accumulate(sum: number[][], more: Rows): void {
  for (let i = 0; i < more.length; i++) for (let j = 0; j < more[i].length; j++) sum[i][j] += more[i][j];
}

/** Whether two rows have one length, so that one may stand in the place of the other. */
export function fits(one: Row | undefined, other: Row): one is Row {
  return one?.length === other.length;
}
