import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isAlive } from './is-alive';
import { SetUpError } from './set-up-error';

/** The directory that holds what was built, for all projects of this user: $XDG_CACHE_HOME or ~/.cache. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  // The XDG specification: a relative path is invalid and to be ignored.
  const root = base !== undefined && path.isAbsolute(base) ? base : path.join(os.homedir(), '.cache');
  return path.join(root, 'rnn-parity');
}

const unfinished = /^\.tmp-(?<host>.+)-(?<pid>\d+)-\w+$/;
const dayMillis = 86_400_000;

function unfinishedPrefix(cache: string): string {
  return path.join(cache, `.tmp-${os.hostname()}-${process.pid}-`);
}

/** A fresh directory for one run to build in; it becomes an entry by one rename, or it is removed. */
export function makeUnfinished(cache: string): string {
  try {
    fs.mkdirSync(cache, { recursive: true });
    return fs.mkdtempSync(unfinishedPrefix(cache));
  } catch (error) {
    throw new SetUpError(
      `the cache directory cannot be written (${(error as Error).message})`,
      'fix its permissions, or set XDG_CACHE_HOME to a directory of yours',
      { cause: error },
    );
  }
}

/** Removes what killed runs left: directories of processes that live no more, or that are older than a day. */
export function removeAbandoned(cache: string): void {
  for (const name of namesIn(cache)) {
    const match = unfinished.exec(name)?.groups;
    if (match === undefined) continue;
    const directory = path.join(cache, name);
    const here = match['host'] === os.hostname();
    if ((here && !isAlive(Number(match['pid']))) || ageMillis(directory) > dayMillis) remove(directory);
  }
}

/** The sizes of the finished and unfinished entries, in bytes on disk. */
export function cacheEntries(cache: string): { name: string; bytes: number }[] {
  return namesIn(cache).map((name) => ({ name, bytes: bytesIn(path.join(cache, name)) }));
}

/** Removes an entry; it is renamed first, so that no other process finds half of it under its own name. */
export function remove(entry: string): void {
  const aside = unfinishedPrefix(path.dirname(entry)) + crypto.randomBytes(4).toString('hex');
  try {
    fs.renameSync(entry, aside);
  } catch {
    return; // Another process has removed it.
  }
  fs.rmSync(aside, { recursive: true, force: true });
}

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory).sort();
  } catch {
    return [];
  }
}

function bytesIn(target: string): number {
  const stat = fs.lstatSync(target, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.size;
  return namesIn(target).reduce((sum, name) => sum + bytesIn(path.join(target, name)), 0);
}

function ageMillis(target: string): number {
  return Date.now() - (fs.statSync(target, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}
