import { UsageError } from '../base/outcome';
import { maskValue } from './layers-model';

/** What model.json says about its layers besides their weights. */
export interface Topology {
  readonly units: number | undefined;
  readonly classes: number | undefined;
  /** it begins with a Masking layer */ readonly masked: boolean;
}

/** For each layer that is run: options that must have this value, and the value they have when they are not given. */
const layers: Readonly<
  Record<string, Readonly<Record<string, readonly [required: unknown, preset: unknown]>>>
> = {
  InputLayer: { sparse: [false, false], ragged: [false, false] },
  Masking: { mask_value: [maskValue, 0] },
  SimpleRNN: {
    activation: ['tanh', 'tanh'],
    use_bias: [true, true],
    return_sequences: [false, false],
    return_state: [false, false],
    go_backwards: [false, false],
    stateful: [false, false],
    time_major: [false, false],
    dropout: [0, 0],
    recurrent_dropout: [0, 0],
  },
  Dense: { activation: ['softmax', 'linear'], use_bias: [true, true] },
};

/** Options that change no prediction: names, sizes (compared with the weights), initial values, penalties, ways to compute the same. */
const neutral =
  /^(name|trainable|units|unroll|implementation|batch_input_shape|batch_shape|input_shape|input_dim|input_length|batch_size|seed|zero_output_for_mask|(kernel|recurrent|bias)_(initializer|regularizer|constraint)|activity_regularizer)$/;

const runs = 'Masking (or none), SimpleRNN with tanh and Dense with softmax are run, in this order';

/**
 * Reads the topology of a LayersModel by TensorFlow.js or Keras: a Sequential, or a Model whose layers form a chain.
 *
 * @throws UsageError that names every layer or option that is not run
 */
export function readTopology(topology: unknown, where: string): Topology {
  const refuse = (what: string): UsageError => new UsageError(`${where}: ${what}; ${runs}.`);
  const outer = asObject(topology);
  const model = asObject(outer['model_config'] ?? topology);
  const kind = model['class_name'];
  if (kind !== 'Sequential' && kind !== 'Model' && kind !== 'Functional')
    throw refuse(`the topology is ${show(kind)}, where a Sequential model of layers was expected`);
  const config = model['config'];
  const list: unknown = Array.isArray(config) ? config : asObject(config)['layers'];
  if (!Array.isArray(list)) throw refuse('the topology has no list of layers');
  const found = list.map((entry: unknown, i) => {
    const layer = asObject(entry);
    const options = asObject(layer['config']);
    const name = typeof options['name'] === 'string' ? options['name'] : `number ${i + 1}`;
    return { kind: String(layer['class_name']), name, options, inbound: layer['inbound_nodes'] };
  });
  const wrong = found.flatMap(({ kind: what, name, options }) =>
    what in layers ? wrongOptions(what, name, options) : [`layer ${name} is ${what}`],
  );
  if (wrong.length > 0) throw refuse(wrong.join(', '));
  const order = found.map((layer) => layer.kind).join(' ');
  if (!/^(InputLayer )?(Masking )?SimpleRNN Dense$/.test(order))
    throw refuse(`the layers are ${order || 'none'}`);
  if (kind !== 'Sequential' && !found.every(({ inbound }, i) => follows(inbound, found[i - 1]?.name)))
    throw refuse('its layers do not form a chain');
  const [recurrent, dense] = found.slice(-2);
  return {
    units: sizeOf(recurrent.options),
    classes: sizeOf(dense.options),
    masked: order.includes('Masking'),
  };
}

function wrongOptions(kind: string, name: string, options: Readonly<Record<string, unknown>>): string[] {
  const required = layers[kind];
  const wrong = Object.entries(required).filter(([key, [value, preset]]) => {
    const given = options[key] ?? (key === 'activation' && options[key] === null ? 'linear' : preset);
    return given !== value;
  });
  const described = wrong.map(
    ([key, [, preset]]) => `${key} ${show(options[key] ?? (options[key] === null ? null : preset))}`,
  );
  for (const [key, value] of Object.entries(options)) {
    const isFloat32 = key === 'dtype' && /^(null|.*"float32".*)$/.test(JSON.stringify(value));
    if (!(key in required) && !neutral.test(key) && !isFloat32) described.push(`${key} ${show(value)}`);
  }
  return described.length === 0 ? [] : [`layer ${name} (${kind}) has ${described.join(' and ')}`];
}

/** The layer gets the output of the one before, and nothing else. */
function follows(inbound: unknown, before: string | undefined): boolean {
  if (before === undefined) return !Array.isArray(inbound) || inbound.length === 0;
  const names = JSON.stringify(inbound).match(/"[^"]+"(?=,\d+,\d+)/g) ?? [];
  return names.length === 1 && names[0] === JSON.stringify(before);
}

const sizeOf = ({ units }: Readonly<Record<string, unknown>>): number | undefined =>
  typeof units === 'number' ? units : undefined;

const show = (value: unknown): string => {
  const text = typeof value === 'string' ? value : value === undefined ? 'missing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
