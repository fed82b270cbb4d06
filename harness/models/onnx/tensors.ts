import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { halfToNumber, readRegularFile } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import { show } from '../json';
import type { StoredTensor } from '../assemble';
import type { StoredAs } from '../description';
import { bfloat16ToNumber, countOf, elements, isShape, numbersIn, type ElementType } from '../elements';
import { elementTypes, type OnnxTensor } from './schema';

/** Numbers that stand in the file. */
export interface Constant extends StoredTensor {
  readonly kind: 'constant';
}

/** Bytes of a file that lies next to the model. */
export type ReadExternal = (name: string) => Promise<Buffer>;

/**
 * Reads files next to a model, and no other: a name that leads out of its folder, also by a link, is refused.
 *
 * @param file the model
 */
export function externalFiles(file: string): ReadExternal {
  const folder = path.dirname(path.resolve(file));
  const known = new Map<string, Promise<Buffer>>();
  return (name) => {
    const read = async (): Promise<Buffer> => {
      const refuse = (): UsageError =>
        new UsageError(
          `${file} keeps numbers in the file ${show(name)}; only files in its own folder are read, so save the model again.`,
        );
      const wanted = path.join(folder, name);
      const isInside = (found: string, within: string): boolean => found.startsWith(within + path.sep);
      if (name === '' || name.includes('\0') || path.isAbsolute(name) || !isInside(wanted, folder))
        throw refuse();
      const real = await realpath(wanted).catch(() => wanted);
      if (!isInside(real, await realpath(folder))) throw refuse();
      return readRegularFile(wanted);
    };
    const found = known.get(name) ?? read();
    known.set(name, found);
    return found;
  };
}

/**
 * The numbers of a tensor. Its size is compared with the bytes that are there before memory is taken.
 *
 * @throws UsageError
 */
export async function constantOf(
  tensor: OnnxTensor,
  where: string,
  external: ReadExternal,
): Promise<Constant> {
  const { name, dims, data_type: type, raw_data: raw } = tensor;
  const refuse = (what: string): UsageError =>
    new UsageError(`${where}: the tensor ${show(name)} ${what}; save the model again.`);
  if (!isShape(dims)) throw refuse(`has shape [${dims.slice(0, 9).join(', ')}]`);
  const count = countOf(dims);
  const [element] = Object.entries(elementTypes).find(([, number]) => number === type) ?? [];
  if (element === undefined)
    throw refuse(`has the element type ${type}, where floats of 16 to 64 bits and integers are read`);
  const { bytes: width, stored }: { readonly bytes: number; readonly stored?: StoredAs } =
    elements[element as ElementType];
  const made = (data: Float64Array): Constant => ({ kind: 'constant', data, shape: dims, stored });
  const ofBytes = (bytes: Uint8Array): Constant => {
    if (bytes.length !== count * width)
      throw refuse(`[${dims.join(', ')}] has ${bytes.length} bytes, expected were ${count * width}`);
    return made(numbersIn(bytes, element as ElementType));
  };
  if (tensor.data_location === 1) {
    const about = new Map(tensor.external_data.map(({ key, value }) => [key, value]));
    const bytes = await external(about.get('location') ?? '');
    const [from, length] = [about.get('offset') ?? '0', about.get('length') ?? String(count * width)].map(
      Number,
    );
    if (!Number.isSafeInteger(from) || from < 0 || from + length > bytes.length || length !== count * width)
      throw refuse(`lies at byte ${from} of ${show(about.get('location'))}, which has ${bytes.length} bytes`);
    return ofBytes(bytes.subarray(from, from + length));
  }
  if (raw.length > 0 || count === 0) return ofBytes(raw);
  const list = [tensor.float_data, tensor.double_data, tensor.int64_data, tensor.int32_data].find(
    ({ length }) => length > 0,
  );
  if (list?.length !== count)
    throw refuse(`[${dims.join(', ')}] has ${list?.length ?? 0} numbers, expected were ${count}`);
  const decode = { float16: halfToNumber, bfloat16: bfloat16ToNumber }[element];
  return made(decode === undefined ? Float64Array.from(list) : Float64Array.from(list, decode));
}

/** A constant of numbers that are known here. */
export const constant = (data: ArrayLike<number>, shape: readonly number[] = [data.length]): Constant => ({
  kind: 'constant',
  data: Float64Array.from(data),
  shape,
});
