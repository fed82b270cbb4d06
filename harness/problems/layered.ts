import { createRandom, type Random, type Tensor } from '../../scratch/index';
import { roundProblem, type ByLayer, type LayeredProblem, type Model } from '../base/problem';
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
