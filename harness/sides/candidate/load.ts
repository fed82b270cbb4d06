import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { checkOptions } from '../../../scratch/index';
import { childScript } from '../../../src/index';
import { CandidateError, describeThrown } from '../../base/side-errors';
import { checkRegularFile } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import type { AnyProblem, Evaluation, Implementation, Model } from '../../base/problem';
import { evaluationIn, type ReadAnswer } from './answer';
import { CandidateCalls } from './calls';
import { checkCandidate, type CandidateDeclaration } from './check';
import type { AnyCandidate } from './define';
import { plainProblem } from './plain-problem';
import type { FromCandidate, ToCandidate } from './protocol';

/** A candidate as an implementation. */
export interface CandidateImplementation extends Implementation {
  /** whether it declared to honour masks */ readonly masks: boolean;
  dispose(): void;
}

/**
 * A time limit that a timer can hold: 2^31 - 1 milliseconds at most, beyond which it would end at once.
 *
 * @throws RangeError
 */
export function checkSeconds(seconds: number, name: string): number {
  if (typeof seconds === 'number' && seconds > 0 && seconds * 1000 < 2 ** 31) return seconds;
  throw new RangeError(
    `${name}: timeoutSeconds is ${JSON.stringify(seconds)}; pass how many seconds a problem may take, more than 0 and at most 2147483.`,
  );
}

export interface CandidateOptions {
  /** for loading and for each problem, in seconds; default 30 */ readonly timeoutSeconds?:
    number | undefined;
}

/**
 * Loads a candidate from a TypeScript or JavaScript module, ESM or CommonJS, into a process of its own; a loop without end is
 * stopped after the timeout, and what the candidate prints goes to stderr.
 *
 * @throws RangeError for an option that does not exist, UsageError when there is no such file, no candidate in it, or its declarations are wrong
 */
