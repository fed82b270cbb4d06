import type { ActivationName, DenseConfig, RecurrentConfig, Tensor } from '../../../scratch/index';
import { UsageError } from '../../base/outcome';
import type { ModelDescription, ModelLayer, Source } from '../description';
import { inDirection, statesOf } from '../shapes';

/**
 * Which program opens the file. `registered` is TensorFlow.js after `registerLayers(tf)`: what TensorFlow.js lacks has the name of a
 * layer or activation of rnn-parity (GRUResetAfter, hardSigmoidKeras3), so plain TensorFlow.js refuses the file and computes nothing else.
 */
export type WrittenFor = 'tfjs' | 'registered' | 'keras';

const programs: Readonly<Record<WrittenFor, string>> = {
  tfjs: 'TensorFlow.js 4.22',
  registered: 'TensorFlow.js 4.22',
  keras: 'Keras 3',
};

/** A layer in Keras's words. */
export interface WrittenLayer {
  readonly className: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly layer: ModelLayer;
  /** in Keras's order, by our names */ readonly weights: readonly (readonly [name: string, Tensor])[];
}

/** The layers of a model in Keras's words. */
export interface WrittenLayers {
  readonly layers: readonly WrittenLayer[];
  /** the layer that gives what our layer gives */ readonly layerOf: ReadonlyMap<string, string>;
  /** where a source is found: the layer, and the number of its tensor */
  readonly tensorOf: (source: Source) => { readonly name: string; readonly tensor: number };
}

type Refuse = (what: string, fix?: string) => UsageError;

/**
 * Every layer with its options as the program takes them; a softmax after its dense layer becomes the activation of that layer.
 *
 * @throws UsageError that names what the program has no layer or option for
 */
export function writeLayers(model: ModelDescription, program: WrittenFor, where: string): WrittenLayers {
  const layerOf = new Map<string, string>(model.inputs.map(({ name }) => [name, name]));
  const layers: WrittenLayer[] = [];
  for (const layer of model.layers) {
    const dense = layers.at(-1);
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
    layers.push(writeLayer(layer, model, program, where));
    layerOf.set(layer.name, layer.name);
  }
  return {
    layers,
    layerOf,
    tensorOf: ({ of, state }) => ({
      name: layerOf.get(of) ?? of.replace(/:softmax$/, ''),
      tensor: state === undefined ? 0 : state + 1,
    }),
  };
}

/** Weights of a layer in the order in which Keras and TensorFlow.js keep them, by our names. */
export const weightOrder = [
  ...['', 'forward', 'backward'].flatMap((direction) =>
    ['kernel', 'recurrentKernel', 'bias'].map((name) =>
      direction === '' ? name : inDirection(direction, name),
    ),
  ),
  ...['embeddings', 'gamma', 'beta', 'movingMean', 'movingVariance'],
];

function writeLayer(
  layer: ModelLayer,
  model: ModelDescription,
  program: WrittenFor,
  where: string,
): WrittenLayer {
  const { name, config, weights } = layer;
  const refuse: Refuse = (what, fix = '') =>
    new UsageError(
      `${where}: layer ${name} (${layer.kind}) ${what}, which ${programs[program]} does not have${fix}.`,
    );
  const readsStates = [
    ...model.layers.flatMap((one) => [one.reads, ...(one.initialStates ?? [])]),
    ...model.outputs,
  ].some(({ of, state }) => of === name && state !== undefined);
  const recurrent = (one: RecurrentConfig): Record<string, unknown> => ({
    ...recurrentOptions(one, readsStates, program, refuse),
    ...(program === 'keras' && { zero_output_for_mask: layer.maskedRows === 'zero' }),
  });
  const made = (className: string, options: Readonly<Record<string, unknown>>): WrittenLayer => ({
    className,
    name,
    config: options,
    layer,
    weights: weightOrder.flatMap((own) =>
      own in weights ? [[own, forKeras(own, weights[own], config, program)] as const] : [],
    ),
  });
  switch (config.layer) {
    case 'simpleRNN':
    case 'lstm':
    case 'gru':
      return made(recurrentName(config, program), recurrent(config));
    case 'bidirectional': {
      const { wrapped, mergeMode = 'concat' } = config;
      if (layer.initialStates !== undefined && program !== 'keras')
        throw refuse('is bidirectional and gets initial states');
      return made('Bidirectional', {
        layer: wrap(recurrentName(wrapped, program), `${name}_wrapped`, recurrent(wrapped), program),
        merge_mode: mergeMode,
      });
    }
    case 'dense':
      return made('Dense', denseOptions(config, program, refuse));
    case 'timeDistributed': {
      const options = denseOptions(config.wrapped, program, refuse);
      return made('TimeDistributed', { layer: wrap('Dense', `${name}_wrapped`, options, program) });
    }
    case 'embedding':
      return made('Embedding', {
        input_dim: config.inputDim,
        output_dim: config.outputDim,
        mask_zero: config.maskZero === true,
        ...(program !== 'keras' && { input_length: null }),
      });
    case 'masking':
      return made('Masking', { mask_value: config.maskValue });
    case 'repeatVector':
      return made('RepeatVector', { n: config.times });
    case 'flatten':
      return made('Flatten', {});
    case 'lastStep':
      throw refuse('takes the last step of a sequence by itself');
    case 'batchNormalization':
      return made('BatchNormalization', {
        axis: -1,
        epsilon: config.epsilon,
        momentum: 0.99,
        center: config.center,
        scale: config.scale,
      });
    case 'activation':
      return made('Activation', {
        activation:
          config.activation === 'softmax' ? 'softmax' : activationName(config.activation, program, refuse),
      });
    case 'identity':
      return made('Dropout', { rate: 0 });
  }
}

