import { endianness } from 'node:os';
import { UsageError } from '../outcome';
import { kinds, readerOf, type Kind, type ReadElement } from './npy-elements';
import { formatNpyHeader, maxHeader, parseNpyHeader, type NpyHeader } from './npy-header';

/** Numbers, always as float64 and in C order, whatever the file held. */
export interface NumberArray {
  /** numpy's code in the file, for example `<f4` */ readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Text of numpy's `U` and `S` types, in C order. */
export interface StringArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly string[];
}

export type NpyArray = NumberArray | StringArray;

/** Whether the array holds text. */
export function isStringArray(array: NpyArray): array is StringArray {
  return !(array.data instanceof Float64Array);
}

/** What `formatNpy` takes; without a dtype: `<f4` for Float32Array, `<i4` for Int32Array, `<f8` for other numbers, `<U` for strings. */
export interface ArrayToWrite {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | readonly string[];
  readonly dtype?: '<f4' | '<f8' | '<i4' | '<i8' | undefined;
}

/**
 * Reads one .npy array from chunks as they arrive: bool, signed and unsigned integers of 1 to 8 bytes, floats of 2, 4 and 8 bytes, and text;
 * either byte order, C or Fortran order. Objects (pickled Python) are refused, nothing is ever executed.
 *
 * Every number goes straight to its place in the result, so that memory is what the result takes: 8 bytes a number.
 */
export class NpyDecoder {
  private body: Body | undefined;
  /** bytes that are not read yet: the header's, then those of an element that a chunk cuts */
  private pending: Buffer = Buffer.alloc(0);
  private received = 0;

  /**
   * @param where how messages call the array
   * @param totalBytes of the header and the array together
   * @param reserve gets the bytes that the result will take, before they are allocated, and may throw
   */
  constructor(
    private readonly where: string,
    private readonly totalBytes: number,
    private readonly reserve: (bytes: number) => void = () => undefined,
  ) {}

  /** Takes the next bytes. Throws UsageError on what cannot be read. */
  push(chunk: Buffer): void {
    this.received += chunk.length;
    const bytes = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    if (this.body !== undefined) this.pending = this.body.take(bytes);
    else if (this.received >= Math.min(this.totalBytes, maxHeader + 12)) {
      const header = parseNpyHeader(bytes, this.where);
      this.body = new Body(header, this.totalBytes, this.where, this.reserve);
      this.pending = this.body.take(bytes.subarray(header.dataOffset));
    } else this.pending = bytes;
  }

  /** The array, when all bytes were taken. */
  finish(): NpyArray {
    if (this.body === undefined || this.received !== this.totalBytes)
      throw new UsageError(
        `${this.where} ends after ${this.received} of ${this.totalBytes} bytes; the file is cut, so copy it again.`,
      );
    return this.body.array();
  }
}

/** The elements of one array, each at its place in C order. */
class Body {
  private readonly itemSize: number;
  private readonly read: ReadElement;
  private readonly numbers: Float64Array | undefined;
  private readonly texts: string[];
  private readonly next: () => number;
  /** whether the file's bytes are those of the result */ private readonly verbatim: boolean;
  private taken = 0;

  constructor(
    private readonly header: NpyHeader,
    totalBytes: number,
    where: string,
    reserve: (bytes: number) => void,
  ) {
    const { order, kind, itemSize } = checkSize(header, totalBytes, where);
    const { shape, fortranOrder } = header;
    const count = shape.reduce((product, size) => product * size, 1);
    const isText = kind === 'U' || kind === 'S';
    reserve(count * (isText ? Math.max(8, itemSize) : 8));
    const little = order === '<' || (order !== '>' && endianness() === 'LE');
    this.itemSize = itemSize;
    this.read = readerOf(kind, itemSize, little, (index, what) => {
      const at = coordinates(index, shape, fortranOrder);
      return new UsageError(`${where}: element [${at.join(', ')}] ${what}`);
    });
    this.texts = isText ? new Array<string>(count).fill('') : [];
    this.numbers = isText ? undefined : allocate(count, where);
    this.next = placesOf(shape, fortranOrder);
    const inOrder = !fortranOrder || shape.length < 2;
    this.verbatim = kind === 'f' && itemSize === 8 && inOrder && little && endianness() === 'LE';
  }

  /** Takes the whole elements of `bytes`; returns the rest. */
  take(bytes: Buffer): Buffer {
    const { itemSize, numbers, texts } = this;
    const whole = Math.floor(bytes.length / itemSize);
    if (this.verbatim && numbers !== undefined) {
      new Uint8Array(numbers.buffer).set(bytes.subarray(0, whole * itemSize), this.taken * itemSize);
      this.taken += whole;
    } else {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let i = 0; i < whole; i++) {
        const value = this.read(view, i * itemSize, this.taken++);
        if (typeof value === 'string') texts[this.next()] = value;
        else if (numbers !== undefined) numbers[this.next()] = value;
      }
    }
    return bytes.subarray(whole * itemSize);
  }

  array(): NpyArray {
    const { dtype, shape } = this.header;
    const { numbers, texts } = this;
    return numbers === undefined ? { dtype, shape, data: texts } : { dtype, shape, data: numbers };
  }
}

