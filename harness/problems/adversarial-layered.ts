import {
  createRandom,
  type LayerConfig,
  type Random,
  type RecurrentConfig,
  type Tensor,
} from '../../scratch/index';
import { parseLayers } from '../base/layers-text';
import { layerNames, partsOfLayers, unitsOf, type LayerName, type LayerParts } from '../base/model';
import { UsageError } from '../base/outcome';
import { mapParts, roundProblem, type CellText, type LayeredProblem, type Model } from '../base/problem';
import { paddingOrHoles, shapeOf, sizeTo } from './adversarial';
import { distort, problemKinds, type ProblemKind, type ProblemTensors } from './distort';
import { makeLayeredProblem, modelOfCell, modelOfLayers } from './layered';

/** Networks of layers that the problems of a series are about: plain data, so that it can be saved. */
export type LayeredNetworks = {
  /** networks and sizes are drawn from so many shapes (`shapeOf`) */ readonly shapes?: number;
} & (
  | /**
     * as `--layers`: one network, its sizes drawn anew for every problem where they are `*`; `any`: every kind of network;
     * `any(lstm,dense)`: networks of these layers
     */
    { readonly layers: string }
    /** a user's own cell */
  | { readonly cell: CellText }
);

/** What the problems of a series are about; shapes alone are those of the simple RNN. */
export type Networks = LayeredNetworks | { readonly shapes: number };

export function isOfLayers(networks: Networks): networks is LayeredNetworks {
  return 'layers' in networks || 'cell' in networks;
}

const largest = { batch: 6, timeSteps: 60, features: 16, units: 32, classes: 8, integers: 12 };

/** Where there are few shapes a graphics card computes, which takes a millisecond for each operation of each time step. */
const mostStepsOfShapes = 12;

/** Multiplications of a forward pass, about: larger problems get fewer examples. */
const mostWork = 400_000;

const scales = [0.01, 0.3, 1, 1, 1, 3];

/**
 * Problem number `index` about such networks, of the series that `seed` names: the same on every machine, exact in single precision.
 * Half of the problems are Gaussian, half of the other kinds (`distort`).
 *
 * @throws UsageError when the layers cannot be read, or make no network
 */
export function adversarialLayered(
  seed: number,
  index: number,
  networks: LayeredNetworks,
): LayeredProblem & { readonly kind: ProblemKind } {
  const random = createRandom((seed * 1_000_003 + index) % 2 ** 52);
  const pick = <T>(from: readonly T[]): T => from[random.integer(from.length)];
  const kind = random.uniform() < 0.5 ? 'gaussian' : pick(problemKinds);
  const { shapes } = networks;
  const sizes = shapes === undefined ? random : shapeOf(index, shapes);
  const model = drawModel(sizes, networks);
  const timeSteps = sizeTo(sizes, shapes === undefined ? largest.timeSteps : mostStepsOfShapes);
  const most = Math.max(1, Math.floor(mostWork / (timeSteps * workOfStep(model))));
  const batch = sizeTo(sizes, Math.min(largest.batch, most));
  const isUpstream = random.uniform() < 0.4;
  const isForwardOnly = random.uniform() < 0.05;
  const scale = pick(scales);
  const made = makeLayeredProblem({
    id: `generated-${seed}-${index}-${kind}`,
    seed: random.integer(2 ** 31),
    model,
    batch,
    timeSteps,
    scale,
    initialStates: random.uniform() < 0.6,
    upstream: isUpstream && !isForwardOnly,
    loss: !isForwardOnly && (!isUpstream || random.uniform() < 0.5),
  });
  const isMasked = random.uniform() < 0.35;
  const problem = thinned(
    random,
    isMasked ? { ...made, mask: someSteps(paddingOrHoles(random, batch, timeSteps)) } : made,
  );
  const own = mapParts(problem, ({ data, shape }) => ({ data: data.slice(), shape }));
  // as large as the numbers that a sum of n terms has without a division by the square root of n
  if (random.uniform() < 0.25) stretch(tensorsIn(own));
  distort(kind, random, scale, tensorsIn(own));
  return {
    ...roundProblem(mapParts(own, (tensor, name) => (name === 'inputs' ? integers(own, tensor) : tensor))),
    kind,
  };
}

