import { existsSync } from 'node:fs';
import { readdir, readlink, realpath, rm } from 'node:fs/promises';
import path from 'node:path';

let count = 0;

/**
 * What becomes `target` has the name TARGET.PID-N.tmp until then, and what it replaces is TARGET.PID-N.old meanwhile.
 *
 * @returns a name that is free: in containers every process may have the same number, so that one that was killed left the same names
 */
export function nameAlongside(target: string, ending: 'tmp' | 'old' = 'tmp'): string {
  for (;;) {
    const name = `${target}.${process.pid}-${++count}.${ending}`;
    if (!existsSync(name)) return name;
  }
}

/** A name alongside a file or folder, or alongside such a name. */
const alongside = /^(?:\.(\d+)-\d+\.(tmp|old))+$/;

export interface Leftover {
  readonly name: string;
  /** the process that wrote it, or writes it now */ readonly pid: number;
  /** whether it is a folder that was replaced */ readonly isOldFolder: boolean;
}

/** What writes of `target` left alongside it when their process was killed, and what is being written now. */
export async function leftoversOf(target: string): Promise<Leftover[]> {
  const [folder, base] = [path.dirname(target), path.basename(target)];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.flatMap((entry) => {
    const found = entry.name.startsWith(base) ? alongside.exec(entry.name.slice(base.length)) : null;
    if (found === null) return [];
    const isOldFolder = found[2] === 'old' && entry.isDirectory();
    return [{ name: path.join(folder, entry.name), pid: Number(found[1]), isOldFolder }];
  });
}

/** Removes what writes of these files left alongside when their process was killed; no process may be writing them. */
export async function removeLeftovers(files: readonly string[]): Promise<void> {
  for (const { name } of (await Promise.all(files.map(leftoversOf))).flat())
    await rm(name, { force: true }).catch(() => undefined);
}

/** The folder of a model, which is named by its folder or by the model.json in it. */
export const modelFolder = (model: string): string =>
  path.basename(model) === 'model.json' ? path.dirname(model) : model;

/**
 * Where a path leads to, through symbolic links, also where nothing is there yet: what is written there leaves the links as they are.
 *
 * @throws what the system says of links that lead in a circle
 */
export async function realPath(file: string): Promise<string> {
  const full = path.resolve(file);
  const found = await realpath(full).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') throw error;
    return undefined;
  });
  const folder = path.dirname(full);
  if (found !== undefined || folder === full) return found ?? full;
  const real = await realPath(folder);
  const link = await readlink(full).catch(() => undefined);
  return link === undefined ? path.join(real, path.basename(full)) : realPath(path.resolve(real, link));
}
