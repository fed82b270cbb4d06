import { toNested } from '../../scratch/index';
import { readJsonFile } from '../base/files/index';
import { UsageError } from '../base/outcome';
import { fieldsOf, type AnyProblem, type Evaluation } from '../base/problem';
import type { Networks } from '../problems/index';
import { readProblem } from '../problems/vectors/index';
import { digestOf, encode, plainAnswer, print } from './case-text';
import type { KeptDiagnosis } from './diagnose-saved';
import type { PutVerdict } from './judge-problem';
import { problemAt } from './series';
import type { Shrinking } from './shrink';
import type { Versions } from './versions';

export const caseFormat = 'rnn-parity-case/2';
/** Most bytes of a case file. */
export const mostBytes = 20_000;

/** One failure, as `rnn-parity fuzz` found and `rnn-parity replay` repeats it. */
export interface CaseFile {
  readonly format: typeof caseFormat;
  readonly id: string;
  readonly side: {
    readonly name: string;
    /** for --backends */ readonly backend?: string;
    /** for --candidate, as it was given */ readonly candidate?: string;
  };
  readonly versions: Versions;
  readonly seed: number;
  /** number of the problem in the series of `fuzz`; absent for a problem of the suite */ readonly index?: number;
  /** the networks that the series is about; absent for the simple RNN */ readonly networks?: Networks;
  /** fast-check's own seed and path: they lead to this problem of `fuzz` */
  readonly fastCheck?: { readonly seed: number; readonly path: string };
  readonly shrinking: Omit<Shrinking, 'path'>;
  /** what the file does not hold because it would be too large */ readonly leftOut: readonly string[];
  /** sha256 of the problem's numbers */ readonly sha256: string;
  readonly verdict: PutVerdict;
  /** where the mistake begins in this problem, and which side made it; absent where that is unknown */
  readonly diagnosis?: KeptDiagnosis;
  /** the fields of a vectors file's problem; absent where only the seed and path are stored */ readonly problem?: unknown;
  /** what the reference and the side answered */ readonly reference?: unknown;
  readonly given?: unknown;
}

export interface CaseToWrite extends Omit<
  CaseFile,
  'format' | 'sha256' | 'leftOut' | 'problem' | 'reference' | 'given'
> {
  readonly problem: AnyProblem;
  readonly reference: Evaluation | undefined;
  readonly given: Evaluation | undefined;
}

const withoutProblem = 'the problem: seed and path generate it again';

/**
 * The text of a case file: at most 20,000 bytes, and more only for a large problem that no seed and path lead to. What does not fit is left out in this order and listed in `leftOut`: the answers' tensors
 * that are right, all answers, plain digits (base64 instead), the reasons of all failing tensors except the first, the problem (its seed
 * and path are there).
 */
export function formatCase(found: CaseToWrite): string {
  const { problem, reference, given, verdict, ...rest } = found;
  const wrong = new Set(verdict.failing.map(({ tensor }) => tensor));
  const sha256 = digestOf(problem);
  const answers = (only?: ReadonlySet<string>): Pick<CaseFile, 'reference' | 'given'> => ({
    ...(reference && { reference: plainAnswer(reference, only) }),
    ...(given && { given: plainAnswer(given, only) }),
  });
  const nested = fieldsOf(problem, toNested);
  const base64 = fieldsOf(problem, encode);
  const shorter = { ...verdict, failing: verdict.failing.slice(0, 1) };
  const attempts: (Pick<CaseFile, 'leftOut' | 'problem' | 'reference' | 'given'> & {
    verdict: PutVerdict;
  })[] = [
    { leftOut: [], verdict, problem: nested, ...answers() },
    { leftOut: ['tensors of the answers that are right'], verdict, problem: nested, ...answers(wrong) },
    { leftOut: ['the answers'], verdict, problem: nested },
    { leftOut: ['the answers', 'plain digits: the problem is in base64'], verdict, problem: base64 },
    ...(found.fastCheck === undefined
      ? []
      : [
          { leftOut: ['the answers', withoutProblem], verdict },
          { leftOut: ['the answers', withoutProblem, 'failing tensors except the first'], verdict: shorter },
        ]),
  ];
  const texts = attempts.map((attempt) => print({ format: caseFormat, ...rest, sha256, ...attempt }));
  return texts.find((text) => Buffer.byteLength(text) <= mostBytes) ?? texts[texts.length - 1];
}

/**
 * Reads a case file and the problem in it, or generates the problem again from its seed and path.
 *
 * @throws UsageError when it is not a case file, is damaged, or this version generates a different problem from that seed
 */
export async function readCaseFile(
  file: string,
): Promise<{ readonly found: CaseFile; readonly problem: AnyProblem }> {
  const found = renamed(await readJsonFile(file, 'a case that rnn-parity fuzz saved')) as CaseFile;
  const format = (found as Partial<CaseFile> | null)?.format;
  if (format !== caseFormat)
    throw new UsageError(
      `${file} has the format ${String(format)}; "${caseFormat}" was expected, as rnn-parity fuzz writes it.`,
    );
  checkFields(found, file);
  const { fastCheck } = found;
  const made = found.problem === undefined && fastCheck !== undefined;
  const problem = made
    ? problemAt(fastCheck.seed, fastCheck.path, found.id, found.networks)
    : readProblem(found.problem, found.id, `${file}: problem`);
  if (digestOf(problem) !== found.sha256)
    throw new UsageError(
      made
        ? `${file} stores its problem only as seed and path, and this version generates a different problem from them; replay it with the versions in the file: ${JSON.stringify(found.versions)}.`
        : `${file}: the problem's numbers have changed since the file was written (their sha256 differs); restore the file, or remove "sha256" and "verdict" and use it as a vectors file.`,
    );
  return { found, problem };
}

/** A case of the first format as one of the second: there, failing tensors were called red. */
function renamed(read: unknown): unknown {
  const { format, verdict } = (read ?? {}) as { readonly format?: unknown; readonly verdict?: object };
  if (format !== 'rnn-parity-case/1') return read;
  const { red: failing, ...rest } = (verdict ?? {}) as { readonly red?: unknown };
  return { ...(read as object), format: caseFormat, verdict: { ...rest, failing } };
}

function checkFields(found: CaseFile, file: string): void {
  const { id, side, verdict, fastCheck, networks, problem } = found as Partial<CaseFile>;
  const missing = [
    ...(typeof id === 'string' ? [] : ['id']),
    ...(typeof side?.name === 'string' ? [] : ['side.name']),
    ...(Array.isArray(verdict?.failing) ? [] : ['verdict.failing']),
    ...(networks === undefined || isNetworks(networks) ? [] : ['networks']),
    ...(fastCheck === undefined && problem !== undefined ? [] : missingSeed(fastCheck)),
  ];
  if (missing.length > 0)
    throw new UsageError(`${file} lacks ${missing.join(', ')}; it was truncated or edited, so restore it.`);
}

function isNetworks(value: unknown): boolean {
  const { layers, cell, shapes } = (value ?? {}) as Readonly<Record<'layers' | 'cell' | 'shapes', unknown>>;
  if (shapes !== undefined && !(Number.isSafeInteger(shapes) && (shapes as number) > 0)) return false;
  if (layers === undefined && cell === undefined) return shapes !== undefined;
  return typeof layers === 'string' || (typeof cell === 'object' && cell !== null);
}

function missingSeed(fastCheck: CaseFile['fastCheck']): string[] {
  return typeof fastCheck?.path === 'string' && Number.isInteger(fastCheck.seed) ? [] : ['fastCheck'];
}
