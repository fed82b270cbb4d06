import { endianness } from 'node:os';
import type { ActivationName, RecurrentConfig, Tensor } from '../../../scratch/index';
import { UsageError } from '../../base/outcome';
import { version } from '../../base/version';
import type { ModelDescription, ModelLayer, Source } from '../description';
import { statesOf } from '../shapes';

/** A LayersModel as `tf.loadLayersModel` takes it. */
export interface WrittenLayersModel {
  readonly modelTopology: object;
  readonly weightSpecs: readonly {
    readonly name: string;
    readonly shape: number[];
    readonly dtype: 'float32';
  }[];
  /** float32, little-endian, one after the other */ readonly weightData: Buffer;
  /** the layer of TensorFlow.js that gives what our layer gives */ readonly layerOf: ReadonlyMap<
    string,
    string
  >;
}

interface WrittenLayer {
  readonly className: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly layer: ModelLayer;
  readonly weights: readonly (readonly [name: string, Tensor])[];
}

/**
 * A model as a LayersModel that plain TensorFlow.js opens.
 *
 * @throws UsageError that names what TensorFlow.js has no layer or option for
 */
export function toLayersModel(model: ModelDescription, where = 'the model'): WrittenLayersModel {
  const layerOf = new Map<string, string>(model.inputs.map(({ name }) => [name, name]));
  const layers: WrittenLayer[] = [];
  for (const layer of model.layers) {
    const dense = layers.at(-1);
    // a softmax after its dense layer becomes the activation of it
    if (
      layer.kind === 'Softmax' &&
      dense !== undefined &&
      layer.reads.of === dense.layer.name &&
      layer.name === `${dense.layer.name}:softmax`
    ) {
      layers[layers.length - 1] = { ...dense, config: withSoftmax(dense.config) };
      layerOf.delete(dense.layer.name);
      layerOf.set(layer.name, dense.name);
      continue;
    }
    layers.push(writeLayer(layer, model, where));
    layerOf.set(layer.name, layer.name);
  }
  const nameOf = ({ of }: Source): string => layerOf.get(of) ?? of.replace(/:softmax$/, '');
  const reference = (source: Source): [string, number, number] => [
    nameOf(source),
    0,
    source.state === undefined ? 0 : source.state + 1,
  ];
  const inputs = model.inputs.map(({ name, shape, vocabulary }) => ({
    class_name: 'InputLayer',
    name,
    config: {
      name,
      batch_input_shape: [null, ...shape],
      dtype: vocabulary === undefined ? 'float32' : 'int32',
      sparse: false,
    },
    inbound_nodes: [],
  }));
  const written = layers.map(({ className, name, config, layer }) => ({
    class_name: className,
    name,
    config: { name, trainable: true, ...config },
    inbound_nodes: [
      [layer.reads, ...(layer.initialStates ?? [])].map((source) => [...reference(source), {}]),
    ],
  }));
  const weights = layers.flatMap((layer) => layer.weights);
  return {
    modelTopology: {
      class_name: 'Model',
      config: {
        name: 'rnn_parity',
        layers: [...inputs, ...written],
        input_layers: model.inputs.map(({ name }) => [name, 0, 0]),
        output_layers: model.outputs.map(reference),
      },
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
    },
    weightSpecs: weights.map(([name, { shape }]) => ({ name, shape: [...shape], dtype: 'float32' })),
    weightData: Buffer.concat(weights.map(([, { data }]) => littleEndian(data))),
    layerOf,
  };
}

/** model.json, for weights in `weights.bin` alongside. */
export function layersModelText({ modelTopology, weightSpecs }: WrittenLayersModel): string {
  return `${JSON.stringify(
    {
      format: 'layers-model',
      generatedBy: `rnn-parity ${version}`,
      convertedBy: null,
      modelTopology,
      weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
    },
    undefined,
    2,
  )}\n`;
}

