import type * as Tf from '@tensorflow/tfjs';
import type {
  DenseConfig,
  LayerConfig,
  LossName,
  NetworkConfig,
  NetworkPlan,
  RecurrentConfig,
  StackWeights,
  Tensor,
} from '../../scratch/index';
import { rnnOf } from './by-tape/recurrent';
import { registerGRUResetAfter } from './gru-reset-after';
import { registerHardSigmoidKeras3 } from './hard-sigmoid';

/** The activation that makes outputs of logits, at the end of a LayersModel. */
const outputActivations = {
  softmaxCrossEntropy: 'softmax',
  sigmoidCrossEntropy: 'sigmoid',
  meanSquaredError: 'linear',
} as const satisfies Record<LossName, string>;

type Layer = Tf.layers.Layer;
type Options = Readonly<Record<string, unknown>>;

/**
 * The network as a tf.LayersModel with copies of the weights: it gives the network's `outputs`. The caller owns it. What it saves is
 * loaded by `tf.loadLayersModel`; a model with a GRU whose reset comes after the matrix, or with Keras 3's hard sigmoid, after
 * `registerLayers(tf)`.
 *
 * @throws RangeError when TensorFlow.js would compute something else from the same layers
 */
export function buildLayersModel(tf: typeof Tf, plan: NetworkPlan, weights: StackWeights): Tf.Sequential {
  registerLayers(tf);
  const { layers, loss } = plan.config;
  checkMasks(layers);
  const last = layers[layers.length - 1];
  const end = outputActivations[loss];
  const fused = last.layer === 'dense' && (last.activation ?? 'linear') === 'linear';
  const made = layers.map((config, i) => {
    const shape = plan.vocabulary === undefined ? [null, plan.features] : [null];
    const outer = i === 0 ? { inputShape: shape } : {};
    return tfLayerOf(tf, config, fused && config === last ? { ...outer, activation: end } : outer);
  });
  if (!fused && end !== 'linear') made.push(tf.layers.activation({ activation: end }));
  const model = tf.sequential({ layers: made });
  tf.tidy(() => {
    const flat = weights.flatMap((layer) => Object.values(layer));
    model.setWeights(flat.map(({ data, shape }) => tf.tensor(Float32Array.from(data), [...shape])));
  });
  return model;
}

/** Makes the layers known to TensorFlow.js that it lacks, so that saved models that hold them can be loaded. */
export function registerLayers(tf: typeof Tf): void {
  registerGRUResetAfter(tf);
  registerHardSigmoidKeras3(tf);
}

/** TensorFlow.js hands the mask of an embedding on as it is, past a layer that turns the steps round. */
function checkMasks(layers: readonly LayerConfig[]): void {
  const [first] = layers;
  if (first.layer !== 'embedding' || first.maskZero !== true) return;
  const turning = layers.findIndex((config) => 'goBackwards' in config && config.goBackwards);
  const reads = layers.findIndex((config, i) => turning >= 0 && i > turning && isRecurrent(config));
  if (reads < 0) return;
  throw new RangeError(
    `toLayersModel: layers[${reads}] reads the steps of layers[${turning}], which walks backwards, under the mask of the embedding; TensorFlow.js does not turn the mask round with the steps and would compute something else, so drop maskZero or goBackwards.`,
  );
}

function isRecurrent({ layer }: LayerConfig): boolean {
  return ['simpleRNN', 'lstm', 'gru', 'bidirectional'].includes(layer);
}

/** A layer of TensorFlow.js with all weights zero, as they are set right after. */
export function tfLayerOf(tf: typeof Tf, config: LayerConfig, outer: object): Layer {
  switch (config.layer) {
    case 'dense': {
      const { units, activation = 'linear', useBias = true } = config;
      const zeros = { kernelInitializer: 'zeros', biasInitializer: 'zeros' } as const;
      return tf.layers.dense({ units, activation: activation as 'linear', useBias, ...zeros, ...outer });
    }
    case 'timeDistributed':
      return tf.layers.timeDistributed({ layer: tfLayerOf(tf, config.wrapped, {}), ...outer });
    case 'embedding': {
      const { inputDim, outputDim, maskZero = false } = config;
      const zeros = { embeddingsInitializer: 'zeros' } as const;
      return tf.layers.embedding({ inputDim, outputDim, maskZero, ...zeros, ...outer });
    }
    case 'bidirectional':
      return tf.layers.bidirectional({
        layer: rnnOf(tf, config.wrapped, {}),
        mergeMode: config.mergeMode ?? 'concat',
        ...outer,
      });
    default:
      return rnnOf(tf, config, outer);
  }
}

