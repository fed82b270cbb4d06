import {
  createRandom,
  ScratchNetwork,
  type LayerConfig,
  type Random,
  type Tensor,
} from '../../scratch/index';
import { UsageError } from '../base/outcome';
import { roundProblem, type ByLayer, type CellText, type LayeredProblem, type Model } from '../base/problem';
import { partsOfLayers, type Axis } from '../base/model';
import { draw } from './generated';

/** What a layered problem is like; every number is drawn from the seed. */
export interface LayeredRecipe {
  readonly id: string;
  readonly seed: number;
  readonly model: Model;
  readonly batch: number;
  readonly timeSteps: number;
  /** 0.1 almost linear, 1 usual, 4 saturating; default 1 */ readonly scale?: number;
  /** labels or targets; default true */ readonly loss?: boolean;
  /** gradients that arrive at logits, final states and sequences; default false */ readonly upstream?: boolean;
  /** default true */ readonly initialStates?: boolean;
  /** default false */ readonly mask?: boolean;
}

/**
 * A problem without symmetries about any network of layers: every number random, so that a transpose, two gates exchanged, a shifted step
 * or a lost carry cannot hide. All numbers are exact in float32.
 */
export function makeLayeredProblem(recipe: LayeredRecipe): LayeredProblem {
  const { id, model, batch, timeSteps, scale = 1 } = recipe;
  const random = createRandom(recipe.seed);
  const normal = (deviation: number, ...shape: number[]): Tensor =>
    draw(shape, () => deviation * random.normal());
  const layers = partsOfLayers(model);
  const { width, hasTime } = layers[layers.length - 1].output;
  const outputs = [batch, ...(hasTime ? [timeSteps] : []), width];
  const byLayer = (
    tensorsOf: (layer: (typeof layers)[number], i: number) => readonly (readonly [string, Tensor])[],
  ): ByLayer => layers.map((layer, i) => Object.fromEntries(tensorsOf(layer, i)));
  const statesOf = (layer: (typeof layers)[number], make: (units: number) => Tensor) =>
    Object.entries(layer.states).map(([name, units]) => [name, make(units)] as const);
  const mask = recipe.mask === true ? maskOf(random, batch, timeSteps) : undefined;
  return roundProblem({
    id,
    model,
    inputs: inputsOf(random, model, batch, timeSteps),
    ...(recipe.initialStates !== false && {
      initialStates: byLayer((layer) =>
        statesOf(layer, (units) => draw([batch, units], () => 1.8 * random.uniform() - 0.9)),
      ),
    }),
    ...(mask && { mask }),
    ...(recipe.loss !== false && targetsOf(random, model, outputs)),
    ...(recipe.upstream === true && {
      upstream: {
        // not at the final state of the last layer: where it is the output, the logits' gradient arrives there already
        logits: normal(1, ...outputs),
        finalStates: byLayer((layer, i) =>
          i < layers.length - 1 ? statesOf(layer, (units) => normal(1, batch, units)) : [],
        ),
        sequences: byLayer(({ outputs: names, states }, i) =>
          i < layers.length - 1 ? names.map((name) => [name, normal(1, batch, timeSteps, states[name])]) : [],
        ),
      },
    }),
    weights: byLayer(({ weights }) =>
      Object.entries(weights).map(([name, axes]) => {
        const shape = axes.map(({ size }) => size);
        return [name, normal(deviationOf(axes, scale), ...shape)];
      }),
    ),
  });
}

/** Of a weight: sums of n terms keep the size of one; a vector is half as large. */
function deviationOf(axes: readonly Axis[], scale: number): number {
  const [rows] = axes;
  const isVector = axes.length === 1 || rows.counts === 'bias';
  if (isVector) return Math.min(scale, 1) / 2;
  if (rows.counts === 'integer') return 1;
  // h_(t-1) comes round again at every step: it must neither die nor explode
  const most = rows.counts === 'fromUnit' && axes[1].size >= rows.size ? Math.min(scale, 1) : scale;
  return most / Math.sqrt(rows.size);
}

function inputsOf(random: Random, model: Model, batch: number, timeSteps: number): Tensor {
  const [first] = model.layers;
  return first.layer === 'embedding'
    ? draw([batch, timeSteps], () => random.integer(first.inputDim))
    : draw([batch, timeSteps, model.features ?? 1], () => random.normal());
}

/** Ones for 7 steps of 10, at least one for every example. */
function maskOf(random: Random, batch: number, timeSteps: number): Tensor {
  const mask = draw([batch, timeSteps], () => (random.uniform() < 0.7 ? 1 : 0));
  for (let b = 0; b < batch; b++) mask.data[b * timeSteps + random.integer(timeSteps)] = 1;
  return mask;
}

