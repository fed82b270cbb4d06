import type { LayerConfig, Tensor } from '../../scratch/index';
import type { ModelDescription, ModelLayer, Source } from '../models/index';
import { Arrivals, type ArrivingAt } from './arrivals';
import {
  maskAfter,
  masked,
  readOf,
  runLayer,
  seenMask,
  stackOf,
  tensorOf,
  withMaskedRows,
  type LayerRun,
} from './reference';

/** Loss gradients that a layer sends on. */
export interface SentBack {
  /** absent where the inputs are integers */ readonly input?: Tensor | undefined;
  /** at its initial states, [B, U] each */ readonly states: readonly Tensor[];
  readonly weights: Readonly<Record<string, Tensor>>;
}

/** One layer backward in float64: layers with weights by the backward pass of scratch/, what stands between them by its formula. */
export function runLayerBack(
  layer: ModelLayer,
  before: LayerRun,
  initialStates: readonly Tensor[],
  { output: given, states }: ArrivingAt<Tensor>,
): SentBack {
  const { config, weights, maskedRows = 'state' } = layer;
  const { output: x } = before;
  const width = x.shape[x.shape.length - 1];
  const only = (data: Float64Array, own: SentBack['weights'] = {}): SentBack => ({
    input: { data, shape: x.shape },
    states: [],
    weights: own,
  });
  const dy = given?.data ?? new Float64Array(0);
  switch (config.layer) {
    case 'identity':
    case 'flatten':
      return only(dy);
    case 'masking':
      return only(masked({ data: dy, shape: x.shape }, maskAfter(layer, before)!).data);
    case 'lastStep': {
      const [batch, timeSteps] = x.shape;
      const out = new Float64Array(x.data.length);
      for (let b = 0; b < batch; b++)
        out.set(dy.subarray(b * width, (b + 1) * width), ((b + 1) * timeSteps - 1) * width);
      return only(out);
    }
    case 'repeatVector': {
      const [batch] = x.shape;
      const out = new Float64Array(x.data.length);
      for (let b = 0; b < batch; b++)
        for (let t = 0; t < config.times; t++)
          for (let i = 0; i < width; i++) out[b * width + i] += dy[(b * config.times + t) * width + i];
      return only(out);
    }
    case 'batchNormalization': {
      const { gamma, beta, movingMean, movingVariance } = weights as Readonly<
        Record<string, Tensor | undefined>
      >;
      // y = gamma x̂ + beta, x̂ = (x - mean) / sqrt(variance + epsilon)
      const scale = Float64Array.from(
        { length: width },
        (_, n) => 1 / Math.sqrt((movingVariance?.data[n] ?? 1) + config.epsilon),
      );
      const dGamma = new Float64Array(width);
      const dBeta = new Float64Array(width);
      const dx = dy.map((d, i) => {
        const n = i % width;
        dGamma[n] += d * (x.data[i] - (movingMean?.data[n] ?? 0)) * scale[n];
        dBeta[n] += d;
        return d * scale[n] * (gamma?.data[n] ?? 1);
      });
      return only(dx, {
        ...(gamma && { gamma: { data: dGamma, shape: [width] } }),
        ...(beta && { beta: { data: dBeta, shape: [width] } }),
      });
    }
    case 'activation': {
      if (config.activation !== 'softmax') {
        const dense = { layer: 'dense', units: 1, activation: config.activation, useBias: false } as const;
        const { input } = backInStack(
          dense,
          { kernel: { data: Float64Array.of(1), shape: [1, 1] } },
          { data: x.data, shape: [x.data.length, 1] },
          undefined,
          [],
          { output: { data: dy, shape: [dy.length, 1] }, states: [] },
        );
        return only(input!.data);
      }
      // dx_i = p_i (dy_i - Σ_j p_j dy_j)
      const p = runLayer(layer, before, []).output.data;
      const out = new Float64Array(dy.length);
      for (let from = 0; from < dy.length; from += width) {
        let mean = 0;
        for (let i = from; i < from + width; i++) mean += p[i] * dy[i];
        for (let i = from; i < from + width; i++) out[i] = p[i] * (dy[i] - mean);
      }
      return only(out);
    }
    default: {
      const mask = seenMask(layer, before.mask);
      const output = given && (mask === undefined ? given : withMaskedRows(config, given, mask, maskedRows));
      return backInStack(config, weights, x, mask, initialStates, { ...(output && { output }), states });
    }
  }
}

/** Gradients of every weight, by layer, of Σ output · gradient over these gradients, in float64. */
export function runReferenceBack(
  { layers }: Pick<ModelDescription, 'layers'>,
  runs: ReadonlyMap<string, LayerRun>,
  upstream: readonly (Source & { readonly gradient: Tensor })[],
): ReadonlyMap<string, SentBack['weights']> {
  const arriving = new Arrivals<Tensor>((before, one) =>
    before === undefined ? one : { ...one, data: one.data.map((x, i) => x + before.data[i]) },
  );
  for (const { gradient, ...source } of upstream) arriving.send(source, gradient);
  const weights = new Map<string, SentBack['weights']>();
  for (const layer of layers.toReversed()) {
    const found = arriving.at(layer.name);
    if (found === undefined) continue;
    const states = (layer.initialStates ?? []).map((source) => tensorOf(runs, source));
    const back = runLayerBack(layer, readOf(runs, layer), states, found);
    weights.set(layer.name, back.weights);
    arriving.sendFrom(layer, back);
  }
  return weights;
}

function backInStack(
  config: LayerConfig,
  weights: ModelLayer['weights'],
  x: Tensor,
  mask: Tensor | undefined,
  initialStates: readonly Tensor[],
  { output, states }: ArrivingAt<Tensor>,
): SentBack {
  const { stack, given } = stackOf(config, weights, x);
  const { outputs, finalStates, cache } = stack.forward(given, {
    ...(mask && { mask }),
    ...(initialStates.length > 0 && { initialStates: [initialStates] }),
  });
  const { inputs, ...gradients } = stack.backward(cache, {
    ...(output && { outputs: { data: output.data, shape: outputs.shape } }),
    ...(states.some((state) => state !== undefined) && {
      finalStates: [
        finalStates[0].map(
          ({ data, shape }, i) => states[i] ?? { data: new Float64Array(data.length), shape },
        ),
      ],
    }),
  });
  return {
    input: inputs && { data: inputs.data, shape: x.shape },
    states: gradients.initialStates[0],
    weights: gradients.weights[0],
  };
}
