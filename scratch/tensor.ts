import { describe, shown } from './options';

/**
 * A tensor as this room knows it: a flat row-major Float64Array and a shape.
 *
 * Shape letters, here and everywhere: B batch, T time steps, F features, U units, C classes.
 * Element [b, t, u] of a tensor of shape [B, T, U] is `data[(b * T + t) * U + u]`.
 */
export interface Tensor {
  readonly data: Float64Array;
  readonly shape: readonly number[];
}

/** A tensor whose numbers may be an array of the caller: to be read only, and only during the call. */
export interface BorrowedTensor extends Tensor {
  /** the numbers as they arrived, where that was in float32; `data` is then made when it is first read */
  readonly float32?: Float32Array;
}

/** Plain nested arrays of numbers: `[[1, 2], [3, 4]]`. */
export type NestedArray = readonly (number | NestedArray)[];

/** What the boundary checks accept: nested plain arrays, or flat numbers with a shape. */
export type TensorLike =
  NestedArray | { readonly data: ArrayLike<number>; readonly shape: readonly number[] };

/** A size that is fixed (a number) or free (a letter, used in messages). */
export type ExpectedShape = readonly (number | string)[];

/** Product of the sizes; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A tensor of zeros. @throws RangeError on sizes that are no whole numbers from 0, and on a shape that no memory holds */
export function zeros(...shape: number[]): Tensor {
  checkSizes(shape, 'zeros');
  checkMemory('zeros', shape);
  return { data: new Float64Array(sizeOf(shape)), shape };
}

/** Wraps (does not copy) flat row-major data. Throws when the shape does not hold exactly that many numbers. */
export function makeTensor(data: Float64Array, shape: readonly number[]): Tensor {
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(
      `makeTensor: ${data.length} numbers do not fill shape ${formatShape(shape)}, which holds ${sizeOf(shape)}; pass the shape the data was made with.`,
    );
  }
  return { data, shape };
}

/** `[2, 3]` for messages. */
export function formatShape(shape: ExpectedShape): string {
  return `[${shape.join(', ')}]`;
}

/**
 * The boundary check: turns nested arrays, or flat data with a shape, into a Tensor of its own (always a copy).
 *
 * @param name how messages call it, for example `SimpleRNN.forward: inputs`
 * @param expected the shape it must have; letters stand for any size of at least 1
 * @throws RangeError on ragged rows, wrong rank or size, an empty axis, or a number that is not finite
 */
export function toTensor(value: TensorLike, name: string, expected?: ExpectedShape): Tensor {
  const { data, shape } = borrowTensor(value, name, expected);
  return { data: isFlat(value) && data === value.data ? data.slice() : data, shape };
}

/** As `toTensor`, but flat typed arrays of floats are not copied: for values that are only read, and only during the call. */
export function borrowTensor(value: TensorLike, name: string, expected?: ExpectedShape): BorrowedTensor {
  const tensor: BorrowedTensor = isFlat(value) ? readFlat(value, name) : copyNested(value, name);
  if (expected !== undefined) checkShape(tensor.shape, name, expected);
  const data = tensor.float32 ?? tensor.data;
  const i = firstNotFinite(data);
  if (i >= 0) {
    throw new RangeError(
      `${name} holds ${String(data[i])} at ${formatShape(indexOf(i, tensor.shape))}; every element must be a finite number, so remove or replace it.`,
    );
  }
  return tensor;
}

/**
 * The same with arrays of its own, however deep they lie: for what was borrowed, and is read again after a wait, when the caller may
 * have put other numbers into his arrays.
 */
export function ownCopy<T>(borrowed: T): T {
  return copyOf(borrowed) as T;
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => copyOf(one));
  if (value instanceof Float64Array || value instanceof Int32Array) return value.slice();
  const { float32, shape } = value as Partial<BorrowedTensor>;
  if (float32 !== undefined && shape !== undefined) return widenedLater(float32.slice(), shape);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copyOf(one)]));
}

