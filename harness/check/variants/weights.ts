import type { Tensor } from '../../../scratch/index';
import { taken, transposed } from '../../base/tensor-moves';
import type { ModelLayer } from '../../models/index';

export type Weights = ModelLayer['weights'];

/** The weights with other numbers in one of them. */
export function withData(weights: Weights, name: string, change: (x: number, i: number) => number): Weights {
  const { data, shape } = weights[name];
  return { ...weights, [name]: { data: data.map(change), shape } };
}

export const zeroed = (weights: Weights, name: string): Weights => withData(weights, name, () => 0);

/** The numbers of the transposed matrix, read as the matrix. */
export const readTransposed = (tensor: Tensor): Tensor => ({
  ...transposed(tensor, [1, 0]),
  shape: tensor.shape,
});

/** Every block of columns, which has as many columns as rows, transposed by itself. */
export function blocksTransposed(tensor: Tensor, blocks: number): Tensor {
  const [rows, columns] = tensor.shape;
  const view = { ...tensor, shape: [rows, blocks, columns / blocks] };
  return { ...transposed(view, [2, 1, 0]), shape: tensor.shape };
}

/** The blocks of columns of some weights in another order. */
export function reordered(weights: Weights, names: readonly string[], order: readonly number[]): Weights {
  const changed = names
    .filter((name) => name in weights)
    .map((name) => {
      const { data, shape } = weights[name];
      const width = shape[shape.length - 1] / order.length;
      const view = { data, shape: [data.length / width / order.length, order.length, width] };
      return [name, { ...taken(view, 1, order), shape }] as const;
    });
  return { ...weights, ...Object.fromEntries(changed) };
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
export const axesExchanged = (tensor: Tensor): Tensor =>
  tensor.shape.length === 3 ? transposed(tensor, [1, 0, 2]) : tensor;

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
