import type { ActivationName, DenseConfig, RecurrentConfig } from '../../../scratch/index';
import type { MaskedRows, ModelLayerConfig } from '../description';
import { asObject, show, type Json } from '../json';
import { changeIt, Options, type Dialect, type Refuse } from './options';

/** A layer of a Keras configuration, in our words. */
export interface ReadLayer {
  readonly config: ModelLayerConfig;
  /** a Dense with softmax: what follows the dense layer */ readonly softmax: boolean;
  readonly returnState: boolean;
  readonly maskedRows?: MaskedRows;
  /** how many axes it must read, the batch included, where an option says it */ readonly rank?: number;
  /** names of the layers inside, which weights are also called after */ readonly inner: readonly string[];
  readonly notes: readonly string[];
}

type Read = (options: Options, dialect: Dialect, refuse: Refuse) => ReadLayer;

const plain = (config: ModelLayerConfig, notes: readonly string[] = []): ReadLayer => ({
  config,
  softmax: false,
  returnState: false,
  inner: [],
  notes,
});

/** Every layer that is read, by its class. */
const layers: Readonly<Record<string, Read>> = {
  Masking: (options) => plain({ layer: 'masking', maskValue: options.number('mask_value', 0) }),
  Embedding(options) {
    options.value('input_length');
    return plain({
      layer: 'embedding',
      inputDim: options.size('input_dim'),
      outputDim: options.size('output_dim'),
      maskZero: options.flag('mask_zero', false),
    });
  },
  SimpleRNN: recurrent('simpleRNN'),
  LSTM: recurrent('lstm'),
  GRU: recurrent('gru'),
  GRUResetAfter: gruResetAfter,
  Bidirectional: bidirectional,
  Dense: dense,
  TimeDistributed: timeDistributed,
  RepeatVector: (options) => plain({ layer: 'repeatVector', times: options.size('n') }),
  Flatten(options) {
    const order = options.value('data_format', 'channels_last') ?? 'channels_last';
    if (order !== 'channels_last') throw options.wrong('data_format', order, 'channels_last');
    return plain({ layer: 'flatten' });
  },
  BatchNormalization(options) {
    const axis = options.value('axis', -1);
    const last = Array.isArray(axis) && axis.length === 1 ? (axis[0] as unknown) : axis;
    // Keras 2 writes [1] or [2] for the last axis of [B, N] or [B, T, N]
    if (last !== -1 && last !== 1 && last !== 2) throw options.wrong('axis', axis, '-1');
    const own = plain({
      layer: 'batchNormalization',
      epsilon: options.number('epsilon', 1e-3),
      center: options.flag('center', true),
      scale: options.flag('scale', true),
    });
    return { ...own, ...(last !== -1 && { rank: last + 1 }) };
  },
  Activation: (options, dialect) =>
    plain({ layer: 'activation', activation: activationOf(options, 'activation', 'linear', dialect) }),
  Softmax: (options) => {
    const axis = options.value('axis', -1);
    if (axis !== -1) throw options.wrong('axis', axis, '-1');
    return plain({ layer: 'activation', activation: 'softmax' });
  },
  ReLU(options) {
    for (const name of ['max_value', 'negative_slope', 'threshold']) {
      const value = options.value(name, 0);
      if (value !== null && value !== 0)
        throw options.wrong(name, value, name === 'max_value' ? 'null' : '0');
    }
    return plain({ layer: 'activation', activation: 'relu' });
  },
  ...Object.fromEntries(
    [
      'Dropout',
      'SpatialDropout1D',
      'GaussianDropout',
      'GaussianNoise',
      'AlphaDropout',
      'ActivityRegularization',
    ].map((kind): [string, Read] => [
      kind,
      (options) => {
        for (const name of ['rate', 'stddev', 'l1', 'l2']) options.value(name);
        return plain({ layer: 'identity' });
      },
    ]),
  ),
};

/** The packages whose layers are read: `keras.layers`, `tf_keras.src.engine`. */
const ownModules = /^(keras|tf_keras|tensorflow|builtins)(\.|$)/;

/**
 * Refuses a class that is not Keras's own, whatever its name: Keras 2.12 and later say the module and the registered name.
 *
 * @param owner how messages call it: `layer lstm`
 */
export function checkOrigin(
  { class_name: kind, module, registered_name: registered }: Json,
  owner: string,
  refuse: Refuse,
): void {
  const isOther =
    (typeof module === 'string' && !ownModules.test(module)) ||
    (typeof registered === 'string' && registered.includes('>'));
  if (isOther)
    throw refuse(
      `${owner} is a class ${show(kind)} of its own (${[module, registered].filter((text) => typeof text === 'string').join(', ')}), which may compute something else than Keras's`,
    );
}

