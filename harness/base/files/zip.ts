import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import yazl from 'yazl';
import { UsageError } from '../outcome';

export interface ZipEntry {
  readonly name: string;
  /** bytes of the content */ readonly size: number;
  /** The content, piece by piece; at its end the checksum is verified. */
  readonly read: () => AsyncGenerator<Buffer>;
}

/**
 * The entries of a zip archive, one after the other. Nothing is written anywhere, so that no name of an entry can point out of a folder.
 *
 * @param source a path, or the archive's bytes
 * @param where how messages call the archive
 * @param kind what it should be, and what to do where it is not
 * @throws UsageError when it is damaged
 */
export async function* zipEntries(
  source: string | Uint8Array,
  where: string,
  [kind, fix] = ['zip archive', 'save it again'],
): AsyncGenerator<ZipEntry> {
  const damaged = (error: unknown): UsageError => {
    if (error instanceof UsageError) return error;
    const reason = error instanceof Error ? error.message : String(error);
    return new UsageError(`${where} is not a sound ${kind} (${reason}); ${fix}.`, { cause: error });
  };
  let zip: yauzl.ZipFile | undefined;
  async function* contentOf(open: yauzl.ZipFile, entry: yauzl.Entry): AsyncGenerator<Buffer> {
    let checksum = 0;
    try {
      for await (const chunk of (await open.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
        checksum = crc32(chunk, checksum);
        yield chunk;
      }
    } catch (error) {
      throw damaged(error);
    }
    if (checksum !== entry.crc32)
      throw new UsageError(
        `${where}: ${entry.fileName} has checksum ${checksum.toString(16)} but the archive says ${entry.crc32.toString(16)}; the file is damaged, so copy or save it again.`,
      );
  }
  try {
    const open =
      typeof source === 'string'
        ? await yauzl.openPromise(source, { autoClose: false })
        : await yauzl.fromBufferPromise(Buffer.from(source.buffer, source.byteOffset, source.byteLength));
    zip = open;
    for await (const entry of open.eachEntry())
      yield {
        name: entry.fileName,
        size: entry.uncompressedSize,
        read: () => contentOf(open, entry),
      };
  } catch (error) {
    throw damaged(error);
  } finally {
    zip?.close();
  }
}

export interface ZipLimits {
  /** entries that would take more memory than this together are refused */ readonly maxBytes: number;
  /** as is what takes more than 64 MiB and more than this many times the archive's own bytes */ readonly maxExpansion: number;
}

/**
 * The entries of a zip archive that are wanted, by name. Sizes are compared with the limits before memory is taken.
 *
 * @throws UsageError when it is damaged, or an entry is there twice or too large
 */
export async function readZip(
  bytes: Uint8Array,
  where: string,
  isWanted: (name: string) => boolean,
  { maxBytes, maxExpansion }: ZipLimits,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  let taken = 0;
  for await (const { name, size, read } of zipEntries(bytes, where)) {
    if (!isWanted(name)) continue;
    if (found.has(name)) throw new UsageError(`${where} holds ${JSON.stringify(name)} twice; save it again.`);
    taken += size;
    if (taken > Math.min(maxBytes, Math.max(2 ** 26, maxExpansion * bytes.length)))
      throw new UsageError(
        `${where}: ${JSON.stringify(name)} takes ${size} bytes, far more than the ${bytes.length} bytes of the archive hold; save it again.`,
      );
    const chunks: Buffer[] = [];
    for await (const chunk of read()) chunks.push(chunk);
    found.set(name, Buffer.concat(chunks));
  }
  return found;
}

/** The bytes of a zip archive, without compression; the same entries give the same bytes. */
export async function formatZip(
  entries: Iterable<readonly [name: string, content: Buffer]>,
): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  // a fixed time of day: equal contents, equal bytes
  const options = { mtime: new Date(1980, 0, 1), mode: 0o100644, compress: false, forceDosTimestamp: true };
  for (const [name, content] of entries) zip.addBuffer(content, name, options);
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
