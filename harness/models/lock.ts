import { link, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { nameAlongside, readRegularFile } from '../base/files/index';
import { UsageError } from '../base/outcome';
import { isRunning, startOf, type ProcessName } from '../base/process/index';

/** Two runs that write into one directory would overwrite each other's files: this file in it names the process that may. */
export const lockName = 'run.lock';

/**
 * @returns unlocks the directory
 * @throws UsageError when another run holds the lock, or the directory cannot be written to
 */
export async function lock(directory: string): Promise<() => Promise<void>> {
  const file = path.join(directory, lockName);
  const mine = nameAlongside(file);
  const owner = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  try {
    await writeFile(mine, JSON.stringify(owner));
    for (let tries = 0; !(await takeName(mine, file)); tries++) {
      await refuseLocked(directory);
      if (tries === 9) throw new Error('its lock is taken again and again');
      await removeStale(file);
    }
  } catch (error) {
    throw error instanceof UsageError ? error : notWritable(directory, error);
  } finally {
    await rm(mine, { force: true });
  }
  return () => rm(file, { force: true });
}

/** Gives a file a second name, whole or not at all; false where that name is taken. */
async function takeName(file: string, name: string): Promise<boolean> {
  try {
    await link(file, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

interface Lock extends ProcessName {
  readonly host: string;
}

/** @throws UsageError when the directory is locked by a run that goes on, or may go on on another host */
export async function refuseLocked(directory: string): Promise<void> {
  const file = path.join(directory, lockName);
  const owner = await ownerIn(file);
  if (owner === undefined) return;
  if (owner.host !== hostname())
    throw new UsageError(
      `${directory} is in use by a run on the host ${owner.host} (process ${owner.pid}), which cannot be checked from here; choose another directory, or delete ${file} if that run is over.`,
    );
  if (isRunning(owner))
    throw new UsageError(
      `${directory} is in use by another run (process ${owner.pid} on this machine); wait until it ends, or choose another directory.`,
    );
}

/** Who holds a lock; undefined where there is none, or where it is no file: a named pipe would block for ever. */
async function ownerIn(file: string): Promise<Lock | undefined> {
  return parseLock(await readRegularFile(file).then(String, () => ''));
}

function parseLock(text: string): Lock | undefined {
  try {
    const { pid, host, started } = JSON.parse(text) as Partial<Lock>;
    if (!Number.isSafeInteger(pid) || typeof host !== 'string') return undefined;
    return { pid: pid as number, host, ...(typeof started === 'string' && { started }) };
  } catch {
    return undefined;
  }
}

/** Removes a stale lock by moving it away: where another run has replaced it in the meantime, that run's lock is put back. */
async function removeStale(file: string): Promise<void> {
  const moved = nameAlongside(file);
  await rename(file, moved).catch(() => undefined);
  const owner = await ownerIn(moved);
  if (owner !== undefined && (owner.host !== hostname() || isRunning(owner))) await takeName(moved, file);
  await rm(moved, { force: true });
}

export function notWritable(directory: string, error: unknown): UsageError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new UsageError(
    `${directory} cannot be written to (${code ?? message}); choose a directory that can be made and written to.`,
    { cause: error },
  );
}
