import { textOf } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import type { StoredAs } from '../description';
import { countOf, elements, isShape, isSizes, numbersIn, type ElementType } from '../elements';
import { asObject, parseJson, show } from '../json';
import type { StateEntry } from './modules';

/*
 * safetensors (huggingface.co/docs/safetensors): 8 bytes with the length of the header, the header in JSON, and the numbers. The packages
 * on npm for it read less than this file checks, and it needs no more code than their use.
 */

const dtypes: Readonly<Record<string, ElementType>> = {
  ...{ F64: 'float64', F32: 'float32', F16: 'float16', BF16: 'bfloat16', I64: 'int64', I32: 'int32' },
};

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
      if (known === undefined || !isShape(shape))
        throw refuse(
          `${name} is ${show(given)}, where a shape and one of ${Object.keys(dtypes).join(', ')} was expected`,
        );
      const { bytes: width, stored }: { readonly bytes: number; readonly stored?: StoredAs } =
        elements[known];
      const count = countOf(shape);
      const [from, to] = isSizes(offsets) && offsets.length === 2 ? offsets : [0, -1];
      if (to - from !== count * width || start + to > bytes.length)
        throw refuse(
          `${name} has ${count * width} bytes at ${show(offsets)}, where ${bytes.length - start} bytes of numbers are`,
        );
      if (to > from) taken.push([from, to]);
      const own = bytes.subarray(start + from, start + to);
      return { name, shape, read: () => ({ shape, data: numbersIn(own, known), stored }) };
    });
  const overlap = taken.toSorted(([a], [b]) => a - b).some(([from], i, all) => i > 0 && from < all[i - 1][1]);
  if (overlap) throw refuse('two tensors lie on the same bytes');
  return entries;
}