export async function loadCandidate(
  file: string,
  options: CandidateOptions = {},
): Promise<CandidateImplementation> {
  checkOptions(options, { timeoutSeconds: true }, 'loadCandidate');
  const path = resolve(file);
  await checkRegularFile(path, 'give the path of a TypeScript or JavaScript module');
  const child = new CandidateProcess(checkSeconds(options.timeoutSeconds ?? 30, 'loadCandidate'));
  try {
    const reply = await child.ask({ type: 'load', file: path }, `loading ${file}`);
    if (reply.type === 'loaded') return implementation(reply.declaration, (p) => child.evaluate(p), child);
    const reason = reply.type === 'refused' ? reply.message.replace(/^UsageError: /, '') : reply.type;
    throw new UsageError(`the candidate ${file} cannot be used: ${reason}`);
  } catch (error) {
    child.dispose();
    if (error instanceof CandidateError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** The same for a candidate at hand, in this process: a promise that never settles is given up after the timeout. */
export function candidateImplementation(
  candidate: AnyCandidate,
  options: CandidateOptions = {},
): CandidateImplementation {
  const declaration = checkCandidate(candidate, 'candidate');
  const seconds = checkSeconds(options.timeoutSeconds ?? 30, 'candidateImplementation');
  const calls = new CandidateCalls(candidate);
  const evaluate = async (problem: AnyProblem): Promise<ReadAnswer> => {
    const settled = Promise.resolve()
      .then(() => calls.evaluate(plainProblem(problem)))
      .catch((error: unknown) => {
        const { message, stack } = error instanceof Error ? error : describeThrown(error);
        throw new CandidateError(`${declaration.name} threw: ${message}`, false, stack);
      });
    return within(settled, seconds, () => tooLate(declaration.name, problem.id, seconds));
  };
  return implementation(declaration, evaluate, { dispose: () => undefined });
}

function implementation(
  { layers, omits, ...declaration }: CandidateDeclaration,
  evaluate: (problem: AnyProblem) => Promise<ReadAnswer>,
  owner: { dispose(): void },
): CandidateImplementation {
  const answer = async (problem: AnyProblem): Promise<Evaluation> => evaluationIn(await evaluate(problem));
  return {
    ...declaration,
    // a candidate never has to give probabilities, which follow from the logits
    ...(layers === undefined && {
      omits: [...new Set([...omits, 'probabilities'])],
      omitsWithoutLabels: ['logits'],
    }),
    evaluate: answer,
    ...(layers !== undefined && {
      layered: {
        declared: layers,
        omits: [...new Set([...omits, 'sequences', 'outputs'])],
        refuses: ({ layers: asked }: Model) => {
          const all = asked.flatMap((layer) =>
            'wrapped' in layer ? [layer.layer, layer.wrapped.layer] : [layer.layer],
          );
          const missing = [...new Set(all)].filter((layer) => !layers.includes(layer));
          return missing.length === 0 ? undefined : `it does not declare ${missing.join(', ')} in layers`;
        },
        evaluate: answer,
      },
    }),
    dispose: () => {
      owner.dispose();
    },
  };
}

function tooLate(name: string, what: string, seconds: number): CandidateError {
  return new CandidateError(
    `${name} did not answer ${what} within ${seconds} s and was stopped; a promise that never settles, a loop without end, or raise --timeout.`,
    true,
  );
}

const disposed = 'disposed';

class CandidateProcess {
  private readonly child: ChildProcess;
  private name = 'the candidate';
  private ended: string | undefined;
  private waiting: ((reply: FromCandidate | CandidateError) => void) | undefined;
  /** the question before, which has to be answered first */ private last: Promise<unknown> =
    Promise.resolve();
  private readonly stop = (): void => void this.child.kill('SIGKILL');

  constructor(private readonly seconds: number) {
    this.child = spawn(process.execPath, childScript(join(__dirname, 'child')), {
      // its standard output joins our standard error: standard output belongs to the result
      stdio: ['ignore', 2, 2, 'ipc'],
      serialization: 'advanced',
    });
    this.child.on('message', (reply) => {
      this.settle(reply as FromCandidate);
    });
    this.child.on('exit', (code, signal) => {
      this.end(signal === null ? `with exit code ${code ?? 0}` : `by ${signal}`);
    });
    this.child.on('error', (error) => {
      this.end(`because it could not run: ${error.message}`);
    });
    process.once('exit', this.stop);
  }

  /** One question after the other: an answer does not say which question it is of. */
  ask(message: ToCandidate, what: string): Promise<FromCandidate> {
    const answer = this.last.then(() => this.askNow(message, what));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  private async askNow(message: ToCandidate, what: string): Promise<FromCandidate> {
    if (this.ended !== undefined) throw this.gone(what);
    const reply = new Promise<FromCandidate | CandidateError>((resolve) => (this.waiting = resolve));
    this.child.send(message, (error) => {
      if (error !== null) this.end(`because it takes no messages: ${error.message}`);
    });
    const settled = await within(reply, this.seconds, () => {
      this.stop();
      return tooLate(this.name, what, this.seconds);
    });
    if (settled instanceof CandidateError) throw this.gone(what);
    if (settled.type === 'loaded') this.name = settled.declaration.name;
    return settled;
  }

  async evaluate(problem: AnyProblem): Promise<ReadAnswer> {
    const reply = await this.ask({ type: 'evaluate', problem: plainProblem(problem) }, problem.id);
    if (reply.type === 'answer') return reply.answer;
    const trace = reply.type === 'threw' ? reply.stack : '';
    const message = reply.type === 'threw' || reply.type === 'refused' ? reply.message : reply.type;
    throw new CandidateError(`${this.name} threw: ${message}`, false, trace);
  }

  dispose(): void {
    process.removeListener('exit', this.stop);
    this.ended ??= disposed;
    this.stop();
  }

  private settle(reply: FromCandidate | CandidateError): void {
    this.waiting?.(reply);
    this.waiting = undefined;
  }

  private end(how: string): void {
    this.ended ??= how;
    this.settle(this.gone(''));
  }

  private gone(what: string): CandidateError {
    if (this.ended === disposed)
      return new CandidateError(`${this.name} was disposed before ${what}; load it again.`, true);
    return new CandidateError(
      `${this.name} ended its process ${this.ended ?? ''} during ${what}; a candidate must return or throw.`,
      true,
    );
  }
}

async function within<T>(work: Promise<T>, seconds: number, late: () => CandidateError): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(late());
    }, seconds * 1000);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
