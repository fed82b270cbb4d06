import type { UsageError } from '../outcome';

/** numpy's letters of the element types that are read: float, signed and unsigned integer, bool, text in UTF-32, bytes. */
export const kinds = ['f', 'i', 'u', 'b', 'U', 'S'] as const;
export type Kind = (typeof kinds)[number];

/** Reads the element at a byte offset; `index` counts the elements of the file, for messages. */
export type ReadElement = (view: DataView, offset: number, index: number) => number | string;

/** Makes the error about the element at an index of the file. */
type Bad = (index: number, what: string) => UsageError;

/** How one element is read; */
export function readerOf(kind: Kind, size: number, little: boolean, bad: Bad): ReadElement {
  if (kind === 'U') return textReader(size / 4, little, bad);
  if (kind === 'S') return bytesReader(size, bad);
  if (kind === 'b')
    return (view, at, index) => {
      const byte = view.getUint8(at);
      if (byte > 1) throw bad(index, `is the byte ${byte}; a bool is 0 or 1.`);
      return byte;
    };
  if (size === 8 && kind !== 'f')
    return (view, at, index) => {
      const value = kind === 'i' ? view.getBigInt64(at, little) : view.getBigUint64(at, little);
      const number = Number(value);
      if (!Number.isSafeInteger(number))
        throw bad(
          index,
          `is ${String(value)}; integers below 2^53 are exact in float64, so scale or re-number it, or save it as text (astype(str)).`,
        );
      return number;
    };
  const readers: Record<string, ReadElement> = {
    i1: (view, at) => view.getInt8(at),
    i2: (view, at) => view.getInt16(at, little),
    i4: (view, at) => view.getInt32(at, little),
    u1: (view, at) => view.getUint8(at),
    u2: (view, at) => view.getUint16(at, little),
    u4: (view, at) => view.getUint32(at, little),
    f2: (view, at) => halfToNumber(view.getUint16(at, little)),
    f4: (view, at) => view.getFloat32(at, little),
    f8: (view, at) => view.getFloat64(at, little),
  };
  return readers[`${kind}${size}`];
}

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits, 10 fraction bits. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** numpy's `U`: UTF-32, padded with zeros at the end. */
function textReader(width: number, little: boolean, bad: Bad): ReadElement {
  return (view, at, index) => {
    let text = '';
    for (let i = 0; i < width; i++) {
      const point = view.getUint32(at + 4 * i, little);
      if (point > 0x10ffff) throw bad(index, `holds ${point}, which is not a Unicode character.`);
      text += String.fromCodePoint(point);
    }
    return text.replace(/\0+$/, '');
  };
}

/** numpy's `S`: bytes, padded with zeros at the end; they are read as UTF-8. */
function bytesReader(width: number, bad: Bad): ReadElement {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return (view, at, index) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, width);
    try {
      return utf8.decode(bytes).replace(/\0+$/, '');
    } catch {
      const shown = Buffer.from(bytes)
        .toString('hex')
        .replace(/(00)+$/, '')
        .slice(0, 40);
      throw bad(
        index,
        `holds the bytes ${shown} (hexadecimal), which are not UTF-8; save text instead, for example np.char.decode(labels, "latin-1").`,
      );
    }
  };
}
