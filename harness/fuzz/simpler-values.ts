import type { Tensor } from '../../scratch/index';
import { mapParts, partOf, partsOf, type PartName, type Problem } from '../base/problem';
import { difficulty, roundToBits, simplerNumbers } from './simpler-number';

/** One way to make a problem simpler; undefined where it changes nothing. */
export type Move = () => Problem | undefined;

/** Whole tensors at once: zeros, ones, few digits. */
export function tensorMoves(problem: Problem): Move[] {
  const changes: ((x: number) => number)[] = [
    () => 0,
    () => 1,
    (x) => roundToBits(x, 1),
    (x) => roundToBits(x, 2),
    (x) => roundToBits(x, 4),
  ];
  return numbersIn(problem).flatMap((name) =>
    changes.map((change) => () => simplified(problem, name, change)),
  );
}

/** One number at a time: 0, 1, 1/2, -1, or fewer digits. */
export function* numberMoves(problem: Problem): Generator<Move> {
  for (const name of numbersIn(problem)) {
    const { data, shape } = partOf(problem, name)!;
    for (const [at, x] of data.entries()) {
      for (const simpler of simplerNumbers(x))
        yield () => withPart(problem, name, { data: data.with(at, simpler), shape });
    }
  }
}

/** Masked steps that could as well count, and labels that could be 0. */
export function choiceMoves(problem: Problem): Move[] {
  const { mask, labels } = problem;
  const moves: Move[] = [];
  mask?.data.forEach((x, at) => {
    if (x !== 1) moves.push(() => ({ ...problem, mask: { ...mask, data: mask.data.with(at, 1) } }));
  });
  labels?.forEach((label, at) => {
    if (label !== 0) moves.push(() => ({ ...problem, labels: labels.with(at, 0) }));
  });
  return moves;
}

/** One tensor with every number changed, if that makes them easier in sum and none of them infinite. */
function simplified(problem: Problem, name: PartName, change: (x: number) => number): Problem | undefined {
  const { data: before, shape } = partOf(problem, name)!;
  const data = before.map(change);
  const finite = data.every((x) => Number.isFinite(Math.fround(x)));
  if (!finite || sum(data) >= sum(before)) return undefined;
  return withPart(problem, name, { data, shape });
}

function sum(data: Float64Array): number {
  return data.reduce((total, x) => total + difficulty(x), 0);
}

/** The tensors of numbers, those first whose numbers a reader meets first. */
function numbersIn(problem: Problem): PartName[] {
  const isWeight = (name: PartName): boolean => name.startsWith('weights.');
  const names = partsOf(problem).filter((name) => name !== 'mask');
  return [...names.filter(isWeight), ...names.filter((name) => !isWeight(name))];
}

function withPart(problem: Problem, changed: PartName, tensor: Tensor): Problem {
  return mapParts(problem, (own, name) => (name === changed ? tensor : own));
}
