import { access, constants, lstat, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { modelFolder, nameAlongside, realPath, writeFileAtomic } from '../base/files/index';
import { exitCodes, UsageError, type ExitCode, type Outcome } from '../base/outcome';
import { withoutControls } from '../base/visible-text';

/** `--json` as commander gives it: a file, or stdout (`true`, `-`). */
export type JsonFlag = string | true | undefined;

/** A file that a run is to write. */
export interface Output {
  /** the flag that named it: `--html` */ readonly flag: string;
  readonly file: string;
  /** what every file of this kind holds, so that only an earlier one is replaced; absent: any file is */ readonly mark?: string;
}

/** The flags whose files have these endings. */
const endings: Readonly<Record<string, string>> = {
  '.json': '--json',
  '.html': '--html',
  '.htm': '--html',
  '.xml': '--junit',
};

/**
 * The file that a flag names, if it names one.
 *
 * @throws UsageError for `-` where stdout is not offered, and for a file with the ending of another format
 */
export function outputOf(flag: string, file: JsonFlag, mark?: string): Output[] {
  if (file === '-' && flag !== '--json')
    throw new UsageError(`${flag} - names no file, and only --json can go to stdout; give a file.`);
  if (file === undefined || file === true || file === '-') return [];
  const ending = path.extname(file).toLowerCase();
  const owner = endings[ending] as string | undefined;
  if (owner !== undefined && owner !== flag && Object.values(endings).includes(flag))
    throw new UsageError(`${flag} ${file}: ${ending} files are what ${owner} writes; choose another name.`);
  return [{ flag, file, ...(mark !== undefined && { mark }) }];
}

/** The files of a run or a saved model in a directory, which is named by itself or by the model.json in it. */
export const runFiles = (directory: string): string[] =>
  [
    'model.json',
    'weights.bin',
    'weights.npz',
    'config.json',
    'checkpoint.npz',
    'history.jsonl',
    'report.html',
  ].map((name) => path.join(modelFolder(directory), name));

/**
 * Reports before a run, and not after it, what cannot be written: a folder that does not exist, a file that another flag names or that
 * the command reads or writes itself, or a file that is no earlier report of the same kind.
 *
 * @param taken files that the command reads, or writes itself
 * @throws UsageError
 */
export async function checkOutputs(outputs: readonly Output[], taken: readonly string[] = []): Promise<void> {
  const claimed = new Map<string, string>();
  for (const file of taken) claimed.set(await realPath(file), `which this command uses itself`);
  for (const { flag, file, mark } of outputs) {
    const real = await realPath(file);
    const other = claimed.get(real);
    if (other !== undefined)
      throw new UsageError(`${flag} ${file} would replace a file ${other}; choose another name.`);
    claimed.set(real, `that ${flag} writes`);
    const folder = path.dirname(path.resolve(file));
    const there = await stat(folder).catch(() => undefined);
    if (there?.isDirectory() !== true) {
      throw new UsageError(`${flag} ${file}: the folder ${folder} does not exist; make it first.`);
    }
    await checkWritable(`${flag} ${file}`, folder);
    // it is written alongside first, by a longer name
    await lstat(nameAlongside(real)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG')
        throw new UsageError(`${flag} ${file}: the name is too long; shorten it.`);
    });
    const found = await stat(file).catch(() => undefined);
    if (found?.isDirectory() === true || /[/\\]$/.test(file))
      throw new UsageError(`${flag} ${file} is a directory; name a file in it.`);
    if (found?.isFile() !== true || found.size === 0) continue;
    if (mark === undefined) {
      if (flag !== '--json' || /^\s*[[{]/.test((await readFile(file, 'utf8')).slice(0, 1000))) continue;
      throw new UsageError(
        `${flag} ${file} exists and holds no JSON; it is left alone: choose another name.`,
      );
    }
    if (!(await readFile(file, 'utf8')).includes(mark)) {
      throw new UsageError(
        `${flag} ${file} exists and is no report of an earlier run (${mark} was expected in it); it is left alone: choose another name.`,
      );
    }
  }
}

/** @throws UsageError where no file can be made in a folder */
async function checkWritable(what: string, folder: string): Promise<void> {
  await access(folder, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new UsageError(`${what}: nothing can be written in ${folder} (${code}); choose another place.`);
  });
}

/**
 * Reports before a run, and not after it, a folder that cannot be made or written into.
 *
 * @throws UsageError
 */
export async function checkFolder(flag: string, folder: string): Promise<void> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found === undefined && at !== path.dirname(at)) continue;
    if (found?.isDirectory() !== true)
      throw new UsageError(`${flag} ${folder}: ${at} is no directory; choose another place.`);
    await checkWritable(`${flag} ${folder}`, at);
    return;
  }
}