/** The layers that are read, for messages. */
export const layerKinds = ['InputLayer', ...Object.keys(layers)];

/**
 * A layer of a Keras configuration in our words.
 *
 * @param options its `config`
 * @param refuse makes the error about something that is not read
 */
export function readLayer(
  kind: string,
  name: string,
  options: unknown,
  dialect: Dialect,
  refuse: Refuse,
): ReadLayer {
  if (kind === 'Lambda')
    throw refuse(`layer ${name} is Lambda, whose function is code, and no code of a file is run`);
  const read = Object.hasOwn(layers, kind) ? layers[kind] : undefined;
  if (read === undefined) throw refuse(`layer ${name} is ${kind}`, adviceOn(kind));
  const given = new Options(options, `layer ${name} (${kind})`, refuse);
  const layer = read(given, dialect, refuse);
  const notes = [...layer.notes, ...given.precisionNotes()];
  given.finish();
  return { ...layer, notes };
}

/** What to do about a layer that is not read. */
function adviceOn(kind: string): string {
  if (kind === 'Sequential' || kind === 'Functional' || kind === 'Model')
    return 'a model inside another one is not read, so add its layers to the outer model one by one and save that, or check what comes before it with --until LAYER';
  if (kind === 'RNN')
    return 'a layer of cells is not read, so make it SimpleRNN, LSTM or GRU layers and save the model again, or check what comes before it with --until LAYER';
  return `read are ${layerKinds.join(', ')}, so ${changeIt}`;
}

function recurrent(layer: RecurrentConfig['layer']): Read {
  return (options, dialect) => {
    const units = options.size('units');
    const useBias = options.flag('use_bias', true);
    const returnSequences = options.flag('return_sequences', false);
    const goBackwards = options.flag('go_backwards', false);
    const isZero = options.flag('zero_output_for_mask', false);
    const stateful = options.flag('stateful', false);
    const activation = activationOf(options, 'activation', 'tanh', dialect);
    if (activation === 'softmax') throw options.wrong('activation', activation, activationList);
    const common = { units, activation, useBias, returnSequences, goBackwards };
    const gate = (): ActivationName => {
      // TensorFlow.js 4.22 and Keras before 2.3
      const preset = dialect.program === 'tfjs' ? 'hardSigmoid' : 'sigmoid';
      const name = activationOf(options, 'recurrent_activation', preset, dialect);
      if (name === 'softmax') throw options.wrong('recurrent_activation', name, activationList);
      return name;
    };
    let config: RecurrentConfig;
    if (layer === 'simpleRNN') config = { layer, ...common };
    else if (layer === 'lstm')
      config = {
        layer,
        ...common,
        recurrentActivation: gate(),
        unitForgetBias: options.value('unit_forget_bias') !== false,
      };
    else {
      // where the file does not say it: reset_after came with Keras 2.1.3 as false, and is true since 2.4; TensorFlow.js has only false
      const resetAfter = options.flag('reset_after', false);
      config = { layer, ...common, recurrentActivation: gate(), resetAfter };
    }
    if (options.flag('time_major', false)) throw options.wrong('time_major', true, 'false');
    return {
      config,
      softmax: false,
      returnState: options.flag('return_state', false),
      maskedRows: isZero ? 'zero' : dialect.program === 'tfjs' ? 'state' : 'output',
      inner: [],
      notes: stateful ? [`${options.owner} is stateful: every check starts from zero states`] : [],
    };
  };
}

/** The layer that this project adds to TensorFlow.js. */
function gruResetAfter(options: Options, dialect: Dialect, refuse: Refuse): ReadLayer {
  const biases = options.value('biases', 2);
  if (biases !== 1 && biases !== 2) throw options.wrong('biases', biases, '1 or 2');
  const read = recurrent('gru')(options, dialect, refuse);
  const config = { ...read.config, resetAfter: true, biases } as RecurrentConfig;
  return { ...read, config };
}

