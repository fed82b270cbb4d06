import type { Random } from './random';
import { checkMemory, zeros, type Tensor } from './tensor';

/**
 * Uniform in [-limit, limit], limit = sqrt(6 / (rows + columns)): keeps the variance of signals and of gradients
 * alike (Glorot & Bengio 2010). Keras's default for kernels.
 *
 * @returns [rows, columns]
 */
export function glorotUniform(random: Random, rows: number, columns: number): Tensor {
  return uniform(random, rows, columns, Math.sqrt(6 / (rows + columns)));
}

/**
 * Uniform in [-limit, limit]; with 0.05 Keras's default for embeddings.
 *
 * @returns [rows, columns]
 */
export function uniform(random: Random, rows: number, columns: number, limit: number): Tensor {
  return fill(rows, columns, () => limit * (2 * random.uniform() - 1));
}

/**
 * Normal of standard deviation `scale`; 0.01 is the notebook's initialiser.
 *
 * @returns [rows, columns]
 */
export function scaledNormal(random: Random, rows: number, columns: number, scale = 0.01): Tensor {
  return fill(rows, columns, () => scale * random.normal());
}

/**
 * A random orthogonal matrix, uniform over all of them (Saxe et al. 2014; Mezzadri 2007): the Gram-Schmidt process on
 * a matrix of normal numbers. Its rows are orthonormal when rows <= columns, else its columns are.
 * Keras's default for recurrent kernels: repeated multiplication keeps lengths, so early gradients survive.
 *
 * @returns [rows, columns]
 */
export function orthogonal(random: Random, rows: number, columns = rows): Tensor {
  checkMemory('orthogonal', [rows, columns]);
  const count = Math.min(rows, columns);
  const length = Math.max(rows, columns);
  const vectors = Array.from({ length: count }, () => new Float64Array(length));
  for (let i = 0; i < count; i++) {
    const vector = vectors[i];
    for (let k = 0; k < length; k++) vector[k] = random.normal();
    // v_i -= (v_i . v_j) v_j for all j < i; the second pass removes what rounding left of the first
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const overlap = dot(vector, vectors[j]);
        for (let k = 0; k < length; k++) vector[k] -= overlap * vectors[j][k];
      }
    }
    const norm = Math.sqrt(dot(vector, vector));
    for (let k = 0; k < length; k++) vector[k] /= norm;
  }
  const matrix = zeros(rows, columns);
  const byRows = rows <= columns;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) matrix.data[r * columns + c] = byRows ? vectors[r][c] : vectors[c][r];
  }
  return matrix;
}

function fill(rows: number, columns: number, draw: () => number): Tensor {
  const matrix = zeros(rows, columns);
  for (let i = 0; i < matrix.data.length; i++) matrix.data[i] = draw();
  return matrix;
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += x[k] * y[k];
  return sum;
}