/**
 * The place of the first number that is not finite; -1 when all are. Every batch passes through here, so it is fast: x · 0 is
 * 0 unless x is infinite or NaN, and four sums of that at once take half the time of a question for each x.
 */
export function firstNotFinite(data: Float64Array | Float32Array): number {
  const { length } = data;
  const tiled = length - (length % 4);
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let i = 0; i < tiled; i += 4) {
    s0 += data[i] * 0;
    s1 += data[i + 1] * 0;
    s2 += data[i + 2] * 0;
    s3 += data[i + 3] * 0;
  }
  for (let i = tiled; i < length; i++) s0 += data[i] * 0;
  return s0 + s1 + s2 + s3 === 0 ? -1 : data.findIndex((x) => !Number.isFinite(x));
}

/** A size: an integer of at least 1. */
export function checkSize(name: string, size: number): number {
  if (Number.isInteger(size) && size >= 1) return size;
  throw new RangeError(
    `${name} is ${shown(size)}; a size must be an integer of at least 1, so pass how many there are.`,
  );
}

/** 4 GiB, all that WebAssembly can address; the twin that runs there holds the same numbers. */
const mostBytes = 2 ** 32;

/**
 * Refuses sizes whose weights no memory holds, before anything is computed or allocated for them.
 *
 * @throws RangeError with the bytes that tensors of these shapes take in float64
 */
export function checkMemory(name: string, ...shapes: (readonly number[])[]): void {
  const bytes = shapes.reduce((sum, shape) => sum + Float64Array.BYTES_PER_ELEMENT * sizeOf(shape), 0);
  if (bytes <= mostBytes) return;
  const count = (n: number): string => (n < 1e15 ? n.toLocaleString('en-US') : n.toExponential(1));
  throw new RangeError(
    `${name}: numbers of shapes ${shapes.map(formatShape).join(', ')} need ${count(bytes)} bytes, more than the ${count(mostBytes)} that there may be; pass smaller sizes.`,
  );
}

/** The way out: nested plain arrays. A scalar shape `[]` gives a one-element array. */
export function toNested(tensor: Tensor): NestedArray {
  const build = (axis: number, offset: number): NestedArray => {
    const size = tensor.shape[axis];
    const stride = sizeOf(tensor.shape.slice(axis + 1));
    if (axis === tensor.shape.length - 1) return Array.from(tensor.data.subarray(offset, offset + size));
    return Array.from({ length: size }, (_, i) => build(axis + 1, offset + i * stride));
  };
  return tensor.shape.length === 0 ? Array.from(tensor.data) : build(0, 0);
}

/** Position along each axis of a flat row-major index. */
export function indexOf(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  for (let axis = shape.length - 1, rest = flat; axis >= 0; axis--) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return index;
}

interface FlatData {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

function isFlat(value: unknown): value is FlatData {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    'data' in value &&
    'shape' in value
  );
}

function readFlat(value: FlatData, name: string): BorrowedTensor {
  const { data } = value;
  const shape = checkSizes(value.shape, name);
  const filled = typeof data === 'object' ? (data as { length?: number } | null)?.length : undefined;
  if (filled === undefined) {
    throw new TypeError(
      `${name} has data that is ${describe(data)}; pass { data, shape } with a flat array of numbers (${typeof data === 'function' ? 'of a tensor of TensorFlow.js: data: tensor.dataSync()' : 'JSON makes an object of a typed array: save Array.from(data)'}).`,
    );
  }
  if (filled !== sizeOf(shape)) {
    throw new RangeError(
      `${name} has ${filled} numbers for shape ${formatShape(shape)}, which holds ${sizeOf(shape)}; make data and shape agree.`,
    );
  }
  if (data instanceof Float64Array) return { data, shape };
  if (data instanceof Float32Array) return widenedLater(data, shape);
  // a typed array of numbers, and not of bigints, holds nothing else
  if (ArrayBuffer.isView(data) && typeof data[0] === 'number') return { data: new Float64Array(data), shape };
  const copy = new Float64Array(data.length);
  for (let i = 0; i < copy.length; i++) {
    const item: unknown = data[i];
    if (typeof item !== 'number') throw noNumber(item, name, [i]);
    copy[i] = item;
  }
  return { data: copy, shape };
}

