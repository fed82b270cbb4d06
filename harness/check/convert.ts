import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  makeDirectory,
  modelFolder,
  nameAlongside,
  realPath,
  replaceTogether,
  writeFileAtomic,
} from '../base/files/index';
import { checkOptions, shown, type OptionNames } from '../../scratch/index';
import { UsageError } from '../base/outcome';
import {
  checkFolderName,
  fileEndings,
  openModelFile,
  writeModel,
  type ModelDescription,
  type OpenOptions,
  type WriteFormat,
} from '../models/index';
import { checkModel, type CheckOptions, type CheckReport } from './check-model';
import { generateInputs } from './inputs';
import { clearLeftovers, ownFiles } from './leftovers';
import { runReference, type ModelInputs } from './reference';
import { runServed } from './served';
import { tensorOf } from './walk';

export interface ConvertOptions extends Pick<OpenOptions, 'nonlinearity' | 'steps'> {
  readonly to: WriteFormat;
  /** a file, or the folder of a LayersModel */ readonly out: string;
  /** of the inputs of the proof; default 1 */ readonly seed?: number | undefined;
  /** the Python in which Keras and onnxruntime are installed; default python3 of the PATH */ readonly python?:
    string | undefined;
  /** time limit of them for each answer; default 180 */ readonly timeoutSeconds?: number | undefined;
  /** replaces what is at `out`; default false */ readonly force?: boolean | undefined;
}

const optionNames: OptionNames<ConvertOptions> = {
  to: true,
  out: true,
  seed: true,
  force: true,
  python: true,
  timeoutSeconds: true,
  nonlinearity: true,
  steps: true,
};

/** The sides that open what was written and must agree, and programs that must where they are installed. */
const provers: Readonly<Partial<Record<WriteFormat, Pick<CheckOptions, 'sides' | 'sidesIfThere'>>>> = {
  tfjs: { sides: ['tfjs:cpu'] },
  keras: { sides: [], sidesIfThere: ['keras'] },
  onnx: { sides: [], sidesIfThere: ['onnxruntime'] },
};

/**
 * Writes a user's model for another program, with the proof that it is the same function: what was written is opened again, every layer
 * must give what it gave, and the proof is kept as parity.json in the folder, or as OUT.parity.json. Only then does the result appear, whole.
 *
 * @param given a file (`openModelFile`) or a model that was opened
 * @returns the proof; where it is a mismatch, nothing was written
 * @throws UsageError on a model that is not read, something that the format cannot hold, or a file or folder that exists
 */
export async function convertModel(
  given: string | ModelDescription,
  options: ConvertOptions,
): Promise<CheckReport> {
  checkOptions(options, optionNames, 'convertModel');
  const { to, out, seed = 1, force = false, python, timeoutSeconds, nonlinearity, steps } = options;
  if (typeof (out as unknown) !== 'string' || out === '')
    throw new TypeError(`convertModel: out is ${shown(out)}; pass the path of the file or folder to make.`);
  const where = typeof given === 'string' ? given : 'the model';
  if (typeof given !== 'string' && (nonlinearity ?? steps) !== undefined)
    throw new TypeError(
      'convertModel: nonlinearity and steps say how a file is read, and the model is opened already; pass them to openModelFile.',
    );
  // of a link, what it leads to is replaced
  const target = await realPath(out);
  for (const name of [target, proofOf(target)]) await clearLeftovers(name);
  // the proof goes where the result goes
  const named = target === path.resolve(out) ? out : target;
  const checkPlace = async (): Promise<void> => {
    await checkReplaceable(out, to, force, typeof given === 'string' ? given : undefined);
    if (!makesFolder(to)) await checkProof(named, force, given);
  };
  await checkPlace();
  checkName(out, to);
  const model = typeof given === 'string' ? await openModelFile(given, { nonlinearity, steps }) : given;
  const { files } = await writeModel(model, to, where);
  const isFile = files.has('');
  const temporary = nameAlongside(target);
  const proof = isFile ? nameAlongside(proofOf(target)) : path.join(temporary, 'parity.json');
  try {
    await makeDirectory(isFile ? path.dirname(target) : temporary);
    for (const [name, bytes] of files)
      await writeFileAtomic(isFile ? temporary : path.join(temporary, name), bytes);
    const inputs = generateInputs(model, { seed });
    const runs = runReference(model, inputs);
    const expected = model.outputs.map((source) => tensorOf(runs, source));
    const checked =
      to === 'savedmodel'
        ? await checkModel(model, { inputs, expected: await runServed(temporary, model, inputs), sides: [] })
        : await checkReopened(await openModelFile(temporary), model, inputs, {
            ...{ expected, python, timeoutSeconds, file: temporary },
            ...(provers[to] ?? { sides: [] }),
          });
    const unopened = checked.sides.find(({ note = '' }) =>
      /^Keras (does not open|opened .* could not run)/.test(note),
    );
    if (unopened !== undefined) throw new UsageError(`Nothing was written: ${unopened.note ?? ''}`);
    const report = { ...checked, file: out, notes: [...new Set([...model.notes, ...checked.notes])] };
    if (report.verdict !== 'parity') return report;
    await writeFileAtomic(proof, `${JSON.stringify(report, undefined, 2)}\n`);
    const ofProof = isFile ? [{ temporary: proof, target: proofOf(target) }] : [];
    // the proof takes a while, and another program may have written there meanwhile
    await replaceTogether([{ temporary, target }, ...ofProof], checkPlace);
    return report;
  } catch (error) {
    // the user knows the file by the name of --out
    if (!(error instanceof UsageError) || !error.message.includes(temporary)) throw error;
    throw new UsageError(error.message.replaceAll(temporary, out), { cause: error });
  } finally {
    await rm(temporary, { recursive: true, force: true });
    if (isFile) await rm(proof, { force: true });
  }
}

