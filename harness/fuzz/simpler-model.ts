import { zeros, type Tensor } from '../../scratch/index';
import { layeredTables, type LayeredTables } from '../base/layered';
import { directions, nameIn, type ModelLayer } from '../base/model';
import {
  isLayered,
  layeredProblem,
  partOf,
  type AnyProblem,
  type LayeredProblem,
  type Model,
} from '../base/problem';
import { fill } from '../problems/index';
import type { Move } from './simpler-values';

/** A simpler network: without one of its layers, in one direction only, or with an option as it is by default. */
export function modelMoves(problem: AnyProblem): Move[] {
  if (!isLayered(problem)) return [];
  const { model } = problem;
  const { layers } = model;
  const replaced = (i: number, layer: ModelLayer): Model => ({ ...model, layers: layers.with(i, layer) });
  // without labels and targets no loss is computed, and the mean squared error fits outputs of one unit too
  const { labels, targets } = problem;
  const isIdle = labels === undefined && targets === undefined && model.loss !== 'meanSquaredError';
  return [
    ...(isIdle ? [() => ({ ...problem, model: { ...model, loss: 'meanSquaredError' as const } })] : []),
    ...(layers.length === 1 ? [] : layers.map((_, i) => () => withoutLayer(problem, i))),
    ...layers.flatMap((layer, i) =>
      simplerLayers(layer).map((simpler) => () => refit(problem, replaced(i, simpler))),
    ),
  ];
}

/** Options that change no shape except that of the layer's output. */
const options = [
  'returnSequences',
  'goBackwards',
  'activation',
  'recurrentActivation',
  'mergeMode',
  'maskZero',
];

function simplerLayers(layer: ModelLayer): ModelLayer[] {
  if (layer.layer === 'timeDistributed') return [layer.wrapped];
  const without = Object.keys(layer)
    .filter((name) => options.includes(name))
    .map(
      (name) =>
        Object.fromEntries(Object.entries(layer).filter(([own]) => own !== name)) as unknown as ModelLayer,
    );
  if (layer.layer !== 'bidirectional') return without;
  return [
    layer.wrapped,
    ...without,
    ...simplerLayers(layer.wrapped).map((wrapped) => ({ ...layer, wrapped }) as ModelLayer),
  ];
}

/** Without one layer: the first that is left reads the features of the problem. */
function withoutLayer(problem: LayeredProblem, left: number): LayeredProblem | undefined {
  const { features = 1, ...model } = problem.model;
  const layers = model.layers.toSpliced(left, 1);
  const isEmbedded = layers[0].layer === 'embedding';
  return refit(problem, { ...model, layers, ...(!isEmbedded && { features }) }, (i) =>
    i < left ? i : i + 1,
  );
}

/**
 * The problem about another network. Every tensor that the network needs is the one of the same name, cut, or repeated where it is too
 * small; an axis of time is added or left out.
 *
 * @param before which layer of the old network a layer of the new one was
 * @returns undefined where the new network has a tensor that the old one did not have
 */
function refit(
  problem: LayeredProblem,
  model: Model,
  before: (i: number) => number = (i) => i,
): LayeredProblem | undefined {
  const { inputs } = problem;
  const [batch, timeSteps] = inputs.shape;
  const isEmbedded = model.layers[0].layer === 'embedding';
  const shape = isEmbedded ? [batch, timeSteps] : [batch, timeSteps, model.features ?? 1];
  const given = { ...problem, model, inputs: resized(inputs, shape) ?? zeros(...shape) };
  const tables = layeredTables(given);
  const found = new Map([['inputs', given.inputs]]);
  for (const [name, axes] of tables.parts) {
    if (name === 'inputs') continue;
    const old = partOf(problem, nameBefore(name, tables, before, problem.model));
    if (old === undefined && name.startsWith('weights.')) return undefined;
    // the gradients that arrive at the last layer are those of the logits
    const isLast = name.includes(`.layer${model.layers.length}.`);
    if (old === undefined || (isLast && name.startsWith('upstream.'))) continue;
    const tensor = resized(
      old,
      axes.map(({ size }) => size),
    );
    if (tensor === undefined) return undefined;
    found.set(name, tensor);
  }
  const labels = labelsFor(problem, tables);
  return layeredProblem({ id: problem.id, model, ...(labels && { labels }) }, found);
}

/** The dotted name of a tensor in the problem about the old network. */
function nameBefore(
  name: string,
  { layers }: LayeredTables,
  before: (i: number) => number,
  model: Model,
): string {
  const found = /^(.*)\.layer(\d+)\.(\w+)$/.exec(name);
  if (found === null) return name;
  const [, where, number, own] = found;
  const old = before(Number(number) - 1);
  const isBoth = model.layers[old].layer === 'bidirectional';
  const isOne = layers[Number(number) - 1].outputs.length < 2;
  return `${where}.layer${old + 1}.${isBoth && isOne ? nameIn(directions[0], own) : own}`;
}

/** A tensor in another shape: cut or repeated along its axes; the second axis, of time, may be new (repeated) or gone (its last step). */
function resized(tensor: Tensor, shape: readonly number[]): Tensor | undefined {
  const extra = shape.length - tensor.shape.length;
  if (Math.abs(extra) > 1 || tensor.data.length === 0) return undefined;
  const at = (position: readonly number[]): readonly number[] => {
    const [example, ...rest] = position;
    if (extra === 0) return position;
    return extra > 0 ? [example, ...rest.slice(1)] : [example, tensor.shape[1] - 1, ...rest];
  };
  return fill(shape, (...position) => {
    const old = at(position);
    return tensor.data[tensor.shape.reduce((index, size, axis) => index * size + (old[axis] % size), 0)];
  });
}

function labelsFor({ labels, inputs }: LayeredProblem, { layers }: LayeredTables): number[] | undefined {
  if (labels === undefined) return undefined;
  const [batch, timeSteps] = inputs.shape;
  const { width, hasTime } = layers[layers.length - 1].output;
  const all = {
    data: Float64Array.from(labels),
    shape: labels.length > batch ? [batch, timeSteps] : [batch],
  };
  const refitted = resized(all, hasTime ? [batch, timeSteps] : [batch]);
  return refitted && Array.from(refitted.data, (label) => label % width);
}
