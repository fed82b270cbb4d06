import * as fc from 'fast-check';
import type { Implementation, Problem } from '../base/problem';
import { put, signatureOf, withKind, type Finding } from './judge-problem';
import { fuzzArbitrary, type FuzzCase } from './series';

/** Largest number of problems to try when simplifying one failure. */
export const mostTries = 3000;

/** How a failure was simplified. */
export interface Shrinking {
  /** fast-check's path to the problem, from the case's own seed; `0` is the problem as generated */ readonly path: string;
  /** problems tried */ readonly tries: number;
  /** `no simpler`: every problem that is simpler by one step is right, or wrong in a different way */
  readonly ended: 'no simpler' | 'tries' | 'time' | 'stopped' | 'side ended' | 'not repeatable' | 'not asked';
}

export interface Shrunk {
  readonly problem: Problem;
  readonly finding: Finding;
  readonly shrinking: Shrinking;
}

export interface ShrinkOptions {
  /** time limit in seconds; 0: do not simplify */ readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks for the simplest problem on which the side fails as it does on this one: same phase, same tensor (`signatureOf`), same fault class.
 * Takes `seconds` or 3,000 problems at most; the problem that runs then is finished.
 */
export async function shrinkFailure(
  implementation: Implementation,
  { problem: generated, caseSeed }: FuzzCase,
  found: Finding,
  { seconds, signal }: ShrinkOptions,
): Promise<Shrunk> {
  const wanted = signatureOf(found.verdict);
  const kind = found.verdict.kind?.join();
  const deadline = performance.now() + 1000 * seconds;
  const search: Search = {
    problem: generated,
    finding: found,
    tries: 0,
    repeated: false,
    ended: 'no simpler',
  };
  const give = (path: string): Shrunk => {
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
  const isRight = fc.asyncProperty(fuzzArbitrary, async (drawn) => {
    // fast-check asks for the generated problem first; a limit ends the search by calling everything else right
    const first = search.tries === 0;
    if (!first && !mayGoOn()) return true;
    search.tries++;
    await new Promise(setImmediate);
    const problem = { ...drawn, id: generated.id };
    const plain = await put(implementation, problem);
    if (plain.fatal) search.ended = 'side ended';
    if (signatureOf(plain.verdict) !== wanted) return true;
    // where no fault of the catalogue explains the first, none is looked for in the others
    const finding = kind === undefined ? plain : await withKind(implementation, plain);
    if (finding.verdict.kind?.join() !== kind) return true;
    if (first) search.repeated = true;
    Object.assign(search, { problem, finding });
    return false;
  });
  const { counterexamplePath } = await fc.check(isRight, { seed: caseSeed, path: '0', numRuns: 1 });
  if (!search.repeated) search.ended = 'not repeatable';
  return give(counterexamplePath ?? '0');
}

interface Search {
  problem: Problem;
  finding: Finding;
  tries: number;
  repeated: boolean;
  ended: Shrinking['ended'];
}