/**
 * Reports before a run a file that the command reads and that a run or model in the folder `out` would replace.
 *
 * @param inputs files that are read, by the flag that names each
 * @throws UsageError
 */
export async function checkKeepsInputs(out: string, inputs: Readonly<Record<string, string>>): Promise<void> {
  const replaced = await Promise.all([out, ...runFiles(out)].map(realPath));
  for (const [flag, file] of Object.entries(inputs))
    if (replaced.includes(await realPath(file)))
      throw new UsageError(`--out ${out} would replace ${flag} ${file}; choose another folder.`);
}

interface Result {
  readonly exitCode: ExitCode;
  /** for people */ readonly text: string;
  /** for machines */ readonly json: unknown;
  /** `json` as it is written, where that is not plain JSON.stringify */ readonly machine?: string;
  /** the text is a summary: shown on stderr where the JSON takes stdout */ readonly summarizes?: boolean;
}

type MakeText = () => string | Promise<string>;

/** The files that a command is to write, by the names of their flags. */
export interface Outputs<Name extends string> {
  has(name: Name): boolean;
  /** @throws UsageError where the file cannot be written after all */
  write(name: Name, text: MakeText): Promise<void>;
  /**
   * The outcome of a command: the text or the JSON on stdout, the JSON in a file if one is named, and other files. Where one cannot be
   * written, the others are, and the result is printed all the same: it may have taken hours. The exit code is 2 then.
   */
  outcome(result: Result, texts?: { readonly [K in Exclude<Name, 'json'>]?: MakeText }): Promise<Outcome>;
}

/**
 * Checks, before a command works, what it is to write (`checkOutputs`).
 *
 * @param marks what every file of the kind that a flag names holds, so that only an earlier one is replaced; undefined: any file is
 * @param taken files that the command reads, or writes itself
 * @throws UsageError
 */
export async function openOutputs<Name extends string>(
  flags: { readonly [K in NoInfer<Name>]: JsonFlag },
  marks: { readonly [K in Name]: string | undefined },
  taken: readonly string[] = [],
): Promise<Outputs<Name>> {
  const flagOf = flags as Readonly<Record<string, JsonFlag>>;
  const named = new Map(
    Object.entries<string | undefined>(marks).map(([name, mark]) => [
      name,
      outputOf(`--${name}`, flagOf[name], mark),
    ]),
  );
  await checkOutputs([...named.values()].flat(), taken);
  const write = async (name: string, text: MakeText): Promise<void> => {
    for (const { flag, file } of named.get(name) ?? []) {
      const content = await text();
      try {
        await writeFileAtomic(file, content);
      } catch (error) {
        throw new UsageError(`${flag} ${(error as Error).message}`, { cause: error });
      }
    }
  };
  const outcome = async (
    { exitCode, text, json, machine = `${JSON.stringify(json, undefined, 2)}\n`, summarizes = false }: Result,
    texts: Readonly<Record<string, MakeText | undefined>> = {},
  ): Promise<Outcome> => {
    const onStdout = flagOf['json'] === true || flagOf['json'] === '-';
    const all: Readonly<Record<string, MakeText | undefined>> = { ...texts, json: () => machine };
    const lost: string[] = [];
    for (const [name, make] of Object.entries(all))
      try {
        if (make !== undefined) await write(name, make);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        lost.push(`error: ${error.message}`);
      }
    const said = [...(onStdout && summarizes ? [text] : []), ...lost];
    return {
      exitCode: lost.length > 0 ? exitCodes.usage : exitCode,
      text: onStdout ? machine : text,
      ...(said.length > 0 && { summary: said.join('\n') }),
    };
  };
  return { has: (name) => (named.get(name)?.length ?? 0) > 0, write, outcome };
}

/** A line on stderr: progress, a note. */
export const say = (line: string): void => void process.stderr.write(`${withoutControls(line)}\n`);
