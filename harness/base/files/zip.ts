import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import yazl from 'yazl';
import { UsageError } from '../outcome';

export interface ZipLimits {
  /** entries that would take more memory than this together are refused */ readonly maxBytes: number;
  /** as is what takes more than 64 MiB and more than this many times the archive's own bytes */ readonly maxExpansion: number;
}

/**
 * The entries of a zip archive that are wanted, by name. Sizes are compared with the limits before memory is taken, and every
 * checksum is verified. Nothing is written anywhere, so that no name of an entry can point out of a folder.
 *
 * @param where how messages call the archive
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
  try {
    const zip = await yauzl.fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    for await (const entry of zip.eachEntry()) {
      const { fileName: name, uncompressedSize: size } = entry;
      if (!isWanted(name)) continue;
      if (found.has(name))
        throw new UsageError(`${where} holds ${JSON.stringify(name)} twice; save it again.`);
      taken += size;
      if (taken > Math.min(maxBytes, Math.max(2 ** 26, maxExpansion * bytes.length)))
        throw new UsageError(
          `${where}: ${JSON.stringify(name)} takes ${size} bytes, far more than the ${bytes.length} bytes of the archive hold; save it again.`,
        );
      const chunks: Buffer[] = [];
      let checksum = 0;
      for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
        checksum = crc32(chunk, checksum);
        chunks.push(chunk);
      }
      if (checksum !== entry.crc32)
        throw new UsageError(
          `${where}: ${name} has checksum ${checksum.toString(16)} but the archive says ${entry.crc32.toString(16)}; it is damaged, so copy it again.`,
        );
      found.set(name, Buffer.concat(chunks));
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `${where} is not a sound zip archive (${(error as Error).message}); save it again.`,
      { cause: error },
    );
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
