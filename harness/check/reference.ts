import { ScratchNetwork, type ActivationName, type Tensor } from '../../scratch/index';
import { UsageError } from '../base/outcome';
import type { ModelDescription, ModelLayer, Source } from '../models/index';
import { byModel } from '../sides/index';
import { askedOf, isWeighted, runOf, sentOf, type WeightedLayer } from './layer-problem';
import { maskAfter, masked } from './masks';
import { placesOf, sentTo, taken } from './places';
import {
  Arrivals,
  questionFrom,
  startRuns,
  type Arriving,
  type LayerQuestion,
  type LayerRun,
  type Runs,
  type Sent,
} from './walk';

/** By the names of inputs: [B, T, F], [B, F], or integers [B, T]. */
export type ModelInputs = Readonly<Record<string, Tensor>>;

type LayerInModel = Pick<ModelLayer, 'config' | 'weights' | 'maskedRows'>;

/**
 * Runs a model in float64: every layer with weights as a network of scratch/, and what stands between them by its formula. Masks go from
 * layer to layer as Keras passes them on.
 *
 * @returns by layer, in the order of the computation; the inputs are there too
 */
export function runReference(model: ModelDescription, inputs: ModelInputs): Runs {
  const runs = startRuns(model, (name) => inputs[name]);
  for (const layer of model.layers) {
    const run = runLayer(layer, questionFrom(runs, layer));
    checkSize(layer, run);
    runs.set(layer.name, run);
  }
  return runs;
}

/** Numbers that float32 does not hold are infinite on every side, and show nothing. */
function checkSize({ name, kind }: ModelLayer, { output, states }: LayerRun): void {
  for (const { data } of [output, ...states]) {
    const at = data.findIndex((x) => !Number.isFinite(Math.fround(x)));
    if (at >= 0)
      throw new UsageError(
        `layer ${name} (${kind}) gives ${data[at]} with these inputs, and float32 holds numbers up to 3.4e38; give smaller or shorter inputs, or check what comes before it with --until ${name}.`,
      );
  }
}

/** Gradients of every weight, by layer, of Σ output · gradient over these gradients, in float64. */
export function runReferenceBack(
  { layers }: Pick<ModelDescription, 'layers'>,
  runs: Runs,
  upstream: readonly (Source & { readonly gradient: Tensor })[],
): ReadonlyMap<string, Sent['weights']> {
  const arrivals = new Arrivals<Tensor>(upstream, (before, one) =>
    before === undefined ? one : { ...one, data: one.data.map((x, i) => x + before.data[i]) },
  );
  const weights = new Map<string, Sent['weights']>();
  for (const [layer, arriving] of arrivals.through(layers)) {
    const sent = runLayerBack(layer, questionFrom(runs, layer), arriving);
    weights.set(layer.name, sent.weights);
    arrivals.sendFrom(layer, sent);
  }
  return weights;
}

const scratch = byModel((options) => new ScratchNetwork(options));

/** One layer in float64. */
export function runLayer(layer: LayerInModel, question: LayerQuestion): LayerRun {
  if (isWeighted(layer)) return runOf(layer, question, scratch.evaluate(askedOf(layer, question)));
  const { config } = layer;
  const { input: x } = question;
  const mask = maskAfter(config, question);
  const only = (output: Tensor): LayerRun => ({ output, states: [], mask });
  const places = placesOf(config, x.shape);
  if (places !== undefined) {
    const output = taken(x.data, places);
    return only(config.layer === 'masking' ? masked(output, mask!) : output);
  }
  if (config.layer === 'batchNormalization') {
    const { width, mean, root, gamma, beta } = normalizationOf(layer);
    const data = x.data.map((value, i) => {
      const n = i % width;
      return ((value - mean[n]) / root[n]) * gamma[n] + beta[n];
    });
    return only({ shape: x.shape, data });
  }
  if (config.layer === 'activation' && config.activation !== 'softmax') {
    const { output } = runLayer(activationAlone(config.activation), aloneOf(x));
    return only({ shape: x.shape, data: output.data });
  }
  return only({ shape: x.shape, data: softmaxOf(x) });
}

