import type { DenseConfig, RecurrentConfig } from '../../../scratch/index';
import type { PlannedLayer } from '../assemble';
import type { ModelLayerConfig } from '../description';
import { asObject, show, type Json } from '../json';
import { fields, optionName } from './fields';
import { changeIt, Options, type Dialect, type Refuse } from './options';

/** A layer of a Keras configuration, in our words. */
export interface ReadLayer extends Pick<
  PlannedLayer,
  'config' | 'softmax' | 'returnState' | 'maskedRows' | 'rank'
> {
  /** names of the layers inside, which weights are also called after */ readonly inner?: readonly string[];
  readonly notes?: readonly string[];
}

type Read = (options: Options, dialect: Dialect, refuse: Refuse) => ReadLayer;

/** A layer with the options of the table; `more` reads those that its description does not hold. */
const plain =
  (
    layer: ModelLayerConfig['layer'],
    more: (options: Options) => Partial<ReadLayer> | undefined = () => undefined,
  ): Read =>
  (options, dialect) => ({ config: configOf(layer, options, dialect), ...more(options) });

function configOf<C extends ModelLayerConfig>(layer: C['layer'], options: Options, dialect: Dialect): C {
  const read = Object.entries(fields[layer]).map(([name, field]) => [
    name,
    field.read(options, optionName(name), dialect),
  ]);
  return { layer, ...Object.fromEntries(read) } as C;
}

/** A layer with an activation and no other option. */
const activated =
  (activation: 'softmax' | 'relu', check: (options: Options) => void): Read =>
  (options) => {
    check(options);
    return { config: { layer: 'activation', activation } };
  };

/** Every layer that is read, by its class. */
const layers: Readonly<Record<string, Read>> = {
  Masking: plain('masking'),
  Embedding: plain('embedding', (options) => void options.value('input_length')),
  SimpleRNN: recurrent('simpleRNN'),
  LSTM: recurrent('lstm'),
  GRU: recurrent('gru'),
  GRUResetAfter: gruResetAfter,
  Bidirectional: bidirectional,
  Dense(options, dialect) {
    const config = configOf<DenseConfig>('dense', options, dialect);
    const softmax = (config.activation as string) === 'softmax';
    return { config: softmax ? { ...config, activation: 'linear' } : config, softmax };
  },
  TimeDistributed: timeDistributed,
  RepeatVector: plain('repeatVector'),
  Flatten: plain('flatten', (options) => {
    const order = options.value('data_format', 'channels_last') ?? 'channels_last';
    if (order !== 'channels_last') throw options.wrong('data_format', order, 'channels_last');
    return undefined;
  }),
  BatchNormalization: plain('batchNormalization', (options) => {
    const axis = options.value('axis', -1);
    const last = Array.isArray(axis) && axis.length === 1 ? (axis[0] as unknown) : axis;
    // Keras 2 writes [1] or [2] for the last axis of [B, N] or [B, T, N]
    if (last !== -1 && last !== 1 && last !== 2) throw options.wrong('axis', axis, '-1');
    return last === -1 ? undefined : { rank: last + 1 };
  }),
  Activation: plain('activation'),
  Softmax: activated('softmax', (options) => {
    const axis = options.value('axis', -1);
    if (axis !== -1) throw options.wrong('axis', axis, '-1');
  }),
  ReLU: activated('relu', (options) => {
    for (const name of ['max_value', 'negative_slope', 'threshold']) {
      const value = options.value(name, 0);
      if (value !== null && value !== 0)
        throw options.wrong(name, value, name === 'max_value' ? 'null' : '0');
    }
  }),
  ...Object.fromEntries(
    [
      'Dropout',
      'SpatialDropout1D',
      'GaussianDropout',
      'GaussianNoise',
      'AlphaDropout',
      'ActivityRegularization',
    ].map((kind) => [
      kind,
      plain('identity', (options) => {
        for (const name of ['rate', 'stddev', 'l1', 'l2']) options.value(name);
        return undefined;
      }),
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
  const notes = [...(layer.notes ?? []), ...given.precisionNotes()];
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
    const config = configOf<RecurrentConfig>(layer, options, dialect);
    const isZero = options.flag('zero_output_for_mask', false);
    const stateful = options.flag('stateful', false);
    if (options.flag('time_major', false)) throw options.wrong('time_major', true, 'false');
    return {
      config,
      returnState: options.flag('return_state', false),
      maskedRows: isZero ? 'zero' : dialect.program === 'tfjs' ? 'state' : 'output',
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
    returnState: there.read.returnState === true,
    // Keras: "zero_output_for_mask" of both directions is set with return_sequences
    maskedRows:
      dialect.program === 'keras' && config.returnSequences === true
        ? 'zero'
        : (there.read.maskedRows ?? 'output'),
    inner,
    notes: there.read.notes ?? [],
  };
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
    softmax: read.softmax === true,
    inner: [name],
    notes: read.notes ?? [],
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
