import type { LoadedBackend } from '../../../src/index';

/** Largest and root-mean-square error of an elementary function, in units of u |f(x)|. */
export interface FunctionError {
  readonly name: 'tanh' | 'sigmoid' | 'exp' | 'log';
  readonly largest: number;
  readonly rootMeanSquare: number;
  /** where the largest is */ readonly at: number;
  readonly points: number;
}

const functions = [
  { name: 'tanh', from: 2 ** -13, to: 9.2, exact: Math.tanh, signs: [1, -1] },
  { name: 'sigmoid', from: 2 ** -13, to: 87, exact: sigmoid, signs: [1, -1] },
  { name: 'exp', from: 2 ** -20, to: 87, exact: Math.exp, signs: [-1] },
  { name: 'log', from: 1, to: 64, exact: Math.log, signs: [1] },
] as const;

/** σ(x), whose e^-x neither overflows nor cancels */
function sigmoid(x: number): number {
  return x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
}

/**
 * Measures the errors of a backend's tanh, sigmoid, exp and log against double precision: every `stride`-th single-precision number of
 * every octave of the range that a network uses. A stride of 1 is exhaustive. Results below 2^-126 are left out (flushing).
 */
export async function measureConstants(backend: LoadedBackend, stride = 61): Promise<FunctionError[]> {
  backend.use();
  const { tf } = backend;
  const found: FunctionError[] = [];
  for (const { name, from, to, exact, signs } of functions) {
    let largest = 0;
    let at = NaN;
    let squares = 0;
    let points = 0;
    for (const sign of signs) {
      for (const xs of batches(from, to, stride, sign)) {
        const result = tf.tidy(() => tf[name](tf.tensor1d(xs)));
        const values = await result.data();
        result.dispose();
        xs.forEach((x, i) => {
          const truth = exact(x);
          if (!(Math.abs(truth) >= 2 ** -126)) return;
          const error = Math.abs(values[i] - truth) / Math.abs(truth) / 2 ** -24;
          squares += error * error;
          points++;
          if (!(error <= largest)) {
            largest = error;
            at = x;
          }
        });
      }
    }
    found.push({ name, largest, rootMeanSquare: Math.sqrt(squares / points), at, points });
  }
  return found;
}

/** Single-precision numbers between two positive ones, by their bit patterns, a million at a time. */
function* batches(from: number, to: number, stride: number, sign: number): Generator<Float32Array> {
  const [first, last] = new Uint32Array(Float32Array.of(from, to).buffer);
  const most = 1 << 20;
  for (let start = first; start <= last; start += stride * most) {
    const count = Math.min(most, Math.floor((last - start) / stride) + 1);
    const bits = Uint32Array.from({ length: count }, (_, i) => start + i * stride);
    const values = new Float32Array(bits.buffer);
    yield sign < 0 ? values.map((x) => -x) : values;
  }
}
