import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/**
 * Writes some members of a zip file to disk, streaming (the largest has 790 MB).
 *
 * @param targets for each member's name the file to write
 * @param written called with the bytes written so far
 * @throws {Error} when a member is missing or damaged
 */
export async function extractMembers(
  archive: string,
  targets: ReadonlyMap<string, string>,
  written: (bytes: number) => void = () => undefined,
): Promise<void> {
  const yauzl = await import('yauzl');
  const zip = await yauzl.openPromise(archive, { autoClose: false });
  const missing = new Set(targets.keys());
  let bytes = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      const target = targets.get(entry.fileName);
      if (target === undefined) continue;
      fs.mkdirSync(path.dirname(target), { recursive: true });
      const stream = await zip.openReadStreamPromise(entry);
      stream.on('data', (chunk: Buffer) => written((bytes += chunk.length)));
      await pipeline(stream, fs.createWriteStream(target));
      missing.delete(entry.fileName);
    }
  } finally {
    zip.close();
  }
  if (missing.size > 0) throw new Error(`${path.basename(archive)} does not hold ${[...missing].join(', ')}`);
}
