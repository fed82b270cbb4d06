import type { LoadedBackend } from '../../../src/index';
import { measureConstants, type FunctionError } from './function-errors';

/** How a device computes, measured on it. Shown alongside the budgets, and never part of one: a device would excuse its own faults. */
export interface ArithmeticFacts {
  /** coarse: every 1,021st number of each octave */ readonly functions: readonly FunctionError[];
  /** largest |tanh error| in u, absolute */ readonly tanhAbsolute: number;
  /** numbers below 2^-126 become zero */ readonly flushesSubnormals: boolean;
  /** 1 + 2^-12 is 1: a significand of 11 bits, half precision */ readonly halfPrecision: boolean;
  /** of 256 products: `one after the other` where the bits are those of that order, else `in another order, or fused` */
  readonly sums: 'one after the other' | 'in another order, or fused';
  /** of 4,096 quotients, how many are not the nearest number */ readonly divisionsNotNearest: number;
}

const terms = 256;

/** Measures a backend; every read is asynchronous. */
export async function describeArithmetic(backend: LoadedBackend, stride = 65_521): Promise<ArithmeticFacts> {
  backend.use();
  const { tf } = backend;
  const read = async (make: () => ReturnType<typeof tf.add>): Promise<Float32Array> => {
    const tensor = tf.tidy(make);
    try {
      return Float32Array.from(await tensor.data());
    } finally {
      tensor.dispose();
    }
  };
  const grid = Float32Array.from({ length: 4096 }, (_, i) => ((i % 64) + 1) / 16);
  const other = Float32Array.from({ length: 4096 }, (_, i) => (Math.floor(i / 64) + 3) / 7);
  const [tanh, tiny, one, quotients] = [
    await read(() => tf.tanh(tf.tensor1d(grid.map((x) => x / 1024)))),
    await read(() => tf.mul(tf.tensor1d([2 ** -126, 1]), tf.scalar(0.5))),
    await read(() => tf.add(tf.tensor1d([1, 1]), tf.tensor1d([2 ** -12, 1]))),
    await read(() => tf.div(tf.tensor1d(grid), tf.tensor1d(other))),
  ];
  const left = Float32Array.from({ length: terms }, (_, i) => Math.sin(i + 1));
  const right = Float32Array.from({ length: terms }, (_, i) => Math.cos(3 * i));
  const [sum] = await read(() => tf.matMul(tf.tensor2d(left, [1, terms]), tf.tensor2d(right, [terms, 1])));
  const inOrder = left.reduce((all, x, i) => Math.fround(all + Math.fround(x * right[i])), 0);
  return {
    functions: await measureConstants(backend, stride),
    tanhAbsolute: grid.reduce(
      (most, x, i) => Math.max(most, Math.abs(tanh[i] - Math.tanh(x / 1024)) / 2 ** -24),
      0,
    ),
    flushesSubnormals: tiny[0] === 0,
    halfPrecision: one[0] === 1,
    sums: sum === inOrder ? 'one after the other' : 'in another order, or fused',
    divisionsNotNearest: quotients.filter((q, i) => q !== Math.fround(grid[i] / other[i])).length,
  };
}