function bidirectional(options: Options, dialect: Dialect, refuse: Refuse): ReadLayer {
  const merge = options.value('merge_mode', 'concat');
  if (typeof merge !== 'string' || !['concat', 'sum', 'mul', 'ave'].includes(merge))
    throw options.wrong('merge_mode', merge, 'concat, sum, mul or ave');
  const there = wrappedLayer(options, 'layer', dialect, refuse);
  const back = options.value('backward_layer');
  const { config } = there.read;
  if (config.layer !== 'simpleRNN' && config.layer !== 'lstm' && config.layer !== 'gru')
    throw options.wrong('layer', there.kind, 'SimpleRNN, LSTM or GRU');
  if (config.goBackwards === true) throw options.wrong('layer.go_backwards', true, 'false');
  const inner = [there.name, `forward_${there.name}`, `backward_${there.name}`];
  if (back !== undefined && back !== null) {
    const second = wrappedLayer(options, 'backward_layer', dialect, refuse);
    const wanted = JSON.stringify({ ...config, goBackwards: true });
    if (JSON.stringify(second.read.config) !== wanted)
      throw options.wrong('backward_layer', back, 'the options of layer, with go_backwards true');
    inner.push(second.name);
  }
  const wrapped = { ...config, goBackwards: false };
  return {
    config: { layer: 'bidirectional', wrapped, mergeMode: merge as 'concat' },
    softmax: false,
    returnState: there.read.returnState,
    // Keras: "zero_output_for_mask" of both directions is set with return_sequences
    maskedRows:
      dialect.program === 'keras' && config.returnSequences === true
        ? 'zero'
        : (there.read.maskedRows ?? 'output'),
    inner,
    notes: there.read.notes,
  };
}

function dense(options: Options, dialect: Dialect): ReadLayer {
  const activation = activationOf(options, 'activation', 'linear', dialect);
  const config: DenseConfig = {
    layer: 'dense',
    units: options.size('units'),
    activation: activation === 'softmax' ? 'linear' : activation,
    useBias: options.flag('use_bias', true),
  };
  return { ...plain(config), softmax: activation === 'softmax' };
}

function timeDistributed(options: Options, dialect: Dialect, refuse: Refuse): ReadLayer {
  const { read, kind, name } = wrappedLayer(options, 'layer', dialect, refuse);
  if (read.config.layer !== 'dense') {
    // what works on each row alike needs no wrapper
    if (read.config.layer === 'identity' || read.config.layer === 'activation')
      return { ...read, inner: [name] };
    throw options.wrong('layer', kind, 'Dense');
  }
  return {
    config: { layer: 'timeDistributed', wrapped: read.config },
    softmax: read.softmax,
    returnState: false,
    inner: [name],
    notes: read.notes,
  };
}

function wrappedLayer(
  options: Options,
  key: string,
  dialect: Dialect,
  refuse: Refuse,
): { readonly read: ReadLayer; readonly kind: string; readonly name: string } {
  const origin = asObject(options.value(key));
  const { class_name: kind, config, className } = origin;
  const name = asObject(config)['name'];
  checkOrigin(origin, `${options.owner}: its ${key}`, refuse);
  const given = String(kind ?? className);
  const called = typeof name === 'string' ? name : given.toLowerCase();
  return { read: readLayer(given, called, config, dialect, refuse), kind: given, name: called };
}

const activationList = 'tanh, sigmoid, hard_sigmoid, relu, linear';

/** Keras's and TensorFlow.js's spellings. */
const activationNames: Readonly<Record<string, ActivationName | 'softmax' | 'hard'>> = {
  tanh: 'tanh',
  sigmoid: 'sigmoid',
  hard_sigmoid: 'hard',
  hardSigmoid: 'hard',
  hardSigmoidKeras3: 'hardSigmoidKeras3',
  relu: 'relu',
  linear: 'linear',
  softmax: 'softmax',
};

function activationOf(
  options: Options,
  name: string,
  preset: ActivationName,
  dialect: Dialect,
): ActivationName | 'softmax' {
  const given = options.value(name, undefined);
  if (given === undefined) return preset;
  if (given === null) return 'linear';
  // Keras 3 writes { class_name: 'function', config: 'relu' }, TensorFlow.js and Keras 2 a name or { class_name: 'relu' }
  const { class_name: kind, config } = asObject(given);
  const text = typeof given === 'string' ? given : typeof config === 'string' ? config : kind;
  const found =
    typeof text === 'string' && Object.hasOwn(activationNames, text) ? activationNames[text] : undefined;
  if (found === undefined) throw options.wrong(name, show(given), `${activationList} or softmax`);
  // x/6 + 1/2 since Keras 3; 0.2 x + 1/2 in Keras 2 and TensorFlow.js
  if (found === 'hard')
    return dialect.major === 3 && dialect.program === 'keras' ? 'hardSigmoidKeras3' : 'hardSigmoid';
  return found;
}