function writeLayer(layer: ModelLayer, model: ModelDescription, where: string): WrittenLayer {
  const { name, config, weights } = layer;
  const refuse = (what: string): UsageError =>
    new UsageError(
      `${where}: layer ${name} (${layer.kind}) ${what}, which TensorFlow.js 4.22 does not have.`,
    );
  const named = (names: Readonly<Record<string, string>>, prefix = name): (readonly [string, Tensor])[] =>
    Object.entries(names).flatMap(([own, theirs]) =>
      own in weights ? [[`${prefix}/${theirs}`, weights[own]] as const] : [],
    );
  const readsStates = [
    ...model.layers.flatMap((one) => [one.reads, ...(one.initialStates ?? [])]),
    ...model.outputs,
  ].some(({ of, state }) => of === name && state !== undefined);
  const made = (
    className: string,
    options: Readonly<Record<string, unknown>>,
    own: WrittenLayer['weights'] = [],
  ): WrittenLayer => ({
    className,
    name,
    config: options,
    layer,
    weights: own,
  });
  const kernels = { kernel: 'kernel', recurrentKernel: 'recurrent_kernel', bias: 'bias' };
  switch (config.layer) {
    case 'simpleRNN':
    case 'lstm':
    case 'gru':
      return made(
        recurrentNames[config.layer],
        recurrentOptions(config, readsStates, refuse),
        named(kernels),
      );
    case 'bidirectional': {
      const { wrapped, mergeMode = 'concat' } = config;
      const inner = `${name}_wrapped`;
      const part = (direction: string) =>
        named(
          Object.fromEntries(
            Object.entries(kernels).map(([own, theirs]) => [
              direction + own[0].toUpperCase() + own.slice(1),
              theirs,
            ]),
          ),
          `${name}/${direction}_${inner}`,
        );
      if (layer.initialStates !== undefined) throw refuse('is bidirectional and gets initial states');
      const options = { name: inner, trainable: true, ...recurrentOptions(wrapped, readsStates, refuse) };
      return made(
        'Bidirectional',
        { layer: { class_name: recurrentNames[wrapped.layer], config: options }, merge_mode: mergeMode },
        [...part('forward'), ...part('backward')],
      );
    }
    case 'dense':
      return made('Dense', denseOptions(config, refuse), named(kernels));
    case 'timeDistributed': {
      const inner = `${name}_wrapped`;
      const options = { name: inner, trainable: true, ...denseOptions(config.wrapped, refuse) };
      return made('TimeDistributed', { layer: { class_name: 'Dense', config: options } }, named(kernels));
    }
    case 'embedding':
      return made(
        'Embedding',
        {
          input_dim: config.inputDim,
          output_dim: config.outputDim,
          mask_zero: config.maskZero === true,
          input_length: null,
        },
        named({ embeddings: 'embeddings' }),
      );
    case 'masking':
      return made('Masking', { mask_value: config.maskValue });
    case 'repeatVector':
      return made('RepeatVector', { n: config.times });
    case 'flatten':
      return made('Flatten', {});
    case 'batchNormalization':
      return made(
        'BatchNormalization',
        { axis: -1, epsilon: config.epsilon, momentum: 0.99, center: config.center, scale: config.scale },
        named({ gamma: 'gamma', beta: 'beta', movingMean: 'moving_mean', movingVariance: 'moving_variance' }),
      );
    case 'activation':
      return made('Activation', {
        activation: config.activation === 'softmax' ? 'softmax' : activationName(config.activation, refuse),
      });
    case 'identity':
      return made('Dropout', { rate: 0 });
  }
}

const recurrentNames = { simpleRNN: 'SimpleRNN', lstm: 'LSTM', gru: 'GRU' } as const;

function activationName(name: ActivationName, refuse: (what: string) => UsageError): string {
  if (name === 'hardSigmoidKeras3') throw refuse("has Keras 3's hard_sigmoid, x/6 + 1/2");
  return name === 'hardSigmoid' ? 'hard_sigmoid' : name;
}

function recurrentOptions(
  config: RecurrentConfig,
  returnState: boolean,
  refuse: (what: string) => UsageError,
): Record<string, unknown> {
  const { units, activation = 'tanh', useBias = true, returnSequences = false, goBackwards = false } = config;
  if (config.layer === 'gru' && config.resetAfter !== false)
    throw refuse('is a GRU that resets after the product (reset_after)');
  const gate =
    config.layer === 'simpleRNN'
      ? undefined
      : activationName(config.recurrentActivation ?? 'sigmoid', refuse);
  return {
    units,
    activation: activationName(activation, refuse),
    ...(gate !== undefined && { recurrent_activation: gate }),
    use_bias: useBias,
    return_sequences: returnSequences,
    return_state: returnState && statesOf(config) > 0,
    go_backwards: goBackwards,
    stateful: false,
    unroll: false,
    dropout: 0,
    recurrent_dropout: 0,
    ...(config.layer === 'lstm' && { unit_forget_bias: config.unitForgetBias !== false }),
    implementation: 1,
  };
}

const denseOptions = (
  {
    units,
    activation = 'linear',
    useBias = true,
  }: { units: number; activation?: ActivationName; useBias?: boolean },
  refuse: (what: string) => UsageError,
): Record<string, unknown> => ({ units, activation: activationName(activation, refuse), use_bias: useBias });

function withSoftmax(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const inner = config['layer'] as { readonly config: object } | undefined;
  return inner === undefined
    ? { ...config, activation: 'softmax' }
    : { ...config, layer: { ...inner, config: { ...inner.config, activation: 'softmax' } } };
}

function littleEndian(data: Float64Array): Buffer {
  const { buffer, byteOffset, byteLength } = Float32Array.from(data);
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return endianness() === 'LE' ? bytes : bytes.swap32();
}
