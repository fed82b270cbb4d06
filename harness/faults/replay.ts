import { tensorNames, tensorOf, type Evaluation, type Precision, type Problem } from '../base/problem';
import { memoize } from '../base/memoize';
import { HandNetwork } from './hand-network';
import type { Fault, NetworkClass } from './fault';

/** The right answer by hand, worked out once a problem. */
export function rightAnswer(problem: Problem): Evaluation {
  return firstAnswer({ network: HandNetwork }, problem);
}

const firstAnswers = memoize((problem: Problem) =>
  memoize((network: NetworkClass): Evaluation => new network(problem).evaluate()),
);

/** What a network answers when it is asked first, in float64, worked out once. */
export function firstAnswer({ network }: Pick<Fault, 'network'>, problem: Problem): Evaluation {
  return firstAnswers(problem)(network);
}

/** The answer with the fault in it; a fault of memory is asked twice. In float64. */
export function replay({ network, calls }: Pick<Fault, 'network' | 'calls'>, problem: Problem): Evaluation {
  if (calls !== true) return firstAnswer({ network }, problem);
  const first = new network(problem);
  first.evaluate();
  return new network(problem, first).evaluate();
}

/** Differences below it are another order of summation: 2^-40 of the largest number of the tensor. */
const reordering = 2 ** -40;

/** Whether a side of that precision, asked this, can answer otherwise with the fault than without: two replays in float64 differ. */
export function canShow(
  fault: Pick<Fault, 'network' | 'calls' | 'precision'>,
  problem: Problem,
  precision: Precision,
): boolean {
  if (fault.precision !== undefined && fault.precision !== precision) return false;
  return distance(replay(fault, problem), rightAnswer(problem)) > reordering;
}

/** The largest difference between two answers, as a share of the largest number of its tensor; infinite where the shapes differ. */
export function distance(one: Evaluation, other: Evaluation): number {
  let largest = 0;
  for (const name of tensorNames) {
    const [a, b] = [tensorOf(one, name), tensorOf(other, name)];
    if (a?.shape.join() !== b?.shape.join()) return Infinity;
    if (a === undefined || b === undefined) continue;
    const scale = b.data.reduce((max, x) => Math.max(max, Math.abs(x)), 1e-300);
    a.data.forEach((x, i) => {
      if (!Object.is(x, b.data[i])) largest = Math.max(largest, shareOf(Math.abs(x - b.data[i]), scale));
    });
  }
  return largest;
}

function shareOf(difference: number, scale: number): number {
  return Number.isNaN(difference) ? Infinity : difference / scale;
}
