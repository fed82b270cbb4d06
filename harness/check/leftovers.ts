import { lstat, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { leftoversOf } from '../base/files/index';
import { isRunning } from '../base/process/index';

/** What convert writes into a folder; with --force it replaces a folder of these alone. */
export const ownFiles: readonly string[] = ['model.json', 'weights.bin', 'saved_model.pb', 'parity.json'];

/**
 * Puts right what conversions to `target` left that were killed: a folder that had made room comes back where no new one took its
 * place; what was not finished is removed. What a running process writes, and what has other files in it, is left alone.
 */
export async function clearLeftovers(target: string): Promise<void> {
  const left = (await leftoversOf(target)).filter((one) => !isRunning(one));
  for (const { name, pid } of left.filter(({ isOldFolder }) => isOldFolder)) {
    if (!(await exists(target))) await rename(name, target);
    // where the new one was not moved, something else took the place of the old one, which is kept
    else if (!left.some((one) => !one.isOldFolder && one.pid === pid)) await removeOwn(name);
  }
  for (const { name, isOldFolder } of left) if (!isOldFolder) await removeOwn(name);
}

/** Removes a file, or a folder that holds nothing but what convert writes. */
async function removeOwn(name: string): Promise<void> {
  const entries = await readdir(name).catch((): string[] => []);
  const own = ownFiles.map((file) => path.join(name, file));
  const unfinished = (await Promise.all(own.map(leftoversOf))).flat().map((one) => one.name);
  const isOwn = entries.every((entry) => [...own, ...unfinished].includes(path.join(name, entry)));
  if (isOwn) await rm(name, { recursive: true, force: true });
}

const exists = (name: string): Promise<boolean> =>
  lstat(name).then(
    () => true,
    () => false,
  );
