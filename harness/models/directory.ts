import { existsSync } from 'node:fs';
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { makeDirectory, removeLeftovers } from '../base/files/index';
import { UsageError } from '../base/outcome';
import { lock, lockName, notWritable, refuseLocked } from './lock';

/**
 * @param what makes the folder, as the beginning of a sentence
 * @throws UsageError where a folder has the name of a model's file: it is no such file
 */
export function checkFolderName(out: string, what: string): void {
  const [ending] = /\.(keras|h5|hdf5|onnx|npz|safetensors|pb|json|pt|pth)$/i.exec(out) ?? [];
  if (ending === undefined) return;
  throw new UsageError(
    `--out ${out} is the name of a ${ending} file, and ${what} makes a folder; name a folder, or write the file with rnn-parity convert MODEL --to keras, onnx or npz.`,
  );
}

/** Every file that a run writes into its directory. */
const runFiles = [
  'checkpoint.npz',
  'history.jsonl',
  'model.json',
  'weights.bin',
  'weights.npz',
  'config.json',
  'report.html',
];

/**
 * Makes sure that a run may write into `directory`, alone: it is new, empty, or the caller insists. The lock holds until the function
 * that is returned is called; that also removes the directory if it was made here and nothing was written into it.
 *
 * @throws UsageError when it holds other files, cannot be made, or another run writes into it
 */
export async function claimDirectory(directory: string, force: boolean): Promise<() => Promise<void>> {
  checkFolderName(directory, 'this command');
  const entries = (await entriesOf(directory)).filter((name) => name !== lockName);
  if (entries.length > 0 && !force) {
    await refuseLocked(directory);
    const unfinished = entries.includes('checkpoint.npz')
      ? `, --resume ${directory} to continue the run in it`
      : '';
    throw new UsageError(
      `--out ${directory} holds ${entries.length} files already; choose another directory${unfinished}, or pass --force to replace the files of a run in it.`,
    );
  }
  const removeEmpty = await makeAllOf(directory);
  const unlock = await lockDirectory(directory).catch(async (error: unknown) => {
    await removeEmpty();
    throw error;
  });
  return async () => {
    await unlock();
    await removeEmpty();
  };
}

/**
 * Locks the directory of a run that exists, and removes the temporary files of a run that was killed in it.
 *
 * @returns unlocks it
 * @throws UsageError when another run writes into it
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const unlock = await lock(directory);
  const folders = [directory, path.join(directory, 'tfjs')];
  await removeLeftovers(
    folders.flatMap((folder) => [...runFiles, lockName].map((name) => path.join(folder, name))),
  );
  return unlock;
}

/** The first of runs/NAME-1, runs/NAME-2, ... that does not exist, made; `removeEmpty` removes it if nothing was written into it. */
export async function freeDirectory(
  name: string,
): Promise<{ directory: string; removeEmpty: () => Promise<void> }> {
  for (let i = 1; ; i++) {
    const directory = path.join('runs', `${name}-${i}`);
    try {
      await makeDirectory('runs');
      await mkdir(directory);
      return { directory, removeEmpty: () => removeWhileEmpty(directory, 'runs') };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !existsSync(directory))
        throw notWritable(directory, error);
    }
  }
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new UsageError(
      `--out ${directory} is not a directory that can be read (${code ?? 'error'}); choose another.`,
      { cause: error },
    );
  }
}

/** Makes a directory and those above it; the function returned removes those that were made, while they are empty. */
async function makeAllOf(directory: string): Promise<() => Promise<void>> {
  const top = await makeDirectory(directory).catch((error: unknown) => {
    throw notWritable(directory, error);
  });
  return () => (top === undefined ? Promise.resolve() : removeWhileEmpty(directory, top));
}

async function removeWhileEmpty(directory: string, top: string): Promise<void> {
  const last = path.resolve(top);
  try {
    for (let at = path.resolve(directory); at.startsWith(last); at = path.dirname(at)) await rmdir(at);
  } catch {
    // it holds something
  }
}