/** What computes in float32 never reads `data`; making it takes 5 % of a step of the graph at B32 T28 F28 U128. */
function widenedLater(float32: Float32Array, shape: readonly number[]): BorrowedTensor {
  let wide: Float64Array | undefined;
  return {
    float32,
    shape,
    get data() {
      return (wide ??= new Float64Array(float32));
    },
  };
}

function checkSizes(shape: unknown, name: string): readonly number[] {
  // a copy first, in which a hole is undefined
  const sizes = Array.isArray(shape) ? Array.from(shape as unknown[]) : undefined;
  if (sizes?.every((size) => Number.isInteger(size) && (size as number) >= 0)) return sizes as number[];
  throw new RangeError(
    `${name} has the shape ${sizes ? `[${sizes.map(shown).join(', ')}]` : describe(shape)}; a shape is an array of sizes, so pass one integer per axis.`,
  );
}

/** No tensor here has as many axes: what is deeper may have no end. */
const deepest = 8;

function copyNested(value: unknown, name: string): Tensor {
  if (!Array.isArray(value)) {
    throw new TypeError(
      `${name} is ${describe(value)}; pass nested arrays of numbers, or { data, shape } with a flat array.`,
    );
  }
  const shape: number[] = [];
  for (let level: unknown = value; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > deepest) {
      throw new RangeError(
        `${name} is nested more than ${deepest} deep; at most 3 axes are needed (or does an array hold itself?).`,
      );
    }
  }
  checkMemory(name, shape);
  const data = new Float64Array(sizeOf(shape));
  // one array for all places: with one for each number, copying the inputs takes as long as a training step
  const at: number[] = [];
  let next = 0;
  const copy = (level: unknown, axis: number): void => {
    if (!Array.isArray(level) || level.length !== shape[axis]) {
      const found = Array.isArray(level) ? `${level.length} elements` : describe(level);
      throw new RangeError(
        `${name} is ragged: ${formatShape(at.slice(0, axis))} has ${found} where its first sibling has ${shape[axis]} elements; every row must have the same length (pad shorter sequences and pass a mask).`,
      );
    }
    // not forEach, which leaves out the holes of a sparse array
    if (axis + 1 === shape.length) {
      next = copyRow(level, data, next, name, at);
      return;
    }
    for (let i = 0; i < level.length; i++) {
      at[axis] = i;
      copy(level[i], axis + 1);
    }
  };
  copy(value, 0);
  return { data, shape };
}

/** @returns where the next row begins */
function copyRow(
  row: readonly unknown[],
  data: Float64Array,
  from: number,
  name: string,
  at: number[],
): number {
  for (let i = 0; i < row.length; i++) {
    const item = row[i];
    if (typeof item !== 'number') throw noNumber(item, name, [...at, i]);
    data[from + i] = item;
  }
  return from + row.length;
}

function checkShape(shape: readonly number[], name: string, expected: ExpectedShape): void {
  const fits =
    shape.length === expected.length && expected.every((e, i) => typeof e === 'string' || e === shape[i]);
  if (!fits) {
    throw new RangeError(
      `${name} has shape ${formatShape(shape)} but ${formatShape(expected)} was expected; reshape it or build the layer for these sizes.`,
    );
  }
  const empty = shape.indexOf(0);
  if (empty >= 0) {
    throw new RangeError(
      `${name} has shape ${formatShape(shape)}: axis ${empty} is empty; every axis needs at least one element.`,
    );
  }
}

function noNumber(value: unknown, name: string, at: readonly number[]): TypeError {
  return new TypeError(
    `${name} holds ${describe(value)} at ${formatShape(at)}; every element must be a number.`,
  );
}