function allocate(count: number, where: string): Float64Array {
  try {
    return new Float64Array(count);
  } catch (error) {
    throw new UsageError(
      `${where} needs ${count * 8} bytes of memory for ${count} numbers, which this process does not get; split the data.`,
      { cause: error },
    );
  }
}

/** Places in C order of the elements as the file has them. */
function placesOf(shape: readonly number[], fortranOrder: boolean): () => number {
  let place = 0;
  if (!fortranOrder || shape.length < 2) return () => place++;
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const at = shape.map(() => 0);
  return () => {
    const found = place;
    for (let axis = 0; axis < shape.length; axis++) {
      place += strides[axis];
      if (++at[axis] < shape[axis]) break;
      place -= strides[axis] * shape[axis];
      at[axis] = 0;
    }
    return found;
  };
}

/** The indices, axis by axis, of the element that the file has at `index`. */
function coordinates(index: number, shape: readonly number[], fortranOrder: boolean): number[] {
  const at = shape.map(() => 0);
  let left = index;
  for (const axis of fortranOrder ? shape.keys() : [...shape.keys()].reverse()) {
    at[axis] = left % shape[axis];
    left = Math.floor(left / shape[axis]);
  }
  return at;
}

/** Checks the header's promise against the number of bytes that are really there, before anything is allocated. */
function checkSize(
  header: NpyHeader,
  totalBytes: number,
  where: string,
): { order: string; kind: Kind; itemSize: number } {
  const match = /^([<>|=])?([fiubUS?O])(\d{0,7})$/.exec(header.dtype);
  if (match?.[2] === 'O')
    throw new UsageError(
      `${where} is an array of Python objects (dtype ${header.dtype}); reading it would mean running pickle, so save plain numbers or strings: labels.astype(str), numbers.astype(float).`,
    );
  const [, order = '|', letter, digits] = (match ?? []) as (string | undefined)[];
  const size = letter === '?' ? 1 : Number(digits);
  const kind = kinds.find((known) => known === (letter === '?' ? 'b' : letter));
  if (kind === undefined || !isSupported(kind, size)) {
    throw new UsageError(
      `${where} has dtype ${JSON.stringify(header.dtype)}; floats of 2, 4 or 8 bytes, integers of 1 to 8 bytes, bool and text are read, so convert it with astype.`,
    );
  }
  const itemSize = kind === 'U' ? size * 4 : size;
  const expected = header.shape.reduce((product, n) => product * n, itemSize);
  const found = totalBytes - header.dataOffset;
  if (expected !== found) {
    throw new UsageError(
      `${where} declares shape [${header.shape.join(', ')}] of ${header.dtype}, that is ${expected} bytes, but ${found} bytes follow; the file is cut, damaged or forged, so save it again.`,
    );
  }
  return { order, kind, itemSize };
}

function isSupported(kind: Kind, size: number): boolean {
  if (kind === 'f') return [2, 4, 8].includes(size);
  if (kind === 'i' || kind === 'u') return [1, 2, 4, 8].includes(size);
  if (kind === 'b') return size === 1;
  // A width of zero would let a few bytes declare any number of elements.
  return size > 0;
}

/** Writes one array as .npy version 1.0, little-endian, C order. */
export function formatNpy(array: ArrayToWrite, where: string): Buffer {
  const { shape, data } = array;
  const count = shape.reduce((product, size) => product * size, 1);
  if (data.length !== count) {
    throw new RangeError(
      `${where}: ${data.length} elements do not fill shape [${shape.join(', ')}], which holds ${count}; make data and shape agree.`,
    );
  }
  if (isText(data)) {
    const width = data.reduce((most, text) => Math.max(most, Array.from(text).length), 1);
    const body = Buffer.alloc(count * width * 4);
    data.forEach((text, i) => {
      Array.from(text).forEach((c, j) => body.writeUInt32LE(c.codePointAt(0) ?? 0, (i * width + j) * 4));
    });
    return Buffer.concat([formatNpyHeader(`<U${width}`, shape), body]);
  }
  const dtype = array.dtype ?? defaultDtype(data);
  const body = Buffer.alloc(count * Number(dtype[2]));
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  for (let i = 0; i < count; i++) {
    const x = data[i];
    if (dtype === '<f8') view.setFloat64(8 * i, x, true);
    else if (dtype === '<f4') view.setFloat32(4 * i, x, true);
    else if (dtype === '<i4') view.setInt32(4 * i, x, true);
    else view.setBigInt64(8 * i, BigInt(x), true);
  }
  return Buffer.concat([formatNpyHeader(dtype, shape), body]);
}

function isText(data: ArrayLike<number> | readonly string[]): data is readonly string[] {
  return Array.isArray(data) && data.length > 0 && data.every((x) => typeof x === 'string');
}

function defaultDtype(data: ArrayLike<number>): '<f4' | '<i4' | '<f8' {
  if (data instanceof Float32Array) return '<f4';
  return data instanceof Int32Array ? '<i4' : '<f8';
}
