import * as fc from 'fast-check';
import type { AnyProblem, Implementation } from '../base/problem';
import { put, signatureOf, whicheverLayer, withFaultClass, type Finding } from './judge-problem';
import { arbitraryOf, type FuzzCase } from './series';

/** Largest number of problems to try when simplifying one failure. */
export const mostTries = 3000;

/** How a failure was simplified. */
export interface Shrinking {
  /** fast-check's path to the problem, from the case's own seed; `0` is the problem as generated */ readonly path: string;
  /** problems tried */ readonly tries: number;
  /** `no simpler`: every problem that is simpler by one step is right, or wrong in a different way */
  readonly ended: 'no simpler' | 'tries' | 'time' | 'stopped' | 'side ended' | 'not repeatable' | 'not asked';
}

export interface Shrunk<P extends AnyProblem = AnyProblem> {
  readonly problem: P;
  readonly finding: Finding;
  readonly shrinking: Shrinking;
}

export interface ShrinkOptions {
  /** time limit in seconds; 0: do not simplify */ readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
  /** as for `put` */ readonly mayRefuse?: boolean;
}

/**
 * Looks for the simplest problem on which the side fails as it does on this one: same phase, same tensor (`signatureOf`), same fault class.
 * Takes `seconds` or 3,000 problems at most; the problem that runs then is finished.
 */
export async function shrinkFailure<P extends AnyProblem>(
  implementation: Implementation,
  { problem: generated, caseSeed, networks }: FuzzCase<P>,
  found: Finding,
  { seconds, signal, mayRefuse }: ShrinkOptions,
): Promise<Shrunk<P>> {
  const kindIn = ({ verdict }: Finding, problem: AnyProblem): string | undefined =>
    verdict.kind?.map((name) => whicheverLayer(problem, name)).join();
  const wanted = signatureOf(found.verdict, generated);
  const kind = kindIn(found, generated);
  const deadline = performance.now() + 1000 * seconds;
  const search: Search<P> = {
    problem: generated,
    finding: found,
    tries: 0,
    repeated: false,
    ended: 'no simpler',
  };
  const give = (path: string): Shrunk<P> => {
    const { problem, finding, tries, ended } = search;
    return { problem, finding, shrinking: { path, tries, ended } };
  };
  if (seconds === 0 || found.fatal) {
    search.ended = found.fatal ? 'side ended' : 'not asked';
    return give('0');
  }
  const mayGoOn = (): boolean => {
    if (search.ended !== 'no simpler') return false;
    if (signal?.aborted === true) search.ended = 'stopped';
    else if (performance.now() >= deadline) search.ended = 'time';
    else if (search.tries >= mostTries) search.ended = 'tries';
    else return true;
    return false;
  };
  const isRight = fc.asyncProperty(arbitraryOf(networks), async (drawn) => {
    // fast-check asks for the generated problem first; a limit ends the search by calling everything else right
    const first = search.tries === 0;
    if (!first && !mayGoOn()) return true;
    search.tries++;
    await new Promise(setImmediate);
    // the arbitrary of a series makes problems of one kind
    const problem = { ...(drawn as P), id: generated.id };
    const plain = await put(implementation, problem, mayRefuse);
    if (plain.fatal) search.ended = 'side ended';
    if (signatureOf(plain.verdict, problem) !== wanted) return true;
    // where no fault of the catalogue explains the first, none is looked for in the others
    const finding = kind === undefined ? plain : await withFaultClass(implementation, plain);
    if (kindIn(finding, problem) !== kind) return true;
    if (first) search.repeated = true;
    Object.assign(search, { problem, finding });
    return false;
  });
  const { counterexamplePath } = await fc.check(isRight, { seed: caseSeed, path: '0', numRuns: 1 });
  if (!search.repeated) search.ended = 'not repeatable';
  return give(counterexamplePath ?? '0');
}

interface Search<P extends AnyProblem> {
  problem: P;
  finding: Finding;
  tries: number;
  repeated: boolean;
  ended: Shrinking['ended'];
}