/**
 * The description and the weights of a tf.LayersModel whose layers form a chain, as `buildLayersModel` makes them and other programs
 * do. Its last activation tells the loss: softmax, sigmoid, or numbers.
 *
 * @throws RangeError that names the layer or the option that a network does not have
 */
export function describeLayersModel(model: Tf.LayersModel): {
  readonly config: NetworkConfig;
  readonly weights: readonly Tf.Tensor[];
} {
  const found = model.layers.map((layer) => ({
    kind: layer.getClassName(),
    options: layer.getConfig(),
  }));
  const layers = found.filter(({ kind }) => kind !== 'InputLayer');
  const end = layers.at(-1);
  const activation = end?.options['activation'];
  const loss = (Object.keys(outputActivations) as LossName[]).find(
    (name) => outputActivations[name] === activation && (end?.kind === 'Dense' || end?.kind === 'Activation'),
  );
  const described = layers.flatMap(({ kind, options }, i): LayerConfig[] => {
    const isEnd = i === layers.length - 1 && loss !== undefined;
    if (isEnd && kind === 'Activation') return [];
    return [configOf(kind, isEnd ? { ...options, activation: 'linear' } : options, `layer ${i + 1}`)];
  });
  const width = model.inputs[0].shape.at(-1);
  const readsIntegers = described.at(0)?.layer === 'embedding';
  return {
    config: {
      ...(!readsIntegers && { features: width! }),
      layers: described,
      loss: loss ?? 'meanSquaredError',
    },
    weights: model.getWeights(),
  };
}

function configOf(kind: string, options: Options, name: string): LayerConfig {
  const wrapped = (): LayerConfig => {
    const { className, config } = options['layer'] as {
      readonly className: string;
      readonly config: Options;
    };
    return configOf(className, config, `${name}, wrapped`);
  };
  const take = (...keys: string[]) => Object.fromEntries(keys.map((key) => [key, options[key]]));
  const recurrent = ['units', 'activation', 'useBias', 'returnSequences', 'goBackwards'];
  for (const key of ['dropout', 'recurrentDropout', 'stateful']) {
    if (!options[key]) continue;
    throw new RangeError(
      `fromLayersModel: ${name} (${kind}) has ${key} ${JSON.stringify(options[key])}, which a network of this project does not have; build the model without it.`,
    );
  }
  const gated = [...recurrent, 'recurrentActivation'];
  switch (kind) {
    case 'SimpleRNN':
      return { layer: 'simpleRNN', ...take(...recurrent) } as RecurrentConfig;
    case 'LSTM':
      return { layer: 'lstm', ...take(...gated) } as RecurrentConfig;
    case 'GRU':
      return { layer: 'gru', resetAfter: false, ...take(...gated) } as RecurrentConfig;
    case 'GRUResetAfter':
      return {
        ...{ layer: 'gru', ...take(...gated) },
        ...(options['useBias'] !== false && take('biases')),
      } as RecurrentConfig;
    case 'Bidirectional':
      return { layer: 'bidirectional', wrapped: wrapped() as RecurrentConfig, ...take('mergeMode') };
    case 'TimeDistributed':
      return { layer: 'timeDistributed', wrapped: wrapped() as DenseConfig };
    case 'Dense':
      return { layer: 'dense', ...take('units', 'activation', 'useBias') } as DenseConfig;
    case 'Embedding':
      return { layer: 'embedding', ...take('inputDim', 'outputDim', 'maskZero') } as LayerConfig;
    default:
      throw new RangeError(
        `fromLayersModel: ${name} is ${kind}; a network has SimpleRNN, LSTM, GRU, GRUResetAfter, Bidirectional, TimeDistributed, Dense and Embedding layers, so build the model from those.`,
      );
  }
}

/** Flat tensors as the weights of each layer. */
export function nameWeights(plan: NetworkPlan, tensors: readonly Tensor[]): StackWeights {
  let at = 0;
  const named = plan.layers.map(({ shapes }) =>
    Object.fromEntries(Object.keys(shapes).flatMap((key) => (tensors[at] ? [[key, tensors[at++]]] : []))),
  );
  return plan.checkWeights(named, 'fromLayersModel: weights');
}
