import {
  createOptimizer,
  createRandom,
  ScratchNetwork,
  StackPlan,
  zeros,
  type LayerConfig,
  type NetworkConfig,
  type StackWeights,
  type Tensor,
} from '../../scratch/index';
import { UsageError } from '../base/outcome';
import { partsOfLayers, type Axis } from '../base/model';
import type { LayeredProblem } from '../base/problem';
import { mapRecord } from '../base/process/index';
import { allowedOf, type PrecisionModel, type Spread } from '../budget/index';
import type { GradientBudget } from '../judge/index';
import { namedWeights, networkOf, type ModelDescription, type ModelNetwork } from '../models/index';
import { spreadOf } from './doubtful';
import { judgeShown } from './judge';
import { judgeGradients, upstreamOf } from './judge-gradients';
import { maskOfValue } from './masks';
import { runReference, runReferenceBack, type ModelInputs } from './reference';
import { targetsOf, type TrainingAnswer, type TrainingQuestion, type TrainingStart } from './sides/side';

/** What training steps are taken on: the same batch in every step, from other weights. */
export interface TrainingBatch {
  /** what the loss is, where a reader would expect another one */ readonly note?: string;
  /** at the start, of the layers that have some */ readonly weights: StackWeights;
  question(from: TrainingStart & { readonly weights: StackWeights }): TrainingQuestion;
  /** of the reference in float64, at these weights */
  gradients(weights: StackWeights): { readonly loss?: number; readonly weights: StackWeights };
  /** what rounding may do to the gradients at these weights; absent: what is derived of the problem */
  budget?(weights: StackWeights, precision: PrecisionModel): GradientBudget;
}

/**
 * One chain of layers is trained by the loss that its end asks for: every side has that. What is no chain (several inputs or outputs,
 * states passed on, other layers in between) is trained by Σ output · r, as its gradients are compared.
 *
 * @throws UsageError that says what of the model cannot be trained
 */
export function batchOf(model: ModelDescription, inputs: ModelInputs, seed: number): TrainingBatch {
  const normalized = model.layers.find(({ config }) => config.layer === 'batchNormalization');
  if (normalized !== undefined)
    throw new UsageError(
      `Training steps (--train-steps): layer ${normalized.name} (${normalized.kind}) normalizes by the means of the batch while it trains, and is compared when predicting only; check this model without training steps.`,
    );
  const network = chainOf(model);
  return network === undefined
    ? modelBatch(model, inputs, seed)
    : chainBatch(network, inputs[model.inputs[0].name], seed);
}

