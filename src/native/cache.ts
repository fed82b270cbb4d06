import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
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

/** Whether a process of this machine still runs; one that has ended does not, even if its parent has not waited for it yet. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  try {
    // "pid (name) state ...", where the name may hold anything.
    return !/^.*\) Z/s.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/**
 * Loading and computing takes a second or two, so what was found to work is remembered: by the addon's file and the
 * libraries in its directory (sizes and times), the Node and the CPU. A change of any of them means a new check.
 */
function markOf(cache: string, addon: string): string {
  const file = fs.realpathSync(addon);
  const folder = path.dirname(file);
  // Where tfjs-node's own installer puts libtensorflow.
  const directories = [folder, path.resolve(folder, '..', '..', 'deps', 'lib')];
  const libraries = directories.flatMap((directory) =>
    fs.existsSync(directory)
      ? fs
          .readdirSync(directory)
          .filter((name) => name.startsWith('libtensorflow'))
          .map((name) => path.join(directory, name))
      : [],
  );
  const facts = [file, ...libraries].map((name) => {
    const { size, mtimeMs, ctimeMs } = fs.statSync(name);
    return [name, size, mtimeMs, ctimeMs];
  });
  const text = JSON.stringify([facts, process.version, os.cpus()[0]?.model]);
  return path.join(cache, 'checked', crypto.createHash('sha256').update(text).digest('hex').slice(0, 24));
}

/** Remembers that the addon works; a cache that cannot be written only means that it is checked again. */
export function rememberChecked(cache: string, addon: string, version: string): void {
  try {
    const mark = markOf(cache, addon);
    fs.mkdirSync(path.dirname(mark), { recursive: true });
    fs.writeFileSync(mark, version);
  } catch {
    return;
  }
}

/** The version that an earlier check of this very addon found, e.g. `TensorFlow 2.21.0`. */
export function checkedVersion(cache: string, addon: string): string | undefined {
  try {
    return fs.readFileSync(markOf(cache, addon), 'utf8');
  } catch {
    return undefined;
  }
}
