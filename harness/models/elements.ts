import { halfToNumber } from '../base/files/index';
import { storedHalf, type StoredAs } from './description';

/** How a number lies in a file, little-endian. */
interface Element {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
  /** where that is with fewer bits than float32 */ readonly stored?: StoredAs;
}

/** The element types that files of models have. */
export const elements = {
  float64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  float32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  float16: {
    bytes: 2,
    read: (view, at) => halfToNumber(view.getUint16(at, true)),
    stored: storedHalf.float16,
  },
  bfloat16: {
    bytes: 2,
    read: (view, at) => bfloat16ToNumber(view.getUint16(at, true)),
    stored: storedHalf.bfloat16,
  },
  int64: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  int32: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  uint16: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  uint8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  int8: { bytes: 1, read: (view, at) => view.getInt8(at) },
  bool: { bytes: 1, read: (view, at) => view.getUint8(at) },
} as const satisfies Readonly<Record<string, Element>>;
export type ElementType = keyof typeof elements;

/** Numbers that lie one after the other. */
export function numbersIn(bytes: Uint8Array, type: ElementType): Float64Array {
  const { bytes: width, read } = elements[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.length / width }, (_, i) => read(view, i * width));
}

const scratch = new DataView(new ArrayBuffer(4));

/** The upper half of a float32. */
export function bfloat16ToNumber(bits: number): number {
  scratch.setUint32(0, bits * 2 ** 16);
  return scratch.getFloat32(0);
}

/** Whether a value of JSON is a shape that a model's array may have. */
export const isShape = (value: unknown): value is number[] => isSizes(value) && value.length <= 8;

export const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);

export const countOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
