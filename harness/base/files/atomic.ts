import { open, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../outcome';

let count = 0;

/**
 * Writes a file so that at any moment, even after a power cut, SIGKILL or on a full disk, it is the old one or the whole new one:
 * written alongside, flushed to the disk, renamed over it. `FileHandle.writeFile` writes on after a short write, as a disk that is
 * nearly full gives, and fails at the next. A pipe or device (`/dev/stdout`) is written directly.
 *
 * @throws UsageError when it cannot be written; the old file is unchanged then, and nothing is left alongside
 */
export function writeFileAtomic(file: string, data: string | Uint8Array): Promise<void> {
  return writeFilesAtomic([[file, data]]);
}

/**
 * The same for files that belong together, as a model's do: none is replaced before all of them are written.
 *
 * @throws UsageError when one cannot be written; the old files are unchanged then, and nothing is left alongside
 */
export async function writeFilesAtomic(
  files: readonly (readonly [file: string, data: string | Uint8Array])[],
): Promise<void> {
  const written: { readonly temporary: string; readonly target: string }[] = [];
  let current = '';
  try {
    for (const [file, data] of files) {
      current = file;
      const found = await stat(file).catch(() => undefined);
      if (found !== undefined && !found.isFile()) await writeFile(file, data);
      else {
        const target = await followed(file);
        const temporary = `${target}.${process.pid}-${++count}.tmp`;
        written.push({ temporary, target });
        await writeWhole(temporary, data, found?.mode);
      }
    }
    for (const { temporary, target } of written) await rename(temporary, (current = target));
  } catch (error) {
    for (const { temporary } of written) await rm(temporary, { force: true }).catch(() => undefined);
    const { code = '', message } = error as NodeJS.ErrnoException;
    const reason = message.startsWith(`${code}: `) ? message.split(',')[0] : message;
    throw new UsageError(`${current} cannot be written (${reason}); ${adviceOn(code)}.`, { cause: error });
  }
}

async function writeWhole(file: string, data: string | Uint8Array, mode = 0o666): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Where a link points to, so that the file behind it is replaced and the link stays. */
const followed = (file: string): Promise<string> => realpath(file).catch(() => file);

function adviceOn(code: string): string {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'the file from before, if there was one, is unchanged: make room, or write to another disk';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'choose a place that you may write to';
    case 'ENOENT':
    case 'ENOTDIR':
      return 'make its directory first';
    default:
      return 'the file from before, if there was one, is unchanged: choose another place';
  }
}

/** Removes what writes of these files left behind when their process was killed. */
export async function removeLeftovers(directory: string, files: readonly string[]): Promise<void> {
  const entries = await readdir(directory).catch((): string[] => []);
  for (const entry of entries) {
    const file = files.find((name) => entry.startsWith(`${name}.`));
    if (file !== undefined && /^\.\d+(-\d+\.tmp)?$/.test(entry.slice(file.length)))
      await rm(path.join(directory, entry), { force: true });
  }
}
