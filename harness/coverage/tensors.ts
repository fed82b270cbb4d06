import { createRandom, type Tensor } from '../../scratch/index';
import { largest as largestOf } from '../base/magnitude';
import { fill } from '../problems/index';

export const isZero = ({ data }: Tensor): boolean => data.every((x) => x === 0);

/** Whether there are several numbers, and all are the same. */
export const isEqual = ({ data }: Tensor): boolean => data.length > 1 && data.every((x) => x === data[0]);

/** Whether a tensor is the same at every index of that axis, of which there are several. */
export function isSameAlong({ data, shape }: Tensor, axis: number): boolean {
  const inner = shape.slice(axis + 1).reduce((size, n) => size * n, 1);
  return (
    shape[axis] > 1 &&
    data.every((x, i) => Math.floor(i / inner) % shape[axis] === 0 || x === data[i - inner])
  );
}

export const largest = ({ data }: Tensor): number => largestOf(data);

/** Every number sent through `next`, exact in float32. */
export function map({ data, shape }: Tensor, next: (x: number, i: number) => number): Tensor {
  return { data: data.map((x, i) => Math.fround(next(x, i))), shape };
}

/** Numbers from -size to size. */
export function random(shape: readonly number[], seed: number, size: number): Tensor {
  const source = createRandom(seed);
  return fill(shape, () => Math.fround(size * (2 * source.uniform() - 1)));
}

/** Every number once to twice as large as it was, each by a factor of its own: signs and zeros stay. */
export function varied(tensor: Tensor, seed: number): Tensor {
  const source = createRandom(seed);
  return map(tensor, (x) => x * (1 + source.uniform()));
}