/** The mask with at least one step that counts: a loss is a mean over the steps, and needs one. */
function someSteps(mask: Tensor): Tensor {
  if (!mask.data.includes(1)) mask.data[0] = 1;
  return mask;
}

/** With maskZero an integer 0 masks its step: at least one integer is not 0, so that one step counts. */
function integers({ model, mask }: LayeredProblem, inputs: Tensor): Tensor {
  const [first] = model.layers;
  if (first.layer !== 'embedding' || first.maskZero !== true) return inputs;
  const at = Math.max(0, mask?.data.indexOf(1) ?? 0);
  return inputs.data[at] === 0 ? { ...inputs, data: inputs.data.with(at, 1) } : inputs;
}

/** Leaves out some of the gradients that arrive from elsewhere. */
function thinned(random: Random, problem: LayeredProblem): LayeredProblem {
  const { upstream } = problem;
  if (upstream === undefined || random.uniform() < 0.4) return problem;
  const names = Object.keys(upstream) as (keyof typeof upstream)[];
  const kept = names.filter(() => random.uniform() < 0.6);
  const some = kept.length > 0 ? kept : names.slice(0, 1);
  return { ...problem, upstream: Object.fromEntries(some.map((name) => [name, upstream[name]])) };
}

function workOfStep(model: Model): number {
  return partsOfLayers(model).reduce(
    (sum, { weights }) =>
      sum +
      Object.values(weights).reduce(
        (n, axes) => n + axes.reduce((product, { size }) => product * size, 1),
        0,
      ),
    0,
  );
}

function stretch({ kernels, recurrentKernels }: ProblemTensors): void {
  for (const { data, shape } of [...kernels, ...recurrentKernels])
    data.forEach((x, i) => (data[i] = x * Math.sqrt(shape[0])));
}

/** The tensors of a problem by what they do. */
function tensorsIn({ model, inputs, weights }: LayeredProblem): ProblemTensors {
  const layers = partsOfLayers(model);
  const tensors = {
    inputs: inputs.shape.length === 3 ? [inputs] : [],
    kernels: [] as Tensor[],
    recurrentKernels: [] as Tensor[],
    biases: [] as Tensor[],
    outputKernels: [] as Tensor[],
    outputBiases: [] as Tensor[],
  };
  layers.forEach((layer, i) => {
    const isHead = i === layers.length - 1 && layer.outputs.length === 0;
    for (const [name, tensor] of Object.entries(weights[i])) {
      const role = roleOf(layer, name);
      if (role === 'biases') (isHead ? tensors.outputBiases : tensors.biases).push(tensor);
      else if (role === 'recurrentKernels') tensors.recurrentKernels.push(tensor);
      else (isHead ? tensors.outputKernels : tensors.kernels).push(tensor);
    }
  });
  return tensors;
}

function roleOf({ name, weights }: LayerParts, weight: string): 'kernels' | 'recurrentKernels' | 'biases' {
  const [rows, columns] = weights[weight];
  if (weights[weight].length === 1 || rows.counts === 'bias') return 'biases';
  const isSquare = rows.ranges?.join() === name && columns.size % rows.size === 0;
  return isSquare ? 'recurrentKernels' : 'kernels';
}

function drawModel(random: Random, networks: LayeredNetworks): Model {
  const features = sizeTo(random, largest.features);
  if ('cell' in networks) return { ...modelOfCell(networks.cell, sizeTo(random, 8)), features };
  const { layers: text } = networks;
  const any = /^any(?:\((.*)\))?$/.exec(text.trim());
  if (any !== null) return drawAny(random, allowed(any.at(1)), features);
  const layers = parseLayers(text, '--layers', (name) => drawSize(random, name));
  const model = modelOfLayers(layers, '--layers');
  return layers[0].layer === 'embedding' ? model : { ...model, features };
}

function drawSize(random: Random, name: string): number {
  return name === 'inputDim' ? sizeTo(random, largest.integers, 2) : sizeTo(random, largest.units);
}

