import { constants, copyFile, link, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../outcome';
import { nameAlongside, realPath } from './names';

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

/** What was written alongside, and where it belongs. */
export interface Replacement {
  readonly temporary: string;
  readonly target: string;
}

/**
 * The same for files that belong together, as a model's do: none is replaced before all of them are written.
 *
 * @throws UsageError when one cannot be written; the old files are unchanged then, and nothing is left alongside
 */
export async function writeFilesAtomic(
  files: Iterable<readonly [file: string, data: string | Uint8Array]>,
): Promise<void> {
  const written: Replacement[] = [];
  let current = '';
  try {
    for (const [file, data] of files) {
      current = file;
      const found = await stat(file).catch(() => undefined);
      if (found !== undefined && !found.isFile()) await writeDirectly(file, data, found.isFIFO());
      else {
        const target = await realPath(file);
        const temporary = nameAlongside(target);
        written.push({ temporary, target });
        await writeWhole(temporary, data, found?.mode);
      }
    }
  } catch (error) {
    for (const { temporary } of written) await removeQuietly(temporary);
    throw notWritten(current, error);
  }
  await replaceTogether(written);
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Puts files or folders that were written alongside into their places: all of them or none. What one replaces is kept until the last is in
 * place, and put back where one cannot be. Replacements of one process wait for each other, so that none is mixed with another one.
 *
 * @param check looks at the places once more before anything is replaced
 * @throws UsageError when one cannot be replaced; the old ones are there again then, and nothing is left alongside. Where one of these
 * cannot be put back either, the message says what stands where. Or what `check` throws: nothing is replaced or removed then.
 */
export function replaceTogether(
  replacements: readonly Replacement[],
  check: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const done = last.then(check).then(() => replaceAll(replacements));
  last = done.catch(() => undefined);
  return done;
}

async function replaceAll(replacements: readonly Replacement[]): Promise<void> {
  const places: Place[] = [];
  let current = '';
  try {
    for (const { temporary, target } of replacements) {
      current = target;
      const asFolder = await isFolder(temporary);
      // a file alone is replaced at once; a folder cannot be
      const isKept = replacements.length > 1 || asFolder;
      const before = isKept ? await keepAside(target, asFolder) : undefined;
      const place: Place = { target, before, isNew: false };
      places.push(place);
      await rename(temporary, target);
      place.isNew = true;
    }
  } catch (error) {
    const stuck = await putBack(places);
    for (const { temporary } of replacements) await removeQuietly(temporary);
    throw notWritten(current, error, stuck);
  }
  for (const { before } of places) if (before !== undefined) await removeQuietly(before);
}

interface Place {
  readonly target: string;
  /** the old one, if there was one and it is kept */ readonly before: string | undefined;
  /** whether the new one is there */ isNew: boolean;
}

/**
 * Keeps what is at `target`: gives a file a second name, and renames a folder that a folder replaces. A folder that a file would replace is an error.
 *
 * @returns its name; undefined where there is nothing to keep
 */
async function keepAside(target: string, asFolder: boolean): Promise<string | undefined> {
  const aside = nameAlongside(target, 'old');
  try {
    if (asFolder && (await isFolder(target))) await rename(target, aside);
    else
      // not every file system has a second name for a file
      await link(target, aside).catch(async (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
        await copyFile(target, aside, constants.COPYFILE_EXCL);
      });
    return aside;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Puts the old files and folders back. @returns for each that cannot be put back, where it is now */
async function putBack(places: readonly Place[]): Promise<string[]> {
  const stuck: string[] = [];
  for (const { target, before, isNew } of places.toReversed())
    try {
      if (isNew && (before === undefined || (await isFolder(target)))) await rm(target, { recursive: true });
      if (before === undefined) continue;
      await rename(before, target);
      // of two names of one file, both are still there
      await rm(before, { force: true });
    } catch {
      const old = before === undefined ? '' : `, and the old one is ${before}`;
      stuck.push(`${target} ${isNew ? 'is the new one' : 'is not there'}${old}`);
    }
  return stuck;
}

const removeQuietly = (name: string): Promise<void> =>
  rm(name, { recursive: true, force: true }).catch(() => undefined);

const isFolder = (name: string): Promise<boolean> =>
  stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );

function notWritten(file: string, error: unknown, stuck: readonly string[] = []): UsageError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const reason = message.startsWith(`${code}: `) ? message.split(',')[0] : message;
  const left = stuck.length === 0 ? '' : ` Not all could be put back: ${stuck.join('; ')}.`;
  return new UsageError(`${file} cannot be written (${reason}); ${adviceOn(code)}.${left}`, { cause: error });
}

async function writeDirectly(file: string, data: string | Uint8Array, isPipe: boolean): Promise<void> {
  // to open a named pipe that no program reads would wait for ever
  const reader = isPipe ? await open(file, constants.O_WRONLY | constants.O_NONBLOCK) : undefined;
  try {
    await writeFile(file, data);
  } finally {
    await reader?.close();
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
    case 'ENXIO':
      return 'start the program that reads this named pipe first';
    case 'ENOENT':
    case 'ENOTDIR':
      return 'make its directory first';
    default:
      return 'the file from before, if there was one, is unchanged: choose another place';
  }
}

/**
 * Makes a directory and those above it, one after the other: `recursive` of Node.js 20 never ends where the system says ENOENT although
 * the parent exists, as in /proc.
 *
 * @returns the first one that was made; undefined where the directory exists
 * @throws what the system says where it cannot be made
 */
export async function makeDirectory(directory: string): Promise<string | undefined> {
  if (await isFolder(directory)) return undefined;
  const parent = path.dirname(directory);
  const first = parent === directory ? undefined : await makeDirectory(parent);
  try {
    await mkdir(directory);
  } catch (error) {
    // another process may have made it since
    if (!(await isFolder(directory))) throw error;
  }
  return first ?? directory;
}
