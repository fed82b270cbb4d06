import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../base/outcome';

/** Makes sure that a run may write into `directory`: it is new, empty, or the caller insists. */
export async function claimDirectory(directory: string, force: boolean): Promise<void> {
  const entries = await readdir(directory).catch((error: unknown): string[] => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new UsageError(
      `--out ${directory} is no directory that can be read (${code ?? 'error'}); choose another.`,
    );
  });
  if (entries.length > 0 && !force) {
    const unfinished = entries.includes('checkpoint.npz')
      ? `, --resume ${directory} to continue the run in it`
      : '';
    throw new UsageError(
      `--out ${directory} holds ${entries.length} files already; choose another directory${unfinished}, or pass --force to replace the files of a run in it.`,
    );
  }
  await mkdir(directory, { recursive: true });
}

/** The first of runs/NAME-1, runs/NAME-2, ... that does not exist. */
export function freeDirectory(name: string): string {
  for (let i = 1; ; i++) {
    const directory = join('runs', `${name}-${i}`);
    if (!existsSync(directory)) return directory;
  }
}