function allowed(list: string | undefined): readonly LayerName[] {
  if (list === undefined) return layerNames;
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !(layerNames as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new UsageError(
      `--layers: any(${list}) holds ${unknown.map((name) => JSON.stringify(name)).join(', ')}; networks can be drawn from ${layerNames.join(', ')}, for example any(lstm,dense).`,
    );
  if (!names.some((name) => ['simpleRNN', 'lstm', 'gru', 'dense'].includes(name)))
    throw new UsageError(
      `--layers: any(${list}) holds no layer that computes by itself; add simpleRNN, lstm, gru or dense.`,
    );
  return names as LayerName[];
}

const activations = ['relu', 'sigmoid', 'linear', 'hardSigmoid', 'hardSigmoidKeras3'] as const;

/** A network of some of these layers: up to three recurrent ones, in both directions here and there, and what may stand around them. */
function drawAny(random: Random, names: readonly LayerName[], features: number): Model {
  const chance = (share: number): boolean => random.uniform() < share;
  const has = (name: LayerName): boolean => names.includes(name);
  const pick = <T>(from: readonly T[]): T => from[random.integer(from.length)];
  const activation = () => (chance(0.8) ? {} : { activation: pick(activations) });
  const cells = (['simpleRNN', 'lstm', 'gru'] as const).filter(has);
  const layers: LayerConfig[] = [];
  const units = (): number => drawSize(random, 'units');
  if (has('embedding') && chance(0.15))
    layers.push({
      layer: 'embedding',
      inputDim: drawSize(random, 'inputDim'),
      outputDim: sizeTo(random, largest.features),
      ...(chance(0.5) && { maskZero: true }),
    });
  else if (has('dense') && (cells.length === 0 || chance(0.1)))
    layers.push({ layer: 'dense', units: units(), ...activation() });
  const count = cells.length === 0 ? 0 : chance(0.6) ? 1 : chance(0.75) ? 2 : 3;
  // the order in which the outputs come, where a layer goes backwards
  let isFlipped = false;
  for (let i = 0; i < count; i++) {
    const wrapped = drawCell(random, pick(cells));
    const inBoth = has('bidirectional') && chance(0.25);
    const goBackwards = !inBoth && chance(0.1);
    isFlipped = isFlipped !== goBackwards;
    const returnSequences = i < count - 1 || (!isFlipped && chance(0.4));
    const layer = {
      ...wrapped,
      ...(returnSequences && { returnSequences }),
      ...(goBackwards && { goBackwards }),
    };
    layers.push(
      inBoth
        ? {
            layer: 'bidirectional',
            wrapped: layer,
            mergeMode: pick(['concat', 'sum', 'mul', 'ave'] as const),
          }
        : layer,
    );
  }
  const { hasTime } = partsOfLayers({ layers, features }).at(-1)?.output ?? { hasTime: true };
  const classes = { layer: 'dense', units: sizeTo(random, largest.classes, 2), ...activation() } as const;
  if (hasTime && has('timeDistributed') && chance(0.4))
    layers.push({ layer: 'timeDistributed', wrapped: classes });
  else if (has('dense') && (layers.length === 0 || chance(0.7))) layers.push(classes);
  return {
    layers,
    loss: pick(lossesFor(layers)),
    ...(layers[0].layer !== 'embedding' && { features }),
  };
}

function lossesFor(layers: readonly LayerConfig[]): readonly NonNullable<Model['loss']>[] {
  const others = ['sigmoidCrossEntropy', 'meanSquaredError'] as const;
  const isSoftmax = unitsOf(layers[layers.length - 1]) > 1;
  return isSoftmax ? ['softmaxCrossEntropy', 'softmaxCrossEntropy', ...others] : others;
}

function drawCell(random: Random, layer: RecurrentConfig['layer']): RecurrentConfig {
  const chance = (share: number): boolean => random.uniform() < share;
  const options = {
    units: drawSize(random, 'units'),
    ...(chance(0.15) && { activation: activations[random.integer(activations.length)] }),
    ...(chance(0.1) && { useBias: false }),
  };
  const recurrentActivation = chance(0.8) ? {} : { recurrentActivation: 'hardSigmoid' as const };
  if (layer === 'simpleRNN') return { layer, ...options };
  if (layer === 'lstm') return { layer, ...options, ...recurrentActivation };
  const resetAfter = chance(0.5);
  return {
    layer,
    ...options,
    ...recurrentActivation,
    ...(!resetAfter && { resetAfter }),
    ...(resetAfter && chance(0.3) && { biases: 1 as const }),
  };
}
