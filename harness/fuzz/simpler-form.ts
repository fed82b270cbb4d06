import { zeros, type Tensor } from '../../scratch/index';
import { sizesByAxis, sizesOf, type Problem } from '../base/problem';
import { keep } from '../problems/index';
import type { Move } from './simpler-values';

/** Optional parts left out, or replaced by a plainer one that asks for the same: a gradient at the end. */
export function partMoves(problem: Problem): Move[] {
  const { mask, initialState, labels, upstream, weights } = problem;
  const moves: Move[] = [];
  if (mask) moves.push(() => without(problem, 'mask'));
  if (initialState) moves.push(() => without(problem, 'initialState'));
  if (upstream && labels) moves.push(() => without(problem, 'upstream'));
  if (weights.outputKernel) {
    const plain = withoutOutput(problem);
    if (upstream || !labels) moves.push(() => plain);
    else moves.push(() => ({ ...plain, upstream: { finalState: onesAtTheEnd(problem) } }));
    if (labels) moves.push(() => without(problem, 'labels'));
  }
  if (upstream?.states && upstream.finalState) {
    const { states, finalState } = upstream;
    moves.push(() => ({ ...problem, upstream: { finalState } }));
    moves.push(() => ({ ...problem, upstream: { states } }));
  } else if (upstream?.states) {
    moves.push(() => ({ ...problem, upstream: { finalState: onesAtTheEnd(problem) } }));
  }
  if (upstream && !labels) moves.push(() => without(problem, 'upstream'));
  return moves;
}

/** Axes in the order of cutting, with the fewest places that still make sense: with one class there is nothing to tell apart. */
const fewest = { timeStep: 1, unit: 1, example: 1, feature: 1, class: 2 } as const;

/** Smaller sizes: an axis cut to its fewest, then without one half, one quarter, ... one place of it. */
export function sizeMoves(problem: Problem): Move[] {
  const sizes = sizesByAxis(problem);
  return (Object.keys(fewest) as (keyof typeof fewest)[]).flatMap((axis) => {
    const size = sizes[axis];
    const least = fewest[axis];
    if (size <= least) return [];
    const all = Array.from({ length: size }, (_, i) => i);
    const kept: number[][] = [all.slice(0, least), all.slice(size - least)];
    for (let chunk = size >> 1; chunk >= 1; chunk >>= 1) {
      if (size - chunk <= least && chunk > 1) continue;
      for (let start = size - chunk; start > -chunk; start -= chunk) {
        const from = Math.max(0, start);
        kept.push([...all.slice(0, from), ...all.slice(from + chunk)]);
      }
    }
    return kept.filter((places) => places.length >= least).map((places) => () => keep(problem, axis, places));
  });
}

function without(problem: Problem, part: 'mask' | 'initialState' | 'labels' | 'upstream'): Problem {
  const others = Object.entries(problem).filter(([name]) => name !== part);
  return Object.fromEntries(others) as unknown as Problem;
}

function withoutOutput(problem: Problem): Problem {
  const { kernel, recurrentKernel, bias } = problem.weights;
  return { ...without(problem, 'labels'), weights: { kernel, recurrentKernel, bias } };
}

/** dL/dh_T = 1 everywhere: the loss is the sum of the final state. */
function onesAtTheEnd(problem: Problem): Tensor {
  const { batch, units } = sizesOf(problem);
  const ones = zeros(batch, units);
  ones.data.fill(1);
  return ones;
}
