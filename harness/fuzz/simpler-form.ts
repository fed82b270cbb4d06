import type { Tensor } from '../../scratch/index';
import { isLayered, tablesOf, type AnyProblem, type LayeredProblem, type Problem } from '../base/problem';
import { fill, keep } from '../problems/index';
import type { Move } from './simpler-values';

/** Optional parts left out, or replaced by a plainer one that asks for the same: a gradient at the end. */
export function partMoves(problem: AnyProblem): Move[] {
  return isLayered(problem) ? layeredPartMoves(problem) : plainPartMoves(problem);
}

function plainPartMoves(problem: Problem): Move[] {
  const { mask, initialState, labels, upstream, weights } = problem;
  const moves: Move[] = [];
  if (mask) moves.push(() => without(problem, 'mask'));
  if (initialState) moves.push(() => without(problem, 'initialState'));
  if (upstream && labels) moves.push(() => without(problem, 'upstream'));
  if (weights.outputKernel) {
    const plain = withoutOutput(problem);
    if (upstream || !labels) moves.push(() => plain);
    else moves.push(() => ({ ...plain, upstream: { finalState: onesAt(problem, 'upstream.finalState') } }));
    if (labels) moves.push(() => without(problem, 'labels'));
  }
  if (upstream?.states && upstream.finalState) {
    const { states, finalState } = upstream;
    moves.push(() => ({ ...problem, upstream: { finalState } }));
    moves.push(() => ({ ...problem, upstream: { states } }));
  } else if (upstream?.states) {
    moves.push(() => ({ ...problem, upstream: { finalState: onesAt(problem, 'upstream.finalState') } }));
  }
  if (upstream && !labels) moves.push(() => without(problem, 'upstream'));
  return moves;
}

function layeredPartMoves(problem: LayeredProblem): Move[] {
  const { mask, initialStates, labels, targets, upstream } = problem;
  const moves: Move[] = [];
  const hasLoss = labels !== undefined || targets !== undefined;
  const withoutLoss = without(without(problem, 'labels'), 'targets');
  if (mask) moves.push(() => without(problem, 'mask'));
  if (initialStates) moves.push(() => without(problem, 'initialStates'));
  if (upstream && hasLoss)
    moves.push(
      () => without(problem, 'upstream'),
      () => withoutLoss,
    );
  if (!upstream && hasLoss) {
    const logits = onesAt(problem, 'upstream.logits');
    moves.push(
      () => ({ ...withoutLoss, upstream: { logits } }),
      () => withoutLoss,
    );
  }
  for (const [name, part] of Object.entries(upstream ?? {}))
    if (Object.keys(upstream ?? {}).length > 1)
      moves.push(() => ({ ...problem, upstream: { [name]: part } }));
  if (upstream && !hasLoss) moves.push(() => without(problem, 'upstream'));
  return moves;
}

/** A gradient of 1 everywhere: the loss is the sum of the final state, or of what the last layer gives. */
function onesAt(problem: AnyProblem, part: 'upstream.finalState' | 'upstream.logits'): Tensor {
  const shape = (tablesOf(problem).parts.get(part) ?? []).map(({ size }) => size);
  return fill(shape, () => 1);
}

/** Sizes in the order of cutting, each with the fewest places that still make sense: with one class there is nothing to tell apart. */
function fewestPlaces({ model }: AnyProblem, sizes: Iterable<string>): [string, number][] {
  const units = [...sizes].filter((size) => /^(unit|layer\d+)$/.test(size));
  const classes = model === undefined ? 'class' : units.at(-1);
  const isChoice = (model?.loss ?? 'softmaxCrossEntropy') === 'softmaxCrossEntropy';
  return ['timeStep', ...units, 'example', 'feature', 'class', 'integer'].map((size) => [
    size,
    size === classes && isChoice ? 2 : 1,
  ]);
}

/** Smaller sizes: an axis cut to its fewest, then without one half, one quarter, ... one place of it. */
export function sizeMoves(problem: AnyProblem): Move[] {
  const { sizes } = tablesOf(problem);
  return fewestPlaces(problem, sizes.keys()).flatMap(([axis, least]) => {
    const size = sizes.get(axis) ?? 0;
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

function without<P extends AnyProblem>(problem: P, part: keyof P): P {
  const others = Object.entries(problem).filter(([name]) => name !== part);
  return Object.fromEntries(others) as unknown as P;
}

function withoutOutput(problem: Problem): Problem {
  const { kernel, recurrentKernel, bias } = problem.weights;
  return { ...without(problem, 'labels'), weights: { kernel, recurrentKernel, bias } };
}
