import type { Tensor } from '../../scratch/index';

/*
 * Tensors whose numbers move and change nothing else. What a tensor carries besides its numbers and its shape (how a file stored it) stays.
 */

const countOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The axes in another order: axis k of the result is the axis perm[k]. */
export function transposed<T extends Tensor>(tensor: T, perm: readonly number[]): T {
  const { data, shape } = tensor;
  const to = perm.map((axis) => shape[axis]);
  const strides = perm.map((axis) => countOf(shape.slice(axis + 1)));
  const out = new Float64Array(data.length);
  const index = new Array<number>(to.length).fill(0);
  for (let i = 0, from = 0; i < out.length; i++) {
    out[i] = data[from];
    for (let k = to.length - 1; k >= 0; k--) {
      from += strides[k];
      if (++index[k] < to[k]) break;
      from -= strides[k] * to[k];
      index[k] = 0;
    }
  }
  return { ...tensor, data: out, shape: to };
}

/** The slices of an axis that the positions name, in their order. */
export function taken<T extends Tensor>(tensor: T, axis: number, positions: readonly number[]): T {
  const { data, shape } = tensor;
  const [outer, inner] = [countOf(shape.slice(0, axis)), countOf(shape.slice(axis + 1))];
  const out = new Float64Array(outer * positions.length * inner);
  for (let o = 0; o < outer; o++)
    positions.forEach((position, k) => {
      const from = (o * shape[axis] + position) * inner;
      out.set(data.subarray(from, from + inner), (o * positions.length + k) * inner);
    });
  return { ...tensor, data: out, shape: shape.with(axis, positions.length) };
}

/** Tensors side by side along an axis, in which alone their shapes may differ. */
export function concatenated<T extends Tensor>(parts: readonly T[], axis: number): T {
  const [first] = parts;
  const inner = parts.map(({ shape }) => countOf(shape.slice(axis)));
  const row = inner.reduce((a, b) => a + b, 0);
  const outer = countOf(first.shape.slice(0, axis));
  const out = new Float64Array(outer * row);
  for (let o = 0; o < outer; o++) {
    let at = o * row;
    parts.forEach(({ data }, k) => {
      out.set(data.subarray(o * inner[k], (o + 1) * inner[k]), at);
      at += inner[k];
    });
  }
  const size = parts.reduce((sum, { shape }) => sum + shape[axis], 0);
  return { ...first, data: out, shape: first.shape.with(axis, size) };
}
