import type { ActivationName, GRUConfig, Tensor } from '../../../scratch/index';
import { directions, nameIn } from '../../base/model';
import { UsageError } from '../../base/outcome';
import type { ModelDescription, ModelLayer, ModelLayerConfig, Source } from '../description';
import { classNames, fields, optionName } from './fields';
import { partOf } from './weights';

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
  /** where a source is found: the layer, its first use, and the number of its tensor */
  readonly historyOf: (source: Source) => [name: string, node: number, tensor: number];
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
    historyOf: ({ of, state }) => [
      layerOf.get(of) ?? of.replace(/:softmax$/, ''),
      0,
      state === undefined ? 0 : state + 1,
    ],
  };
}

const cellOrder = ['kernel', 'recurrentKernel', 'bias'];
/** Weights of a layer in the order in which Keras and TensorFlow.js keep them, by our names. */
export const weightOrder = [
  ...[...cellOrder, ...directions.flatMap((direction) => cellOrder.map((name) => nameIn(direction, name)))],
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
  const isKeras = program === 'keras';
  const optionsOf = (own: ModelLayerConfig): Record<string, unknown> => {
    const extras = extrasOf(own);
    const described = Object.entries(fields[own.layer]).flatMap(
      ([field, { preset }]): [string, unknown][] => {
        if (field === 'resetAfter' && !isKeras) return [];
        const value = (own as unknown as Readonly<Record<string, unknown>>)[field] ?? preset;
        const isActivation = /activation$/i.test(field) && value !== 'softmax';
        return [
          [
            optionName(field),
            isActivation ? activationName(value as ActivationName, program, refuse) : value,
          ],
        ];
      },
    );
    return { ...Object.fromEntries(described), ...extras };
  };
  /** What the description does not say. */
  const extrasOf = (own: ModelLayerConfig): object => {
    switch (own.layer) {
      case 'simpleRNN':
      case 'lstm':
      case 'gru':
        if (isResetAfter(own) && program === 'tfjs')
          throw refuse('is a GRU that resets after the product (reset_after)', withOwnLayers);
        return {
          ...{ return_state: readsStates, stateful: false, unroll: false, dropout: 0, recurrent_dropout: 0 },
          ...(isKeras ? { zero_output_for_mask: layer.maskedRows === 'zero' } : { implementation: 1 }),
          ...(program === 'registered' && isResetAfter(own) && { biases: own.biases ?? 2 }),
        };
      case 'embedding':
        return isKeras ? {} : { input_length: null };
      case 'batchNormalization':
        return { axis: -1, momentum: 0.99 };
      case 'identity':
        return { rate: 0 };
      case 'bidirectional':
        if (layer.initialStates !== undefined && !isKeras)
          throw refuse('is bidirectional and gets initial states');
        return { layer: wrapped(own.wrapped), merge_mode: own.mergeMode ?? 'concat' };
      case 'timeDistributed':
        return { layer: wrapped(own.wrapped) };
      default:
        return {};
    }
  };
  const classOf = (own: ModelLayerConfig): string => {
    if (own.layer === 'lastStep') throw refuse('takes the last step of a sequence by itself');
    return program === 'registered' && isResetAfter(own) ? 'GRUResetAfter' : classNames[own.layer];
  };
  const wrapped = (own: ModelLayerConfig): object =>
    kerasObject(classOf(own), { name: `${name}_wrapped`, trainable: true, ...optionsOf(own) }, program);
  return {
    ...{ className: classOf(config), name, config: optionsOf(config), layer },
    weights: weightOrder.flatMap((own) =>
      own in weights ? [[own, forKeras(own, weights[own], config, program)] as const] : [],
    ),
  };
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

/** A layer inside another object; Keras 3 also asks where its class is. */
export function kerasObject(kind: string, config: object, program: WrittenFor): object {
  return program === 'keras'
    ? { module: 'keras.layers', class_name: kind, config, registered_name: null }
    : { class_name: kind, config };
}

/** forwardRecurrentKernel -> rnn/forward_rnn_wrapped/recurrent_kernel */
export function nameInFile({ name }: WrittenLayer, own: string): string {
  const { direction, part } = partOf(own);
  return direction === '' ? `${name}/${part}` : `${name}/${direction}_${name}_wrapped/${part}`;
}

/** What TensorFlow.js lacks and this package adds to it. */
const withOwnLayers =
  '; rnn-parity has it for TensorFlow.js: `rnn-parity import --from MODEL --out DIR` (docs/models.md, "In your program")';

const isResetAfter = (config: ModelLayerConfig): config is GRUConfig =>
  config.layer === 'gru' && config.resetAfter !== false;

function activationName(name: ActivationName, program: WrittenFor, refuse: Refuse): string {
  if (name === 'hardSigmoidKeras3' && program === 'tfjs')
    throw refuse("has Keras 3's hard_sigmoid, x/6 + 1/2", withOwnLayers);
  if (name === 'hardSigmoid' && program === 'keras')
    throw refuse('has the hard_sigmoid of Keras 2 and TensorFlow.js, 0.2 x + 1/2');
  if (name === 'hardSigmoidKeras3' && program === 'registered') return name;
  return name.startsWith('hardSigmoid') ? 'hard_sigmoid' : name;
}

function withSoftmax(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const inner = config['layer'] as { readonly config: object } | undefined;
  return inner === undefined
    ? { ...config, activation: 'softmax' }
    : { ...config, layer: { ...inner, config: { ...inner.config, activation: 'softmax' } } };
}
