import type { Tensor } from '../../scratch/index';
import { mapParts, partOf, partsOf, readsIntegers, type AnyProblem } from '../base/problem';
import { difficulty, roundToBits, simplerNumbers } from './simpler-number';

/** One way to make a problem simpler; undefined where it changes nothing. */
export type Move = () => AnyProblem | undefined;

/** Whole tensors at once: zeros, ones, few digits. */
export function tensorMoves(problem: AnyProblem): Move[] {
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
export function* numberMoves(problem: AnyProblem): Generator<Move> {
  for (const name of numbersIn(problem)) {
    const { data, shape } = partOf(problem, name)!;
    for (const [at, x] of data.entries()) {
      for (const simpler of simplerNumbers(x))
        yield () => withPart(problem, name, { data: data.with(at, simpler), shape });
    }
  }
}

/** Masked steps that could as well count, labels and integers that could be 0. */
export function choiceMoves(problem: AnyProblem): Move[] {
  const { mask, labels, inputs } = problem;
  const moves: Move[] = [];
  mask?.data.forEach((x, at) => {
    if (x !== 1) moves.push(() => ({ ...problem, mask: { ...mask, data: mask.data.with(at, 1) } }));
  });
  labels?.forEach((label, at) => {
    if (label !== 0) moves.push(() => ({ ...problem, labels: labels.with(at, 0) }));
  });
  if (readsIntegers(problem))
    inputs.data.forEach((integer, at) => {
      if (integer !== 0)
        moves.push(() => withPart(problem, 'inputs', { ...inputs, data: inputs.data.with(at, 0) }));
    });
  return moves;
}

/** One tensor with every number changed, if that makes them easier in sum and none of them infinite. */
function simplified(
  problem: AnyProblem,
  name: string,
  change: (x: number) => number,
): AnyProblem | undefined {
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
function numbersIn(problem: AnyProblem): string[] {
  const isWeight = (name: string): boolean => name.startsWith('weights.');
  const isChoice = (name: string): boolean =>
    name === 'mask' || (name === 'inputs' && readsIntegers(problem));
  const names = partsOf(problem).filter((name) => !isChoice(name));
  return [...names.filter(isWeight), ...names.filter((name) => !isWeight(name))];
}

function withPart(problem: AnyProblem, changed: string, tensor: Tensor): AnyProblem {
  return mapParts(problem, (own, name) => (name === changed ? tensor : own));
}
