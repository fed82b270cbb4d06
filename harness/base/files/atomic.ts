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
export async function writeFileAtomic(file: string, data: string | Uint8Array): Promise<void> {
  try {
    const found = await stat(file).catch(() => undefined);
    if (found === undefined || found.isFile()) await replace(await followed(file), data, found?.mode);
    else await writeFile(file, data);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const reason = message.startsWith(`${code}: `) ? message.split(',')[0] : message;
    throw new UsageError(`${file} cannot be written (${reason}); ${adviceOn(code)}.`, { cause: error });
  }
}

async function replace(file: string, data: string | Uint8Array, mode: number | undefined): Promise<void> {
  const temporary = `${file}.${process.pid}-${++count}.tmp`;
  try {
    const handle = await open(temporary, 'wx', mode ?? 0o666);
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
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
