import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../base/files/index';
import { UsageError, type ExitCode, type Outcome } from '../base/outcome';

/** `--json` as commander gives it: a file, or stdout (`true`, `-`). */
export type JsonFlag = string | true | undefined;

/** A file that a run is to write. */
export interface Output {
  /** the flag that named it: `--html` */ readonly flag: string;
  readonly file: string;
  /** what every file of this kind holds, so that only an earlier one is replaced; absent: any file is */ readonly mark?: string;
}

/** The file that a flag names, if it names one. */
export function outputOf(flag: string, file: JsonFlag, mark?: string): Output[] {
  if (file === undefined || file === true || file === '-') return [];
  return [{ flag, file, ...(mark !== undefined && { mark }) }];
}

/**
 * Reports before a run, and not after it, what cannot be written: a folder that does not exist, or a file that is no earlier report of
 * the same kind.
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
    if (found?.isDirectory() === true)
      throw new UsageError(`${flag} ${file} is a directory; name a file in it.`);
    if (mark === undefined || found?.isFile() !== true || found.size === 0) continue;
    if (!(await readFile(file, 'utf8')).includes(mark)) {
      throw new UsageError(
        `${flag} ${file} exists and is no report of an earlier run (${mark} was expected in it); it is left alone: choose another name.`,
      );
    }
  }
}

/** @throws UsageError where the file cannot be written after all */
export async function writeOutput(
  outputs: readonly Output[],
  text: () => string | Promise<string>,
): Promise<void> {
  for (const { flag, file } of outputs) {
    const content = await text();
    try {
      await writeFileAtomic(file, content);
    } catch (error) {
      throw new UsageError(`${flag} ${file} cannot be written: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

interface Result {
  readonly exitCode: ExitCode;
  /** for people */ readonly text: string;
  /** for machines */ readonly json: unknown;
  /** `json` as it is written, where that is not plain JSON.stringify */ readonly machine?: string;
  /** the text is a summary: shown on stderr where the JSON takes stdout */ readonly summarizes?: boolean;
}

/** The outcome of a command with `--json`: the text or the JSON on stdout, the JSON in a file if one is named. */
export async function withJson(result: Result, flag: JsonFlag): Promise<Outcome> {
  const { exitCode, text, json, machine, summarizes = false } = result;
  const written = machine ?? `${JSON.stringify(json, undefined, 2)}\n`;
  if (flag === true || flag === '-')
    return { exitCode, text: written, json, ...(summarizes && { summary: text }) };
  await writeOutput(outputOf('--json', flag), () => written);
  return { exitCode, text, json };
}
