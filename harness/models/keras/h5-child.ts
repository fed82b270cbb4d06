import { parentPort } from 'node:worker_threads';
import type * as H5Wasm from 'h5wasm';
import { createJiti } from 'jiti';
import { UsageError } from '../../base/outcome';
import type { ArrayToWrite, H5Answer, H5Array, H5Question } from './h5';

/*
 * The worker's side of `openH5`: reads one HDF5 file after the other with the HDF5 library itself, compiled to WebAssembly. Its file
 * system is memory of its own: links and external storage in a file reach nothing outside. Damaged files can make it loop for ever,
 * which only another thread can end.
 */

const most = { objects: 20_000, depth: 40, bytes: 4 * 2 ** 30 };
let files = 0;

/** h5wasm is an ES module only, which `import()` does not reach where ts-node makes a `require` of it. */
const loadH5Wasm = (): Promise<typeof H5Wasm> => createJiti(__filename, { tryNative: true }).import('h5wasm');

async function read({
  bytes,
  where,
  attributes,
}: Extract<H5Question, { bytes: Uint8Array }>): Promise<H5Answer> {
  const h5wasm = await loadH5Wasm();
  const module = await h5wasm.ready;
  // a damaged file is reported by an error, and not by lines on stderr
  module.activate_throwing_error_handler();
  const refuse = (what: string): UsageError => new UsageError(`${where} ${what}; save the model again.`);
  const path = `/model-${++files}.h5`;
  module.FS.writeFile(path, bytes);
  let file: H5Wasm.File | undefined;
  try {
    file = new h5wasm.File(path, 'r');
    const root = file;
    const found: (readonly [string, H5Wasm.Dataset])[] = [];
    walk(root, '', 0, { objects: 0 });
    const total = found.reduce((sum, [name, item]) => sum + 8 * product(sizesOf(item, name, refuse)), 0);
    if (total > Math.min(most.bytes, Math.max(2 ** 26, 64 * bytes.length)))
      throw refuse(
        `declares arrays of ${total} bytes in a file of ${bytes.length}, more than weights compress to`,
      );
    return {
      arrays: found.map(([name, item]) => arrayOf(item, name, refuse)),
      texts: Object.fromEntries(attributes.map((name) => [name, textOf(root, name, refuse)])),
    };

    function walk(group: H5Wasm.Group, prefix: string, depth: number, seen: { objects: number }): void {
      if (depth > most.depth) throw refuse(`has groups nested deeper than ${most.depth} levels`);
      for (const key of group.keys()) {
        if (++seen.objects > most.objects) throw refuse(`holds more than ${most.objects} objects`);
        if (replaced.test(key)) throw refuse(notUtf8);
        const name = prefix === '' ? key : `${prefix}/${key}`;
        const item = group.get(key);
        if (item instanceof h5wasm.Group) walk(item, name, depth + 1, seen);
        else if (item instanceof h5wasm.Dataset) found.push([name, item]);
        else if (item !== null)
          throw refuse(`has the link ${name}, which points to another file or to nothing`);
      }
    }
  } catch (error) {
    const known =
      error instanceof UsageError ? error : refuse(`is not a sound HDF5 file (${cause(error as Error)})`);
    return { refused: known.message };
  } finally {
    try {
      file?.close();
    } catch {
      // a damaged file may not even close; its bytes are freed below
    }
    module.FS.unlink(path);
  }
}

async function write(arrays: readonly ArrayToWrite[]): Promise<H5Answer> {
  const h5wasm = await loadH5Wasm();
  const module = await h5wasm.ready;
  const path = `/model-${++files}.h5`;
  // HDF5 stores the time at which each object is written; with a fixed time, equal models give equal bytes
  Date.now = () => Date.UTC(1980);
  const file = new h5wasm.File(path, 'w');
  const groups = new Set<string>();
  for (const { name, shape, data } of arrays) {
    const parents = name.split('/').slice(0, -1);
    parents.forEach((_, i) => {
      const group = parents.slice(0, i + 1).join('/');
      if (!groups.has(group)) file.create_group(group);
      groups.add(group);
    });
    file.create_dataset({ name, data: Float32Array.from(data), shape: [...shape], dtype: '<f' });
  }
  file.close();
  const written = module.FS.readFile(path);
  module.FS.unlink(path);
  return { written };
}

/** What the HDF5 library says last, where it lists the functions that failed: the innermost cause. */
function cause({ message }: Error): string {
  const failed = [...message.matchAll(/^ *#\d+: .*\(\): (.+)$/gm)];
  return failed.at(-1)?.[1] ?? message.split('\n')[0];
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function sizesOf({ shape }: H5Wasm.Dataset, name: string, refuse: (what: string) => UsageError): number[] {
  const sizes = shape ?? [];
  if (!sizes.every((n) => Number.isSafeInteger(n) && n >= 0) || sizes.length > 8)
    throw refuse(`has the array ${name} with shape [${sizes.join(', ')}]`);
  return sizes;
}

function arrayOf(dataset: H5Wasm.Dataset, name: string, refuse: (what: string) => UsageError): H5Array {
  const { dtype } = dataset;
  const shape = sizesOf(dataset, name, refuse);
  const kind = typeof dtype === 'string' ? dtype : 'a compound type';
  if (!/^[<>|]?[bBhHiIqQefd]$/.test(kind))
    return { name, shape, numbers: `of ${kind}, where numbers were expected` };
  const value = dataset.value as ArrayLike<number | bigint> | number | null;
  const list = typeof value === 'number' ? [value] : value;
  if (list === null || typeof list !== 'object' || list.length !== product(shape))
    return { name, shape, numbers: `[${shape.join(', ')}], whose numbers cannot be read` };
  return { name, shape, numbers: Float64Array.from({ length: list.length }, (_, i) => Number(list[i])) };
}

/** What the HDF5 library puts where bytes are not UTF-8: two names that differ could be one. */
const replaced = /[\p{Surrogate}\uFFFD]/u;
const notUtf8 = 'holds text that is not UTF-8';

function textOf(file: H5Wasm.File, name: string, refuse: (what: string) => UsageError): string | undefined {
  if (!Object.keys(file.attrs).includes(name)) return undefined;
  const { value } = file.attrs[name];
  const text = value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value;
  if (typeof text !== 'string') return undefined;
  if (replaced.test(text)) throw refuse(notUtf8);
  return text;
}

parentPort?.on('message', (question: H5Question) => {
  const work = 'write' in question ? write(question.write) : read(question);
  void work.then((answer) => parentPort?.postMessage(answer));
});
