import type { Tensor } from '../../../scratch/index';
import { halfToNumber, textOf } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import { asObject, parseJson, show } from '../json';
import type { StateEntry } from './entry';

/*
 * safetensors (huggingface.co/docs/safetensors): 8 bytes with the length of the header, the header in JSON, and the numbers. The packages
 * on npm for it read less than this file checks, and it needs no more code than their use.
 */

type ReadNumber = (view: DataView, at: number) => number;

const dtypes: Readonly<Record<string, readonly [bytes: number, read: ReadNumber]>> = {
  F64: [8, (view, at) => view.getFloat64(at, true)],
  F32: [4, (view, at) => view.getFloat32(at, true)],
  F16: [2, (view, at) => halfToNumber(view.getUint16(at, true))],
  BF16: [2, (view, at) => bfloat16ToNumber(view.getUint16(at, true))],
  I64: [8, (view, at) => Number(view.getBigInt64(at, true))],
  I32: [4, (view, at) => view.getInt32(at, true)],
};

const scratch = new DataView(new ArrayBuffer(4));

/** The upper half of a float32. */
export function bfloat16ToNumber(bits: number): number {
  scratch.setUint32(0, bits * 2 ** 16);
  return scratch.getFloat32(0);
}

/** Whether the bytes begin as a safetensors file does. */
export function isSafetensors(bytes: Buffer): boolean {
  return bytes.length > 9 && bytes.readUInt32LE(4) === 0 && bytes[8] === '{'.charCodeAt(0);
}

/**
 * The tensors of a safetensors file, read when they are asked for. Every size is compared with the file's before memory is taken.
 *
 * @throws UsageError
 */
export function readSafetensors(bytes: Buffer, where: string): StateEntry[] {
  const refuse = (what: string): UsageError =>
    new UsageError(`${where} is not a sound safetensors file: ${what}; save the model again.`);
  const length = bytes.readUInt32LE(0);
  const start = 8 + length;
  if (start > bytes.length)
    throw refuse(`its header has ${length} bytes, the whole file has ${bytes.length}`);
  const what = `${where}: the header`;
  const header = asObject(parseJson(textOf(bytes.subarray(8, start), what), what));
  const taken: [number, number][] = [];
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, given]): StateEntry => {
      const { dtype, shape, data_offsets: offsets } = asObject(given);
      const known = typeof dtype === 'string' && Object.hasOwn(dtypes, dtype) ? dtypes[dtype] : undefined;
      if (known === undefined || !isSizes(shape) || shape.length > 8)
        throw refuse(
          `${name} is ${show(given)}, where a shape and one of ${Object.keys(dtypes).join(', ')} was expected`,
        );
      const [width, read] = known;
      const count = shape.reduce((a, b) => a * b, 1);
      const [from, to] = isSizes(offsets) && offsets.length === 2 ? offsets : [0, -1];
      if (to - from !== count * width || start + to > bytes.length)
        throw refuse(
          `${name} has ${count * width} bytes at ${show(offsets)}, where ${bytes.length - start} bytes of numbers are`,
        );
      if (to > from) taken.push([from, to]);
      const view = new DataView(bytes.buffer, bytes.byteOffset + start + from, to - from);
      return {
        name,
        shape,
        ...((dtype === 'F16' || dtype === 'BF16') && { half: dtype === 'F16' ? 'float16' : 'bfloat16' }),
        read: (): Tensor => ({
          shape,
          data: Float64Array.from({ length: count }, (_, i) => read(view, i * width)),
        }),
      };
    });
  const overlap = taken.toSorted(([a], [b]) => a - b).some(([from], i, all) => i > 0 && from < all[i - 1][1]);
  if (overlap) throw refuse('two tensors lie on the same bytes');
  return entries;
}

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