/** Keras 3 always has two biases where a GRU resets after the product; the second one is zero then. */
function forKeras(name: string, weight: Tensor, config: ModelLayer['config'], program: WrittenFor): Tensor {
  const cell = config.layer === 'bidirectional' ? config.wrapped : config;
  const isOne = cell.layer === 'gru' && cell.resetAfter !== false && weight.shape.length === 1;
  if (program !== 'keras' || !isOne || !/bias$/i.test(name)) return weight;
  const data = new Float64Array(2 * weight.data.length);
  data.set(weight.data);
  return { data, shape: [2, weight.data.length] };
}

const wrap = (kind: string, name: string, options: object, program: WrittenFor): object =>
  kerasObject(kind, { name, trainable: true, ...options }, program);

/** A layer inside another object; Keras 3 also asks where its class is. */
export function kerasObject(kind: string, config: object, program: WrittenFor): object {
  return program === 'keras'
    ? { module: 'keras.layers', class_name: kind, config, registered_name: null }
    : { class_name: kind, config };
}

/** forwardRecurrentKernel -> rnn/forward_rnn_wrapped/recurrent_kernel */
export function nameInFile({ name }: WrittenLayer, own: string): string {
  const [, direction = '', part] = /^(forward|backward)?(.*)$/.exec(own) ?? [];
  const theirs = part.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/^_/, '');
  return direction === '' ? `${name}/${theirs}` : `${name}/${direction}_${name}_wrapped/${theirs}`;
}

/** What TensorFlow.js lacks and this package adds to it. */
const withOwnLayers =
  '; rnn-parity has it for TensorFlow.js: `rnn-parity import --from MODEL --out DIR` (docs/models.md, "In your program")';

const recurrentNames = { simpleRNN: 'SimpleRNN', lstm: 'LSTM', gru: 'GRU' } as const;

const isResetAfter = (config: RecurrentConfig): boolean =>
  config.layer === 'gru' && config.resetAfter !== false;

const recurrentName = (config: RecurrentConfig, program: WrittenFor): string =>
  program === 'registered' && isResetAfter(config) ? 'GRUResetAfter' : recurrentNames[config.layer];

function activationName(name: ActivationName, program: WrittenFor, refuse: Refuse): string {
  if (name === 'hardSigmoidKeras3' && program === 'tfjs')
    throw refuse("has Keras 3's hard_sigmoid, x/6 + 1/2", withOwnLayers);
  if (name === 'hardSigmoid' && program === 'keras')
    throw refuse('has the hard_sigmoid of Keras 2 and TensorFlow.js, 0.2 x + 1/2');
  if (name === 'hardSigmoidKeras3' && program === 'registered') return name;
  return name.startsWith('hardSigmoid') ? 'hard_sigmoid' : name;
}

function recurrentOptions(
  config: RecurrentConfig,
  returnState: boolean,
  program: WrittenFor,
  refuse: Refuse,
): Record<string, unknown> {
  const { units, activation = 'tanh', useBias = true, returnSequences = false, goBackwards = false } = config;
  const resetAfter = isResetAfter(config);
  if (resetAfter && program === 'tfjs')
    throw refuse('is a GRU that resets after the product (reset_after)', withOwnLayers);
  const gate =
    config.layer === 'simpleRNN'
      ? undefined
      : activationName(config.recurrentActivation ?? 'sigmoid', program, refuse);
  return {
    units,
    activation: activationName(activation, program, refuse),
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
    ...(config.layer === 'gru' && program === 'keras' && { reset_after: resetAfter }),
    ...(program !== 'keras' && { implementation: 1 }),
    ...(program === 'registered' && config.layer === 'gru' && resetAfter && { biases: config.biases ?? 2 }),
  };
}

const denseOptions = (
  { units, activation = 'linear', useBias = true }: DenseConfig,
  program: WrittenFor,
  refuse: Refuse,
): Record<string, unknown> => ({
  units,
  activation: activationName(activation, program, refuse),
  use_bias: useBias,
});

function withSoftmax(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const inner = config['layer'] as { readonly config: object } | undefined;
  return inner === undefined
    ? { ...config, activation: 'softmax' }
    : { ...config, layer: { ...inner, config: { ...inner.config, activation: 'softmax' } } };
}
