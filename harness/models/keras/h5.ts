import type * as H5Wasm from 'h5wasm';
import { createJiti } from 'jiti';
import type { Tensor } from '../../../scratch/index';
import { UsageError } from '../../base/outcome';

/** A dataset of an HDF5 file. */
export interface H5Entry {
  /** from the root: `layers/lstm/cell/vars/0` */ readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  read(): Tensor;
}

export interface H5 {
  readonly entries: readonly H5Entry[];
  /** an attribute of the root that is text */ text(attribute: string): string | undefined;
}

const most = { objects: 20_000, depth: 40, bytes: 4 * 2 ** 30 };
let files = 0;

/** h5wasm is an ES module only, which `import()` does not reach where ts-node makes a `require` of it. */
const loadH5Wasm = (): Promise<typeof H5Wasm> => createJiti(__filename, { tryNative: true }).import('h5wasm');

/**
 * Opens an HDF5 file with the HDF5 library itself, compiled to WebAssembly. Its file system is memory of its own: links and external
 * storage in a file reach nothing outside.
 *
 * @throws UsageError when it is no sound HDF5 file, or holds more than a model does
 */
export async function withH5<T>(bytes: Uint8Array, where: string, work: (file: H5) => T): Promise<T> {
  const h5wasm = await loadH5Wasm();
  const module = await h5wasm.ready;
  // a damaged file is reported by an error, and not by lines on stderr
  module.activate_throwing_error_handler();
  const refuse = (what: string): UsageError => new UsageError(`${where} ${what}; save the model again.`);
  if (!isH5(bytes)) throw refuse('is not an HDF5 file');
  const path = `/model-${++files}.h5`;
  module.FS.writeFile(path, bytes);
  let file: H5Wasm.File | undefined;
  try {
    file = new h5wasm.File(path, 'r');
    const root = file;
    const entries: H5Entry[] = [];
    walk(root, '', 0, { objects: 0 });
    const total = entries.reduce((sum, { shape }) => sum + 8 * product(shape), 0);
    if (total > Math.min(most.bytes, Math.max(2 ** 26, 64 * bytes.length)))
      throw refuse(
        `declares arrays of ${total} bytes in a file of ${bytes.length}, more than weights compress to`,
      );
    return work({ entries, text: (attribute) => textOf(root, attribute) });

    function walk(group: H5Wasm.Group, prefix: string, depth: number, seen: { objects: number }): void {
      if (depth > most.depth) throw refuse(`has groups nested deeper than ${most.depth} levels`);
      for (const key of group.keys()) {
        if (++seen.objects > most.objects) throw refuse(`holds more than ${most.objects} objects`);
        const name = prefix === '' ? key : `${prefix}/${key}`;
        const item = group.get(key);
        if (item instanceof h5wasm.Group) walk(item, name, depth + 1, seen);
        else if (item instanceof h5wasm.Dataset) entries.push(entryOf(item, name, refuse));
        else if (item !== null)
          throw refuse(`has the link ${name}, which points to another file or to nothing`);
      }
    }
  } catch (error) {
    throw error instanceof UsageError
      ? error
      : refuse(`is not a sound HDF5 file (${(error as Error).message})`);
  } finally {
    try {
      file?.close();
    } catch {
      // a damaged file may not even close; its bytes are freed below
    }
    module.FS.unlink(path);
  }
}

export const isH5 = (bytes: Uint8Array): boolean =>
  bytes.length > 8 && Buffer.from(bytes.subarray(0, 8)).equals(Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'));

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function entryOf(dataset: H5Wasm.Dataset, name: string, refuse: (what: string) => UsageError): H5Entry {
  const { shape, dtype } = dataset;
  const sizes = shape ?? [];
  if (!sizes.every((n) => Number.isSafeInteger(n) && n >= 0) || sizes.length > 8)
    throw refuse(`has the array ${name} with shape [${sizes.join(', ')}]`);
  const kind = typeof dtype === 'string' ? dtype : 'a compound type';
  return {
    name,
    shape: sizes,
    dtype: kind,
    read() {
      if (!/^[<>|]?[bBhHiIqQefd]$/.test(kind))
        throw refuse(`has the array ${name} of ${kind}, where numbers were expected`);
      const value = dataset.value as ArrayLike<number | bigint> | number | null;
      const list = typeof value === 'number' ? [value] : value;
      if (list === null || typeof list !== 'object' || list.length !== product(sizes))
        throw refuse(`has the array ${name} [${sizes.join(', ')}], whose numbers cannot be read`);
      return { shape: sizes, data: Float64Array.from({ length: list.length }, (_, i) => Number(list[i])) };
    },
  };
}

function textOf(file: H5Wasm.File, name: string): string | undefined {
  if (!Object.keys(file.attrs).includes(name)) return undefined;
  const { value } = file.attrs[name];
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : undefined;
}
