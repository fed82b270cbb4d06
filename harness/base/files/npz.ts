import { UsageError } from '../outcome';
import { writeFileAtomic } from './atomic';
import { formatNpy, isStringArray, NpyDecoder, type ArrayToWrite, type NpyArray } from './npy';
import { checkRegularFile } from './regular-file';
import { formatZip, zipEntries } from './zip';

export interface ReadNpzOptions {
  /** arrays that would take more bytes of memory than this together are refused; default 8 GiB, that is 2^30 numbers */
  readonly maxBytes?: number;
  /** arrays that would take more than 64 MiB and more than this many times the archive's own bytes are refused; default: no such limit */
  readonly maxExpansion?: number;
}

/**
 * Limits for weights, checkpoints and vectors. Trained numbers hardly compress, and float16 grows by 4 as float64, so that more than 64
 * times the archive's bytes means a forged file; data may be mostly zeros and shrink by deflate's full 1,032 times.
 */
export const weightsArchive: ReadNpzOptions = { maxBytes: 4 * 2 ** 30, maxExpansion: 64 };

/**
 * Reads an archive of numpy.savez or numpy.savez_compressed: array names (without `.npy`) to arrays.
 *
 * Every entry's checksum is verified. Limits and sizes are compared with an entry's header before memory is taken, so that a forged
 * header allocates nothing; then the numbers are decoded as they arrive, so that reading takes the memory of the result and no more.
 * A Map, so that no name can reach an object's prototype.
 *
 * @param source a path, or the archive's bytes
 * @throws UsageError that names the file and the entry
 */
export async function readNpz(
  source: string | Uint8Array,
  options: ReadNpzOptions = {},
): Promise<Map<string, NpyArray>> {
  const where = typeof source === 'string' ? source : 'the archive';
  const size = typeof source === 'string' ? await checkRegularFile(source) : source.byteLength;
  const limits = new Limits(where, size, options);
  const arrays = new Map<string, NpyArray>();
  for await (const entry of zipEntries(source, where, ['.npz archive', 'save it again with numpy.savez'])) {
    const { name } = entry;
    if (!name.endsWith('.npy'))
      throw new UsageError(
        `${where} holds ${JSON.stringify(name)}; a .npz holds .npy arrays only, so save it with numpy.savez.`,
      );
    const key = name.slice(0, -4);
    if (arrays.has(key))
      throw new UsageError(`${where} holds ${JSON.stringify(name)} twice; keep one array of each name.`);
    const decoder = new NpyDecoder(`${where}: ${name}`, entry.size, (bytes) => limits.reserve(name, bytes));
    for await (const chunk of entry.read()) decoder.push(chunk);
    arrays.set(key, decoder.finish());
  }
  if (arrays.size === 0)
    throw new UsageError(`${where} holds no array; save it with numpy.savez(file, inputs=...).`);
  return arrays;
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
  return formatZip(
    Object.entries(entries).map(([name, array]) => [`${name}.npy`, formatNpy(array, name)] as const),
  );
}

/** Writes an archive that numpy.load reads; the file is either the old one or the whole new one. */
export async function writeNpz(file: string, entries: Readonly<Record<string, ArrayToWrite>>): Promise<void> {
  await writeFileAtomic(file, await formatNpz(entries));
}

/** Counts the memory that the arrays of one archive take. */
class Limits {
  private taken = 0;

  constructor(
    private readonly where: string,
    private readonly archiveBytes: number,
    private readonly options: ReadNpzOptions,
  ) {}

  /** Throws UsageError when `bytes` more are too many. */
  reserve(name: string, bytes: number): void {
    const { maxBytes = 8 * 2 ** 30, maxExpansion = Infinity } = this.options;
    this.taken += bytes;
    const what = `${this.where}: ${JSON.stringify(name)} takes ${bytes} bytes of memory, that brings the archive to ${this.taken}`;
    if (this.taken > maxBytes)
      throw new UsageError(`${what}, beyond the limit of ${maxBytes}; split the data into smaller archives.`);
    if (this.taken > Math.max(2 ** 26, maxExpansion * this.archiveBytes))
      throw new UsageError(
        `${what}, more than ${maxExpansion} times the ${this.archiveBytes} bytes of the file, which weights and vectors do not compress to; save the file again.`,
      );
  }
}
