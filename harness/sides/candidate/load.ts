import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { checkOptions, describe, shown } from '../../../scratch/index';
import { childScript } from '../../../src/index';
import { ChildFailure, ChildLink, type WireError } from '../../base/process/index';
import { CandidateError, describeThrown } from '../../base/side-errors';
import { checkRegularFile } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import type { AnyProblem, Evaluation, Implementation, Model } from '../../base/problem';
import { evaluationIn, type ReadAnswer } from './answer';
import { CandidateCalls, plainProblem } from './calls';
import { checkCandidate, type CandidateDeclaration } from './check';
import type { AnyCandidate, CandidateLayersProblem, CandidateProblem } from './define';

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
    `${name}: timeoutSeconds is ${shown(seconds)}; pass how many seconds a problem may take, more than 0 and at most 2147483.`,
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
  if (typeof file !== 'string')
    throw new TypeError(`loadCandidate: the file is ${describe(file)}; pass the path of a module.`);
  const path = resolve(file);
  await checkRegularFile(path, 'give the path of a TypeScript or JavaScript module');
  const child = new CandidateProcess(checkSeconds(options.timeoutSeconds ?? 30, 'loadCandidate'));
  try {
    const declaration = await child.load(path, file);
    return implementation(declaration, (problem) => child.evaluate(problem), child);
  } catch (error) {
    child.dispose();
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
        const { message, stack } = describeThrown(error);
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

/** What each operation of the candidate's process takes and gives. */
export interface CandidateOperations {
  load: { request: { readonly file: string }; result: CandidateDeclaration };
  evaluate: {
    request: { readonly problem: CandidateProblem | CandidateLayersProblem };
    result: ReadAnswer;
  };
}

class CandidateProcess {
  private readonly child = new ChildLink<CandidateOperations>({
    command: process.execPath,
    args: childScript(join(__dirname, 'child')),
    channel: 'messages',
    group: true,
  });
  private name = 'the candidate';
  private disposed = false;

  constructor(private readonly seconds: number) {}

  /** @throws UsageError when the module cannot be used */
  async load(path: string, file: string): Promise<CandidateDeclaration> {
    try {
      const declaration = await this.child.request('load', { file: path }, 1000 * this.seconds);
      this.name = declaration.name;
      return declaration;
    } catch (error) {
      const refused = error instanceof ChildFailure ? error.answered : undefined;
      const reason =
        refused === undefined ? undefined : `the candidate ${file} cannot be used: ${inWords(refused)}`;
      throw new UsageError(reason ?? this.errorOf(error, `loading ${file}`).message, { cause: error });
    }
  }

  async evaluate(problem: AnyProblem): Promise<ReadAnswer> {
    try {
      return await this.child.request('evaluate', { problem: plainProblem(problem) }, 1000 * this.seconds);
    } catch (error) {
      throw this.errorOf(error, problem.id);
    }
  }

  dispose(): void {
    this.disposed = true;
    this.child.kill();
  }

  private errorOf(error: unknown, what: string): CandidateError {
    if (this.disposed)
      return new CandidateError(`${this.name} was disposed before ${what}; load it again.`, true);
    if (!(error instanceof ChildFailure)) throw error;
    const { answered, ended = '', late } = error;
    if (answered !== undefined)
      return new CandidateError(`${this.name} threw: ${inWords(answered)}`, false, answered.stack);
    if (late) return tooLate(this.name, what, this.seconds);
    return new CandidateError(
      `${this.name} ended its process ${ended} during ${what}; a candidate must return or throw.`,
      true,
    );
  }
}

/** What was thrown, with the name of its class where that says more. */
function inWords({ name, message }: WireError): string {
  return name === undefined || name === 'UsageError' ? message : `${name}: ${message}`;
}

function within<T>(work: Promise<T>, seconds: number, late: () => CandidateError): Promise<T> {
  const timer = new AbortController();
  const limit = setTimeout(1000 * seconds, undefined, { signal: timer.signal }).then(() => {
    throw late();
  });
  return Promise.race([work, limit]).finally(() => timer.abort());
}