function targetsOf(
  random: Random,
  { loss = 'softmaxCrossEntropy' }: Model,
  outputs: readonly number[],
): Pick<LayeredProblem, 'labels' | 'targets'> {
  const classes = outputs[outputs.length - 1];
  const rows = outputs.slice(0, -1).reduce((product, n) => product * n, 1);
  if (loss === 'softmaxCrossEntropy')
    return { labels: Array.from({ length: rows }, () => random.integer(classes)) };
  const next = loss === 'sigmoidCrossEntropy' ? () => random.uniform() : () => random.normal();
  return { targets: draw(outputs, next) };
}

/**
 * A model of these layers with the loss that its outputs fit: softmax cross-entropy where a dense layer gives two classes or more, else
 * the mean squared error. The number of features changes from problem to problem.
 *
 * @param flag how messages call the layers
 * @throws UsageError when a size or an option of a layer makes no sense
 */
export function modelOfLayers(layers: readonly LayerConfig[], flag: string): Model {
  const last = layers[layers.length - 1];
  const dense = last.layer === 'timeDistributed' ? last.wrapped : last;
  const loss = dense.layer === 'dense' && dense.units > 1 ? 'softmaxCrossEntropy' : 'meanSquaredError';
  const model = { layers, loss } as const;
  try {
    new ScratchNetwork({ ...model, ...(layers[0].layer !== 'embedding' && { features: 1 }) });
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError)
      throw new UsageError(`${flag}: ${error.message.replace(/^\w+: (layers: )?/, '')}`, { cause: error });
    throw error;
  }
  return model;
}

/** A model of one layer of a user's own cell, compared with numbers. */
export function modelOfCell(cell: CellText, units = 4): Model {
  return { layers: [{ layer: 'cell', cell, units }], loss: 'meanSquaredError' };
}

const scales = [1, 0.3, 1, 2.5, 0.1, 1, 4];

/**
 * Problem number `index` about a model, of the series that `seed` names: batch, steps and features change, every fifth has a mask, and
 * gradients arrive from a loss, from elsewhere, or from both.
 *
 * @param model its features are the problem's; where it has none (and no embedding) they change as well
 * @param options labels: false for problems without a loss: gradients arrive from elsewhere in all of them
 */
export function generatedLayered(
  model: Model,
  seed: number,
  index: number,
  { labels = true }: { readonly labels?: boolean | undefined } = {},
): LayeredProblem {
  const own = seed * 100_000 + 70_000 + index;
  const random = createRandom(own);
  const isFixed = model.features !== undefined || model.layers[0].layer === 'embedding';
  return makeLayeredProblem({
    id: `layers/${String(index).padStart(3, '0')}`,
    seed: own,
    model: isFixed ? model : { ...model, features: 1 + random.integer(6) },
    batch: 1 + random.integer(5),
    timeSteps: index % 10 === 9 ? 20 + random.integer(20) : 1 + random.integer(10),
    scale: scales[index % scales.length],
    mask: index % 5 === 4,
    initialStates: index % 4 !== 3,
    upstream: !labels || index % 3 === 2,
    loss: labels && index % 9 !== 8,
  });
}

const dense = { layer: 'dense', units: 3 } as const;

/** The networks of the suite: every cell, layers on layers, both directions, every step. */
const suite: Readonly<Record<string, Model>> = {
  'simple-rnn': { features: 4, layers: [{ layer: 'simpleRNN', units: 5 }, dense] },
  lstm: { features: 4, layers: [{ layer: 'lstm', units: 5 }, dense] },
  gru: { features: 4, layers: [{ layer: 'gru', units: 5, resetAfter: false }, dense] },
  'gru-reset-after': { features: 4, layers: [{ layer: 'gru', units: 5 }, dense] },
  'two-layers': {
    features: 4,
    loss: 'meanSquaredError',
    layers: [
      { layer: 'lstm', units: 5, returnSequences: true },
      { layer: 'gru', units: 6, returnSequences: true },
      { layer: 'timeDistributed', wrapped: { layer: 'dense', units: 2 } },
    ],
  },
  bidirectional: {
    features: 4,
    layers: [
      { layer: 'bidirectional', wrapped: { layer: 'gru', units: 3, returnSequences: true } },
      { layer: 'bidirectional', mergeMode: 'sum', wrapped: { layer: 'lstm', units: 5 } },
      dense,
    ],
  },
};

/** Two problems about each network of the suite: a plain one, and one with masks, initial states and gradients from elsewhere. */
export function layeredSuite(seed: number): LayeredProblem[] {
  return Object.entries(suite).flatMap(([name, model], i) =>
    [false, true].map((isFull) =>
      makeLayeredProblem({
        id: `layers/${name}${isFull ? '-masked' : ''}`,
        seed: seed * 100_000 + 80_000 + 2 * i + Number(isFull),
        model,
        batch: 3,
        timeSteps: 7,
        mask: isFull,
        upstream: isFull,
        initialStates: isFull,
      }),
    ),
  );
}
