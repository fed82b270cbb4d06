import * as fc from 'fast-check';
import { createRandom } from '../../scratch/index';
import type { AnyProblem, Problem } from '../base/problem';
import { isOfLayers, type Networks } from '../problems/index';
import { layeredArbitrary, problemArbitrary } from './problem-arbitrary';

/** A problem of a series, and how fast-check generates it again. */
export interface FuzzCase<P extends AnyProblem = AnyProblem> {
  /** `fuzz/SEED/INDEX` */ readonly id: string;
  readonly index: number;
  /** fast-check's own seed for this case; its path is `0` */ readonly caseSeed: number;
  readonly problem: P;
  /** the networks that the series is about, and their shapes; absent for the simple RNN of any shape */
  readonly networks?: Networks;
}

const plainArbitrary = problemArbitrary();

/** The arbitrary of a series: a different one would generate different problems from the same seed. */
export function arbitraryOf(networks: Networks | undefined): fc.Arbitrary<AnyProblem> {
  if (networks === undefined) return plainArbitrary;
  return isOfLayers(networks) ? layeredArbitrary(networks) : problemArbitrary(networks);
}

/** Case `index` of the series that `seed` and networks name: the same whatever else runs, in any order. */
export function fuzzCase(seed: number, index: number): FuzzCase<Problem>;
export function fuzzCase(seed: number, index: number, networks: Networks | undefined): FuzzCase;
export function fuzzCase(seed: number, index: number, networks?: Networks): FuzzCase {
  // one number further for each case: no two cases of a series share a seed
  const caseSeed = (createRandom(seed).next() + index) | 0;
  const id = `fuzz/${seed}/${index}`;
  const problem = problemAt(caseSeed, '0', id, networks);
  return { id, index, caseSeed, problem, ...(networks && { networks }) };
}

/** The problem that fast-check's seed and path lead to: path `0` is the generated one, `0:3:1` one that it was shrunk to. */
export function problemAt(caseSeed: number, path: string, id: string): Problem;
export function problemAt(
  caseSeed: number,
  path: string,
  id: string,
  networks: Networks | undefined,
): AnyProblem;
export function problemAt(caseSeed: number, path: string, id: string, networks?: Networks): AnyProblem {
  const [problem] = fc.sample(arbitraryOf(networks), { seed: caseSeed, path, numRuns: 1 });
  return { ...problem, id };
}

/** One of n parts of a series, counted from 1: cases i - 1, i - 1 + n, ... */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** The cases of a shard, ascending: of the first `cases` of the series, or unlimited. */
export function* shardCases({ index, of }: Shard, cases = Number.POSITIVE_INFINITY): Generator<number> {
  for (let at = index - 1; at < cases; at += of) yield at;
}

/** How many of the first `cases` are this shard's. */
export function shardSize({ index, of }: Shard, cases: number): number {
  return Math.max(0, Math.ceil((cases - (index - 1)) / of));
}
