import type { Evaluation } from './problem';

/** A candidate threw, ended its process, or did not answer in time. Exit code 2. */
export class CandidateError extends Error {
  override readonly name = 'CandidateError';
  constructor(
    message: string,
    /** the candidate can answer no further problem */ readonly fatal: boolean,
    /** the candidate's own stack */ readonly trace = '',
  ) {
    super(message);
  }
}

export const isFatal = (error: unknown): boolean => error instanceof CandidateError && error.fatal;

/** What was thrown, as it travels from a process of its own. */
export interface Thrown {
  /** of the class of an Error; absent where no Error was thrown */ readonly name?: string;
  readonly message: string;
  readonly stack: string;
}

/** Also one of another realm, as a test runner makes them that gives each file globals of its own. */
const isError = (thrown: unknown): thrown is Error =>
  thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]';

/** An Error as it is; of anything else an Error that says what it is. */
export const asError = (thrown: unknown): Error =>
  isError(thrown) ? thrown : new Error(describeThrown(thrown).message);

/** What was thrown, in words, and where: also of what is no Error, such as `{ message: 'no' }`. */
export function describeThrown(error: unknown): Thrown {
  if (isError(error))
    return {
      name: error.name,
      message: error.message || 'an error without a message',
      stack: error.stack ?? '',
    };
  if (error === null || error === undefined) return { message: String(error), stack: '' };
  const kind = typeof error === 'object' ? 'an object, not an Error: ' : `a ${typeof error}: `;
  return { message: `${kind}${saidBy(error)}`, stack: '' };
}

/** Its message or its content; its kind where it has none that can be written (a ring, a bigint inside, a getter that throws). */
function saidBy(thrown: unknown): string {
  try {
    const { message } = thrown as { readonly message?: unknown };
    if (typeof message === 'string') return message;
    if (typeof thrown === 'object' || typeof thrown === 'string') return JSON.stringify(thrown);
    const simple = thrown as number | bigint | boolean | symbol | (() => void);
    return String(simple);
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}

/** Some tensors of an answer are no tensors at all: ragged, text, a promise. Counted as a mismatch, not as a crash. */
export class MalformedAnswerError extends Error {
  override readonly name = 'MalformedAnswerError';
  constructor(
    /** what could be read */ readonly readable: Evaluation,
    /** dotted name to reason */ readonly malformed: ReadonlyMap<string, string>,
  ) {
    super([...malformed].map(([tensor, reason]) => `${tensor} ${reason}`).join('; '));
  }
}

/** A side gave no answer in time, also when it was asked again alone: the problem is neither right nor wrong. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
}

/** A side cannot run on this machine: named as not run, and exit code 3 when it was required. */
export class SideUnavailableError extends Error {
  override readonly name = 'SideUnavailableError';
}

/** A side does not have what a problem asks for; the message says what. The problem is counted as not run on it, with this reason. */
export class ProblemRefusedError extends Error {
  override readonly name = 'ProblemRefusedError';
}