const makesFolder = (to: WriteFormat): boolean => fileEndings[to] === undefined;

/** Programs and people go by the ending of a name. */
function checkName(out: string, to: WriteFormat): void {
  const ending = fileEndings[to];
  if (ending === undefined) checkFolderName(out, `--to ${to}`);
  else if (!out.endsWith(ending))
    throw new UsageError(`--out ${out} must end in ${ending}, which is what --to ${to} writes.`);
}

/** Where the proof of a file is kept. */
const proofOf = (file: string): string => `${file}.parity.json`;

/** @throws UsageError where the proof's place is taken, and --force was not given or what is there is no file, or the model that is read */
async function checkProof(out: string, force: boolean, given: string | ModelDescription): Promise<void> {
  const found = await stat(proofOf(out)).catch(() => undefined);
  if (found === undefined) return;
  const source = typeof given === 'string' ? await realPath(given) : '';
  if (source === (await realPath(proofOf(out))))
    throw new UsageError(
      `${proofOf(out)}, where the proof goes, is the model that is read; choose another name for --out.`,
    );
  if (force && found.isFile()) return;
  throw new UsageError(
    `${proofOf(out)}, where the proof goes, exists already and is left alone; choose another name for --out${found.isFile() ? ', or pass --force to replace it' : ''}.`,
  );
}

/**
 * What exists is replaced only with --force: a file by a file, and a folder that holds nothing but what convert writes by such a folder.
 *
 * @param from the file or folder that the model is read from
 * @throws UsageError
 */
async function checkReplaceable(
  out: string,
  to: WriteFormat,
  force: boolean,
  from: string | undefined,
): Promise<void> {
  const found = await stat(out).catch(() => undefined);
  if (found === undefined) return;
  if (!force)
    throw new UsageError(
      `--out ${out} exists already and is left alone; choose another name, or pass --force to replace it.`,
    );
  const asFolder = makesFolder(to);
  if (found.isDirectory() !== asFolder)
    throw new UsageError(
      `--out ${out} is a ${asFolder ? 'file' : 'folder'}, and --to ${to} makes a ${asFolder ? 'folder' : 'file'}; choose another name.`,
    );
  const others = asFolder ? (await readdir(out)).filter((name) => !ownFiles.includes(name)) : [];
  if (others.length > 0)
    throw new UsageError(
      `--out ${out} holds ${others.slice(0, 3).join(', ')}${others.length > 3 ? ` and ${others.length - 3} more` : ''}, which convert does not write, and --force would remove it; choose another folder, or empty this one yourself.`,
    );
  if (from === undefined) return;
  const [source, target] = await Promise.all([realPath(from), realPath(out)]);
  // of a model in a folder, every file of it
  const own = modelFolder(source);
  const isWithin = (one: string, other: string): boolean => one === other || one.startsWith(other + path.sep);
  if (isWithin(source, target) || isWithin(target, own))
    throw new UsageError(`--out ${out} would replace the model that is read; choose another name.`);
}

/** What was written must give what the model gave; its inputs may have other names. */
function checkReopened(
  written: ModelDescription,
  model: ModelDescription,
  inputs: ModelInputs,
  options: CheckOptions,
): Promise<CheckReport> {
  const byName = written.inputs.map(({ name }, i) => [name, inputs[model.inputs[i].name]]);
  return checkModel(written, { ...options, inputs: Object.fromEntries(byName) as ModelInputs });
}
