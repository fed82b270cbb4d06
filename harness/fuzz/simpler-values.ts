import type { Tensor } from '../../scratch/index';
import type { Problem } from '../base/problem';
import { difficulty, roundToBits, simplerNumbers } from './simpler-number';

/** One way to make a problem simpler; undefined where it changes nothing. */
export type Move = () => Problem | undefined;

/** A tensor of numbers in a problem, and the problem with another in its place. */
interface Part {
  readonly tensor: Tensor;
  with(tensor: Tensor): Problem;
}

/** Whole tensors at once: zeros, ones, few digits. */
export function tensorMoves(problem: Problem): Move[] {
  const changes: ((x: number) => number)[] = [
    () => 0,
    () => 1,
    (x) => roundToBits(x, 1),
    (x) => roundToBits(x, 2),
    (x) => roundToBits(x, 4),
  ];
  return partsOf(problem).flatMap((part) => changes.map((change) => () => simplified(part, change)));
}

/** One number at a time: 0, 1, 1/2, -1, or fewer digits. */
export function* numberMoves(problem: Problem): Generator<Move> {
  for (const part of partsOf(problem)) {
    for (const [at, x] of part.tensor.data.entries()) {
      for (const simpler of simplerNumbers(x))
        yield () => part.with({ data: part.tensor.data.with(at, simpler), shape: part.tensor.shape });
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

/** The part with every number changed, if that makes them easier in sum and none of them infinite. */
function simplified(part: Part, change: (x: number) => number): Problem | undefined {
  const data = part.tensor.data.map(change);
  const finite = data.every((x) => Number.isFinite(Math.fround(x)));
  if (!finite || sum(data) >= sum(part.tensor.data)) return undefined;
  return part.with({ data, shape: part.tensor.shape });
}

function sum(data: Float64Array): number {
  return data.reduce((total, x) => total + difficulty(x), 0);
}

/** Every tensor of numbers, those first whose numbers a reader meets first. */
function partsOf(problem: Problem): Part[] {
  const { inputs, initialState, upstream, weights } = problem;
  const parts: Part[] = [];
  const add = (tensor: Tensor | undefined, put: (tensor: Tensor) => Problem): void => {
    if (tensor !== undefined) parts.push({ tensor, with: put });
  };
  for (const name of ['kernel', 'recurrentKernel', 'bias', 'outputKernel', 'outputBias'] as const)
    add(weights[name], (tensor) => ({ ...problem, weights: { ...weights, [name]: tensor } }));
  add(inputs, (tensor) => ({ ...problem, inputs: tensor }));
  add(initialState, (tensor) => ({ ...problem, initialState: tensor }));
  add(upstream?.states, (states) => ({ ...problem, upstream: { ...upstream, states } }));
  add(upstream?.finalState, (finalState) => ({ ...problem, upstream: { ...upstream, finalState } }));
  return parts;
}
