import { lstat, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';

/** What convert writes into a folder; with --force it replaces a folder of these alone. */
export const ownFiles: readonly string[] = ['model.json', 'weights.bin', 'saved_model.pb', 'parity.json'];

/** What becomes `target`, while a process writes it; the old folder and what is being written have names with a second number. */
export const unfinishedName = (target: string, pid: number): string => `${target}.${pid}.tmp`;
const names = /^(\.parity\.json)?\.(\d+)(-\d+)?\.tmp((\.parity\.json)?(\.\d+-\d+\.tmp)?)$/;

/**
 * Puts right what conversions to `target` left that were killed: a folder that had made room comes back where no new one took its
 * place; what was not finished is removed. What another process writes now, and what has other files in it, is left alone.
 */
export async function clearLeftovers(target: string): Promise<void> {
  const folder = path.dirname(target);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const base = path.basename(target);
  const left = entries.flatMap((entry) => {
    const found = entry.name.startsWith(base) ? names.exec(entry.name.slice(base.length)) : null;
    if (found === null) return [];
    const [ofProof, pid, aside] = [found.at(1), Number(found[2]), found.at(3)];
    if (isRunning(pid)) return [];
    const isOld = aside !== undefined && ofProof === undefined && entry.isDirectory();
    return [{ name: path.join(folder, entry.name), pid, isOld }];
  });
  for (const { name, pid } of left.filter(({ isOld }) => isOld)) {
    if (!(await exists(target))) await rename(name, target);
    // where the new one was not moved, something else took the place of the old one, which is kept
    else if (!(await exists(unfinishedName(target, pid)))) await removeOwn(name);
  }
  for (const { name, isOld } of left) if (!isOld) await removeOwn(name);
}

/** Removes a file, or a folder that holds nothing but what convert writes. */
async function removeOwn(name: string): Promise<void> {
  const entries = await readdir(name).catch((): string[] => []);
  const isOwn = entries.every((entry) => ownFiles.includes(entry.replace(/\.\d+-\d+\.tmp$/, '')));
  if (isOwn) await rm(name, { recursive: true, force: true });
}

const exists = (name: string): Promise<boolean> =>
  lstat(name).then(
    () => true,
    () => false,
  );

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
