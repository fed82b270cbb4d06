import type { Tensor } from '../../../scratch/index';
import type { ModelLayer } from '../../models/index';

export type Weights = ModelLayer['weights'];

/** The weights with other numbers in one of them. */
export function withData(weights: Weights, name: string, change: (x: number, i: number) => number): Weights {
  const { data, shape } = weights[name];
  return { ...weights, [name]: { data: data.map(change), shape } };
}

export const zeroed = (weights: Weights, name: string): Weights => withData(weights, name, () => 0);

/** Every block of columns transposed by itself. */
export function blocksTransposed({ data, shape: [rows, columns] }: Tensor, blocks: number): Tensor {
  const width = columns / blocks;
  return {
    shape: [rows, columns],
    data: data.map((_, n) => {
      const [i, j] = [Math.floor(n / columns), n % columns];
      return data[(j % width) * columns + (j - (j % width)) + i];
    }),
  };
}

/** The blocks of columns of some weights in another order. */
export function reordered(weights: Weights, names: readonly string[], order: readonly number[]): Weights {
  return names
    .filter((name) => name in weights)
    .reduce((changed, name) => {
      const { data, shape } = weights[name];
      const columns = shape[shape.length - 1];
      const width = columns / order.length;
      return withData(changed, name, (_, n) => {
        const column = n % columns;
        return data[n - column + order[Math.floor(column / width)] * width + (n % width)];
      });
    }, weights);
}

/** Every order of n things but the one that they are in. */
export function permutations(n: number): number[][] {
  const all = (rest: readonly number[]): number[][] =>
    rest.length === 0
      ? [[]]
      : rest.flatMap((one) => all(rest.filter((other) => other !== one)).map((tail) => [one, ...tail]));
  return all(Array.from({ length: n }, (_, i) => i)).filter((order) => order.some((one, i) => one !== i));
}

/** Batch and time exchanged. */
export function axesExchanged(tensor: Tensor): Tensor {
  const { data, shape } = tensor;
  if (shape.length !== 3) return tensor;
  const [rows, columns, width] = shape;
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const from = (i * columns + j) * width;
      out.set(data.subarray(from, from + width), (j * rows + i) * width);
    }
  return { data: out, shape: [columns, rows, width] };
}

/** As tensorflowjs_converter does: steps of (max - min) / levels, zero exact. */
export function quantised(data: Float64Array, levels: number): Float64Array {
  const [low, high] = data.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity]);
  const scale = (high - low) / levels;
  if (!(scale > 0)) return data;
  const start = low > 0 || high < 0 ? low : Math.round(low / scale) * scale;
  return data.map((x) => Math.fround(Math.round((x - start) / scale) * scale + start));
}

/** Rounded to so many significant bits. */
export function toPrecision(x: number, bits: number): number {
  if (x === 0) return 0;
  const step = 2 ** (Math.floor(Math.log2(Math.abs(x))) - bits + 1);
  return Math.round(x / step) * step;
}