/** The model as a network; undefined where it is none, or one whose error budget has the steps in another order. */
function chainOf(model: ModelDescription): ModelNetwork | undefined {
  const turns = model.layers.some(
    ({ config }) => 'goBackwards' in config && config.goBackwards && config.returnSequences === true,
  );
  if (turns) return undefined;
  try {
    return networkOf(model, 'Training steps (--train-steps)');
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

function chainBatch(
  { config, weights, maskValue }: ModelNetwork,
  inputs: Tensor,
  seed: number,
): TrainingBatch {
  const mask = maskValue === undefined ? undefined : maskOfValue(inputs, maskValue);
  const problem = { model: config, inputs, ...(mask && { mask }), ...goalOf(config, inputs, seed) };
  const problemAt = (own: StackWeights, step = 0): LayeredProblem => ({
    ...problem,
    id: `training step ${step + 1}`,
    weights: own,
  });
  return {
    weights,
    question: ({ weights: own, ...from }) => ({
      ...from,
      ...(maskValue !== undefined && { maskValue }),
      problem: problemAt(own, from.step),
    }),
    gradients(own) {
      const network = new ScratchNetwork({ ...config, weights: own });
      const targets = targetsOf(problemAt(own));
      try {
        const { loss, gradients } = network.lossAndGradients(inputs, targets, { ...(mask && { mask }) });
        return { loss, weights: gradients.weights };
      } catch (error) {
        // inputs that have no loss: all their steps are masked
        if (!(error instanceof RangeError)) throw error;
        const what = error.message.replace(/^lossAndGradients: /, '');
        throw new UsageError(`Training steps (--train-steps): ${what}`, { cause: error });
      }
    },
  };
}

function modelBatch(model: ModelDescription, inputs: ModelInputs, seed: number): TrainingBatch {
  const own = model.layers.filter(({ weights }) => Object.keys(weights).length > 0);
  if (own.length === 0)
    throw new UsageError(
      'Training steps (--train-steps): no layer of this model has weights; leave them out.',
    );
  const at = (weights: StackWeights): ModelDescription => ({
    ...model,
    layers: model.layers.map((layer) => {
      const i = own.indexOf(layer);
      return i < 0 ? layer : { ...layer, weights: weights[i] };
    }),
  });
  const upstream = upstreamOf(model, runReference(model, inputs), seed);
  return {
    note: 'this model is no chain of layers that ends in a loss: its training steps make Σ output · r smaller, with the numbers r of its gradients',
    weights: own.map(({ weights }) => weights),
    question: ({ weights, ...from }) => ({ ...from, model: at(weights), inputs, upstream }),
    gradients(weights) {
      const there = at(weights);
      const found = runReferenceBack(there, runReference(there, inputs), upstream);
      return {
        weights: mapWeights(weights, ({ shape }, key, i) => found.get(own[i].name)?.[key] ?? zeros(...shape)),
      };
    },
    budget(weights, precision) {
      const there = at(weights);
      const { questions } = judgeShown(there, inputs, new Map(), precision);
      const { weights: expected } = judgeGradients(there, questions, upstream, precision);
      const known = new Map<string, { readonly spread: Spread; readonly axes: readonly Axis[] }>(
        own.flatMap(({ name: layer, config }, i) => {
          const [{ weights: axes }] = partsOfLayers({ layers: [config as LayerConfig] });
          return Object.entries(expected.get(layer) ?? {}).map(
            ([key, gradient]) =>
              [
                `gradients.weights.layer${i + 1}.${key}`,
                { spread: spreadOf(gradient), axes: axes[key] },
              ] as const,
          );
        }),
      );
      const of = (name: string) => {
        const found = known.get(name);
        if (found === undefined) throw new Error(`training steps: there is no ${name}`);
        return found;
      };
      return {
        model: precision,
        spread: (name) => of(name).spread,
        allowed: (name, inflated) => allowedOf(of(name).spread, inflated),
        axes: (name) => of(name).axes,
      };
    },
  };
}

/** The same weights with other numbers, by their names and the number of their layer. */
export const mapWeights = (
  weights: StackWeights,
  change: (tensor: Tensor, key: string, layer: number) => Tensor,
): StackWeights =>
  weights.map((layer, i) =>
    Object.fromEntries(Object.entries(layer).map(([key, tensor]) => [key, change(tensor, key, i)])),
  );

/** One update by the rule of scratch/, from the gradients of the reference. */
export function updated(
  { loss, weights: gradients }: ReturnType<TrainingBatch['gradients']>,
  { weights, optimizer, step, slots }: TrainingStart & { readonly weights: StackWeights },
): TrainingAnswer {
  const flat = (tensors: StackWeights): Float64Array[] => namedWeights(tensors).map(([, { data }]) => data);
  const nested = (arrays: readonly Float64Array[]): StackWeights => {
    let at = 0;
    return mapWeights(weights, ({ shape }) => ({ data: arrays[at++], shape }));
  };
  const rule = createOptimizer(optimizer, { step, slots: mapRecord(slots, flat) });
  const after = flat(weights).map((data) => data.slice());
  rule.update(after, flat(mapWeights(weights, (_, key, i) => gradients[i][key])));
  return { loss, weights: nested(after), slots: mapRecord(rule.slots, nested) };
}

/** Labels or targets of the loss that the end of the model asks for. */
function goalOf(
  config: NetworkConfig,
  inputs: Tensor,
  seed: number,
): Pick<LayeredProblem, 'labels' | 'targets'> {
  const random = createRandom(seed);
  const [batch, timeSteps] = inputs.shape;
  const shape = new StackPlan(config).outputShape({ batch, timeSteps });
  const width = shape[shape.length - 1];
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  if (config.loss === 'softmaxCrossEntropy')
    return { labels: Array.from({ length: rows }, () => random.integer(width)) };
  const one = (): number =>
    config.loss === 'sigmoidCrossEntropy' ? random.integer(2) : Math.fround(2 * random.uniform() - 1);
  return { targets: { data: Float64Array.from({ length: rows * width }, one), shape } };
}
