import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../base/files/index';
import { UsageError } from '../base/outcome';

/** A file that a run is to write. */
export interface Output {
  /** the flag that named it: `--html` */ readonly flag: string;
  readonly file: string;
  /** what every file of this kind holds, so that an earlier one may be replaced and nothing else */ readonly mark: string;
}

/**
 * Says before a run, and not after it, what cannot be written: a folder that is not there, or a file of somebody's that is no earlier
 * report of the same kind.
 *
 * @throws UsageError
 */
export async function checkOutputs(outputs: readonly Output[]): Promise<void> {
  for (const { flag, file, mark } of outputs) {
    const folder = path.dirname(path.resolve(file));
    const there = await stat(folder).catch(() => undefined);
    if (there?.isDirectory() !== true) {
      throw new UsageError(`${flag} ${file}: the folder ${folder} does not exist; make it first.`);
    }
    const found = await stat(file).catch(() => undefined);
    if (found === undefined || (found.isFile() && found.size === 0)) continue;
    const isReport = found.isFile() && (await readFile(file, 'utf8')).includes(mark);
    if (!isReport) {
      throw new UsageError(
        `${flag} ${file} exists and is no report of an earlier run (${mark} was expected in it); it is left alone: choose another name.`,
      );
    }
  }
}

/** @throws UsageError where the file cannot be written after all */
export async function writeOutput({ flag, file }: Output, text: string): Promise<void> {
  try {
    await writeFileAtomic(file, text);
  } catch (error) {
    throw new UsageError(`${flag} ${file} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}
