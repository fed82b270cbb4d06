import { sizeOf, zeros, type Tensor } from '../../scratch/index';
import { sizesOf, type Problem } from '../base/problem';
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

/** What a size counts; all tensors that have the axis lose the same places of it. */
const axes = ['timeSteps', 'units', 'batch', 'features', 'classes'] as const;
type Axis = (typeof axes)[number];

/** Fewest of each that still make sense: with one class there is nothing to tell apart. */
const fewest: Readonly<Record<Axis, number>> = { timeSteps: 1, units: 1, batch: 1, features: 1, classes: 2 };

/** Smaller sizes: an axis cut to its fewest, then without one half, one quarter, ... one place of it. */
export function sizeMoves(problem: Problem): Move[] {
  const sizes = sizesOf(problem);
  return axes.flatMap((axis) => {
    const size = sizes[axis] ?? 0;
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

/** The problem with only these places of one axis. */
function keep(problem: Problem, axis: Axis, places: readonly number[]): Problem {
  const { inputs, initialState, mask, labels, upstream, weights } = problem;
  const { kernel, recurrentKernel, bias, outputKernel, outputBias } = weights;
  const cut = (tensor: Tensor, ...names: (Axis | 'other')[]): Tensor =>
    select(tensor, names.indexOf(axis), places);
  const recurrent = cut(recurrentKernel, 'units', 'other');
  const states = upstream?.states;
  const finalState = upstream?.finalState;
  return {
    id: problem.id,
    inputs: cut(inputs, 'batch', 'timeSteps', 'features'),
    ...(initialState && { initialState: cut(initialState, 'batch', 'units') }),
    ...(mask && { mask: cut(mask, 'batch', 'timeSteps') }),
    ...(labels && { labels: keepLabels(labels, axis, places) }),
    ...(upstream && {
      upstream: {
        ...(states && { states: cut(states, 'batch', 'timeSteps', 'units') }),
        ...(finalState && { finalState: cut(finalState, 'batch', 'units') }),
      },
    }),
    weights: {
      kernel: cut(kernel, 'features', 'units'),
      recurrentKernel: cut(recurrent, 'other', 'units'),
      bias: cut(bias, 'units'),
      ...(outputKernel && { outputKernel: cut(outputKernel, 'units', 'classes') }),
      ...(outputBias && { outputBias: cut(outputBias, 'classes') }),
    },
  };
}

/** Labels of the examples that stay; a class that goes becomes the first. */
function keepLabels(labels: readonly number[], axis: Axis, places: readonly number[]): number[] {
  if (axis === 'batch') return places.map((b) => labels[b]);
  if (axis === 'classes') return labels.map((label) => Math.max(0, places.indexOf(label)));
  return [...labels];
}

/** These places of one axis of a tensor; the tensor itself where the axis is -1. */
function select(tensor: Tensor, axis: number, places: readonly number[]): Tensor {
  if (axis < 0) return tensor;
  const shape = tensor.shape.with(axis, places.length);
  const stride = sizeOf(tensor.shape.slice(axis + 1));
  const result = zeros(...shape);
  for (let i = 0; i < result.data.length; i++) {
    const before = Math.floor(i / (stride * places.length));
    const place = places[Math.floor(i / stride) % places.length];
    result.data[i] = tensor.data[(before * tensor.shape[axis] + place) * stride + (i % stride)];
  }
  return result;
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