/** One layer backward in float64, from the gradients that arrive at it. */
export function runLayerBack(layer: LayerInModel, question: LayerQuestion, arriving: Arriving): Sent {
  if (isWeighted(layer)) {
    const asked = askedOf(layer, question, arriving);
    return sentOf(layer, question, scratch.evaluate(asked));
  }
  const { config } = layer;
  const { input: x } = question;
  const dy = arriving.output!;
  const only = (input: Tensor, weights: Sent['weights'] = {}): Sent => ({ input, states: [], weights });
  const places = placesOf(config, x.shape);
  if (places !== undefined) {
    const { data } = config.layer === 'masking' ? masked(dy, maskAfter(config, question)!) : dy;
    return only(sentTo(data, places, x));
  }
  if (config.layer === 'batchNormalization') {
    const { width, mean, root, gamma } = normalizationOf(layer);
    const [dGamma, dBeta] = [new Float64Array(width), new Float64Array(width)];
    const data = dy.data.map((d, i) => {
      const n = i % width;
      dGamma[n] += (d * (x.data[i] - mean[n])) / root[n];
      dBeta[n] += d;
      return (d / root[n]) * gamma[n];
    });
    const all = { gamma: { data: dGamma, shape: [width] }, beta: { data: dBeta, shape: [width] } };
    const trained = Object.entries(all).filter(([name]) => name in layer.weights);
    return only({ data, shape: x.shape }, Object.fromEntries(trained));
  }
  if (config.layer === 'activation' && config.activation !== 'softmax') {
    const output = { data: dy.data, shape: [dy.data.length, 1] };
    const sent = runLayerBack(activationAlone(config.activation), aloneOf(x), { output, states: [] });
    return only({ data: sent.input!.data, shape: x.shape });
  }
  // dx_i = p_i (dy_i - Σ_j p_j dy_j)
  const p = softmaxOf(x);
  const width = x.shape[x.shape.length - 1];
  const data = new Float64Array(dy.data.length);
  for (let from = 0; from < data.length; from += width) {
    let mean = 0;
    for (let i = from; i < from + width; i++) mean += p[i] * dy.data[i];
    for (let i = from; i < from + width; i++) data[i] = p[i] * (dy.data[i] - mean);
  }
  return only({ data, shape: x.shape });
}

/** An activation by itself is that of a dense layer of one unit that changes nothing, every number an example. */
export const activationAlone = (activation: ActivationName): WeightedLayer => ({
  config: { layer: 'dense', units: 1, activation, useBias: false },
  weights: { kernel: { data: Float64Array.of(1), shape: [1, 1] } },
});

const aloneOf = ({ data }: Tensor): LayerQuestion => ({
  input: { data, shape: [data.length, 1] },
  mask: undefined,
  initialStates: [],
});

/** A batch normalization by feature: y = gamma (x - mean) / root + beta, root = sqrt(variance + epsilon). */
export function normalizationOf({ config, weights }: LayerInModel) {
  const { gamma, beta, movingMean, movingVariance } = weights as Readonly<Partial<LayerInModel['weights']>>;
  const epsilon = config.layer === 'batchNormalization' ? config.epsilon : 0;
  const mean = movingMean!.data;
  const of = (tensor: Tensor | undefined, preset: number): Float64Array =>
    tensor?.data ?? new Float64Array(mean.length).fill(preset);
  return {
    ...{ width: mean.length, mean, gamma: of(gamma, 1), beta: of(beta, 0) },
    root: movingVariance!.data.map((variance) => Math.sqrt(variance + epsilon)),
  };
}

/** exp(x - max) / Σ exp(x - max), by row */
function softmaxOf({ data, shape }: Tensor): Float64Array {
  const width = shape[shape.length - 1];
  const out = new Float64Array(data.length);
  for (let from = 0; from < data.length; from += width) {
    const row = data.subarray(from, from + width);
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = row.map((z) => Math.exp(z - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    out.set(
      powers.map((p) => p / sum),
      from,
    );
  }
  return out;
}
