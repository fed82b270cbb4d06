import { endianness } from 'node:os';
import { UsageError } from '../outcome';
import { formatNpyHeader, parseNpyHeader, type NpyHeader } from './npy-header';

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

const fileOrder = endianness() === 'LE' ? '<' : '>';
type Decode = (bytes: Buffer, count: number, swap: boolean, bad: Bad) => Float64Array | string[];
type Bad = (what: string) => UsageError;

/**
 * Reads one .npy array: bool, signed and unsigned integers of 1 to 8 bytes, floats of 2, 4 and 8 bytes, and text; either byte
 * order, C or Fortran order. Objects (pickled Python) are refused, nothing is ever executed.
 *
 * @param where how messages call it
 * @throws UsageError when the bytes are not exactly what the header declares, or an integer does not fit a float64
 */
export function parseNpy(bytes: Buffer, where: string): NpyArray {
  const header = parseNpyHeader(bytes, where);
  const { order, kind, itemSize } = checkSize(header, bytes.length, where);
  const bad: Bad = (what) => new UsageError(`${where}: ${what}`);
  const count = header.shape.reduce((product, size) => product * size, 1);
  // A copy, so that typed arrays are aligned and swapping bytes never touches the caller's.
  const body = Buffer.from(Uint8Array.prototype.slice.call(bytes, header.dataOffset).buffer);
  const swap = order !== '|' && order !== '=' && order !== fileOrder;
  const data = decoders[kind](itemSize)(body, count, swap, bad);
  const { dtype, shape } = header;
  const ordered = header.fortranOrder && shape.length > 1 ? toRowMajor(data, shape) : data;
  return ordered instanceof Float64Array ? { dtype, shape, data: ordered } : { dtype, shape, data: ordered };
}

/** Checks the header's promise against the number of bytes that are really there, before anything is allocated. */
export function checkSize(
  header: NpyHeader,
  totalBytes: number,
  where: string,
): { order: string; kind: keyof typeof decoders; itemSize: number } {
  const match = /^([<>|=])?([fiubUS?O])(\d{0,7})$/.exec(header.dtype);
  if (match?.[2] === 'O')
    throw new UsageError(
      `${where} is an array of Python objects (dtype ${header.dtype}); reading it would mean running pickle, so save plain numbers or strings.`,
    );
  const [, order = '|', kind, digits] = (match ?? []) as (string | undefined)[];
  const size = kind === '?' ? 1 : Number(digits);
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
  return { order, kind: (kind === '?' ? 'b' : kind) as keyof typeof decoders, itemSize };
}

function isSupported(kind: string, size: number): boolean {
  if (kind === 'f') return [2, 4, 8].includes(size);
  if (kind === 'i' || kind === 'u') return [1, 2, 4, 8].includes(size);
  if (kind === 'b' || kind === '?') return size === 1;
  // A width of zero would let a few bytes declare any number of elements.
  return (kind === 'U' || kind === 'S') && size > 0;
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

type IntegerArray = new (buffer: ArrayBufferLike, offset: number, length: number) => ArrayLike<number>;
const integerArrays: Record<string, IntegerArray> = {
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  f4: Float32Array,
  f8: Float64Array,
};

const decoders: Record<'f' | 'i' | 'u' | 'b' | 'U' | 'S', (itemSize: number) => Decode> = {
  f: (itemSize) => (itemSize === 2 ? decodeHalf : decodeNumbers(`f${itemSize}`, itemSize)),
  i: (itemSize) => (itemSize === 8 ? decodeBig(true) : decodeNumbers(`i${itemSize}`, itemSize)),
  u: (itemSize) => (itemSize === 8 ? decodeBig(false) : decodeNumbers(`u${itemSize}`, itemSize)),
  b: () => (bytes, count, _swap, bad) => {
    const wrong = bytes.findIndex((byte) => byte > 1);
    if (wrong >= 0) throw bad(`element ${wrong} is the byte ${bytes[wrong]}; a bool is 0 or 1.`);
    return Float64Array.from(bytes.subarray(0, count));
  },
  U: (itemSize) => decodeUtf32(itemSize / 4),
  S: (itemSize) => (bytes, count) =>
    Array.from({ length: count }, (_, i) =>
      bytes.toString('latin1', i * itemSize, (i + 1) * itemSize).replace(/\0+$/, ''),
    ),
};

function decodeNumbers(name: string, itemSize: number): Decode {
  return (bytes, count, swap) => {
    if (swap) swapBytes(bytes, itemSize);
    const values = new integerArrays[name](bytes.buffer, bytes.byteOffset, count);
    return values instanceof Float64Array ? values : Float64Array.from(values);
  };
}

function swapBytes(bytes: Buffer, itemSize: number): void {
  if (itemSize === 2) bytes.swap16();
  if (itemSize === 4) bytes.swap32();
  if (itemSize === 8) bytes.swap64();
}

function decodeBig(signed: boolean): Decode {
  return (bytes, count, swap, bad) => {
    if (swap) bytes.swap64();
    const values = signed
      ? new BigInt64Array(bytes.buffer, bytes.byteOffset, count)
      : new BigUint64Array(bytes.buffer, bytes.byteOffset, count);
    const result = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      result[i] = Number(values[i]);
      if (!Number.isSafeInteger(result[i]))
        throw bad(
          `element ${i} is ${String(values[i])}; integers up to 2^53 are exact in float64, so scale or re-number it.`,
        );
    }
    return result;
  };
}

const decodeHalf: Decode = (bytes, count, swap) => {
  if (swap) bytes.swap16();
  const bits = new Uint16Array(bytes.buffer, bytes.byteOffset, count);
  return Float64Array.from(bits, halfToNumber);
};

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits, 10 fraction bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

function decodeUtf32(width: number): Decode {
  return (bytes, count, swap, bad) => {
    if (swap) bytes.swap32();
    const points = new Uint32Array(bytes.buffer, bytes.byteOffset, count * width);
    return Array.from({ length: count }, (_, i) => {
      let text = '';
      for (const point of points.subarray(i * width, (i + 1) * width)) {
        if (point > 0x10ffff) throw bad(`element ${i} holds ${point}, which is no Unicode character.`);
        text += String.fromCodePoint(point);
      }
      return text.replace(/\0+$/, '');
    });
  };
}

function toRowMajor(data: Float64Array | string[], shape: readonly number[]): Float64Array | string[] {
  const result = data.slice() as { [index: number]: number | string; length: number };
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
  const at = shape.map(() => 0);
  for (let flat = 0, from = 0; flat < data.length; flat++) {
    result[flat] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++at[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      at[axis] = 0;
    }
  }
  return result as Float64Array | string[];
}
