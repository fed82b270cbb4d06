import type { DenseConfig, RecurrentConfig } from '../../../scratch/index';
import type { ModelDescription, ModelLayerConfig } from '../description';
import { asObject } from '../json';
import { toLayersModel, type WrittenLayersModel } from './write';

/**
 * A model as a LayersModel that TensorFlow.js opens after `registerLayers(tf)`: what it lacks stands under the names of our own layers
 * (GRUResetAfter, hardSigmoidKeras3), so that plain TensorFlow.js refuses the file and computes nothing else instead.
 *
 * @throws UsageError that names what neither has
 */
export function toOwnLayersModel(model: ModelDescription, where: string): WrittenLayersModel {
  const plain = { ...model, layers: model.layers.map((layer) => ({ ...layer, config: withoutOurs(layer.config) })) }; // prettier-ignore
  const written = toLayersModel(plain, where);
  const topology = asObject(written.modelTopology);
  const outer = asObject(topology['config']);
  const entries = (outer['layers'] as readonly unknown[]).map(asObject);
  const layers = entries.map((entry) => {
    const own = model.layers.find(({ name }) => name === entry['name'])?.config;
    return own === undefined ? entry : { ...entry, ...withOurs(entry, own) };
  });
  return { ...written, modelTopology: { ...topology, config: { ...outer, layers } } };
}

/** The same layer, as far as TensorFlow.js has it. */
function withoutOurs<C extends ModelLayerConfig>(config: C): C {
  const entries = Object.entries(config).map(([name, value]: [string, unknown]) => [
    name,
    name === 'wrapped'
      ? withoutOurs(value as RecurrentConfig | DenseConfig)
      : isOurs(value)
        ? 'hardSigmoid'
        : value,
  ]);
  return {
    ...(Object.fromEntries(entries) as C),
    ...(config.layer === 'gru' && { resetAfter: false }),
  };
}

const isOurs = (name: unknown): boolean => name === 'hardSigmoidKeras3';

/** The entry of a layer with the class and the activations that it has here. */
function withOurs(
  entry: Readonly<Record<string, unknown>>,
  own: ModelLayerConfig,
): Readonly<Record<string, unknown>> {
  const config = asObject(entry['config']);
  if ('wrapped' in own)
    return { config: { ...config, layer: { ...asObject(config['layer']), ...withOurs(asObject(config['layer']), own.wrapped) } } }; // prettier-ignore
  const isResetAfter = own.layer === 'gru' && own.resetAfter !== false;
  return {
    ...(isResetAfter && { class_name: 'GRUResetAfter' }),
    config: {
      ...config,
      ...(isResetAfter && { biases: own.biases ?? 2 }),
      ...('activation' in own && isOurs(own.activation) && { activation: own.activation }),
      ...('recurrentActivation' in own &&
        isOurs(own.recurrentActivation) && { recurrent_activation: own.recurrentActivation }),
    },
  };
}
