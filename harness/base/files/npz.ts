import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import yazl from 'yazl';
import { UsageError } from '../outcome';
import { writeFileAtomic } from './atomic';
import { checkSize, formatNpy, isStringArray, parseNpy, type ArrayToWrite, type NpyArray } from './npy';
import { maxHeader, parseNpyHeader } from './npy-header';

export interface ReadNpzOptions {
  /** more uncompressed bytes than this in the whole archive are refused; default 4 GiB */ readonly maxBytes?: number;
}

/**
 * Reads an archive of numpy.savez or numpy.savez_compressed: array names (without `.npy`) to arrays.
 *
 * Every entry's checksum is verified, and its size is compared with its header before its numbers are taken in, so that a forged
 * header allocates nothing. A Map, so that no name can reach an object's prototype.
 *
 * @param source a path, or the archive's bytes
 * @throws UsageError that names the file and the entry
 */
export async function readNpz(
  source: string | Uint8Array,
  options: ReadNpzOptions = {},
): Promise<Map<string, NpyArray>> {
  const where = typeof source === 'string' ? source : 'the archive';
  const maxBytes = options.maxBytes ?? 4 * 2 ** 30;
  const zip = await open(source, where);
  try {
    const arrays = new Map<string, NpyArray>();
    let left = maxBytes;
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      if (!name.endsWith('.npy'))
        throw new UsageError(
          `${where} holds ${JSON.stringify(name)}; a .npz holds .npy arrays only, so save it with numpy.savez.`,
        );
      if (entry.uncompressedSize > left)
        throw new UsageError(
          `${where}: ${JSON.stringify(name)} is ${entry.uncompressedSize} bytes uncompressed, beyond the limit of ${maxBytes} for the archive; split the data or raise maxBytes.`,
        );
      left -= entry.uncompressedSize;
      const key = name.slice(0, -4);
      if (arrays.has(key))
        throw new UsageError(`${where} holds ${JSON.stringify(name)} twice; keep one array of each name.`);
      const bytes = await readEntry(zip, entry, `${where}: ${name}`);
      arrays.set(key, parseNpy(bytes, `${where}: ${name}`));
    }
    if (arrays.size === 0)
      throw new UsageError(`${where} holds no array; save it with numpy.savez(file, inputs=...).`);
    return arrays;
  } catch (error) {
    throw error instanceof UsageError ? error : damaged(where, error);
  } finally {
    zip.close();
  }
}

/** The numbers of one array of an archive, with the rank checked. Throws UsageError when it is missing, text, or of another rank. */
export function numbersOf(
  arrays: ReadonlyMap<string, NpyArray>,
  name: string,
  rank: number,
  where: string,
): { readonly shape: readonly number[]; readonly data: Float64Array } {
  const array = arrays.get(name);
  if (array === undefined) {
    throw new UsageError(
      `${where} has no array ${JSON.stringify(name)}; it holds ${[...arrays.keys()].join(', ')}.`,
    );
  }
  if (isStringArray(array))
    throw new UsageError(`${where}: ${name} is text (${array.dtype}); numbers are needed here.`);
  if (array.shape.length !== rank) {
    throw new UsageError(
      `${where}: ${name} has shape [${array.shape.join(', ')}]; ${rank} ${rank === 1 ? 'axis is' : 'axes are'} needed here, so reshape it.`,
    );
  }
  return { shape: array.shape, data: array.data };
}

/** The bytes of an archive that numpy.load reads; the same entries give the same bytes. */
export async function formatNpz(entries: Readonly<Record<string, ArrayToWrite>>): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  // A fixed time of day: equal contents, equal bytes.
  const options = { mtime: new Date(1980, 0, 1), mode: 0o100644, compress: false, forceDosTimestamp: true };
  for (const [name, array] of Object.entries(entries))
    zip.addBuffer(formatNpy(array, name), `${name}.npy`, options);
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Writes an archive that numpy.load reads; the file is either the old one or the whole new one. */
export async function writeNpz(file: string, entries: Readonly<Record<string, ArrayToWrite>>): Promise<void> {
  await writeFileAtomic(file, await formatNpz(entries));
}

async function open(source: string | Uint8Array, where: string): Promise<yauzl.ZipFile> {
  try {
    return typeof source === 'string'
      ? await yauzl.openPromise(source, { autoClose: false })
      : await yauzl.fromBufferPromise(Buffer.from(source));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'EACCES')
      throw new UsageError(`${where} cannot be read (${code}); give the path of a .npz file.`, {
        cause: error,
      });
    throw damaged(where, error);
  }
}

function damaged(where: string, error: unknown): UsageError {
  const reason = error instanceof Error ? error.message : String(error);
  return new UsageError(`${where} is no sound .npz archive (${reason}); save it again with numpy.savez.`, {
    cause: error,
  });
}

async function readEntry(zip: yauzl.ZipFile, entry: yauzl.Entry, where: string): Promise<Buffer> {
  const stream = await zip.openReadStreamPromise(entry);
  const chunks: Buffer[] = [];
  let checksum = 0;
  let headerChecked = false;
  let received = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    checksum = crc32(chunk, checksum);
    chunks.push(chunk);
    received += chunk.length;
    if (!headerChecked && received >= maxHeader + 12) {
      // A forged header ends here, after the first chunks.
      checkSize(parseNpyHeader(Buffer.concat(chunks), where), entry.uncompressedSize, where);
      headerChecked = true;
    }
  }
  if (checksum !== entry.crc32) {
    throw new UsageError(
      `${where} has checksum ${checksum.toString(16)} but the archive says ${entry.crc32.toString(16)}; the file is damaged, so copy or save it again.`,
    );
  }
  return Buffer.concat(chunks);
}
