import { formatNpz, formatZip, type ArrayToWrite } from '../../base/files/index';
import type { ModelDescription, Source } from '../description';
import { stateWidth } from '../shapes';
import { formatH5 } from './h5';
import { pathsInArchive } from './weights';
import { kerasObject, nameInFile, writeLayers } from './write-layers';

/** The Keras whose form is written; later ones read it too. */
export const kerasVersion = '3.15.1';

/** The array of a .npz that holds the layers. */
export const configArray = 'model_config';

/**
 * A model as a .keras archive that `keras.models.load_model` of Keras 3 opens.
 *
 * @throws UsageError that names what Keras 3 has no layer or option for
 */
export async function toKeras(model: ModelDescription, where = 'the model'): Promise<Buffer> {
  const { config, weights } = kerasConfig(model, where);
  const parts = {
    'metadata.json': text({ keras_version: kerasVersion, date_saved: '1980-01-01@00:00:00' }),
    'config.json': text(config),
    'model.weights.h5': await formatH5(weights),
  };
  return formatZip(Object.entries(parts));
}

/**
 * A model as a .npz for numpy: weights in float64 as `LAYER/kernel`, `LAYER/recurrent_kernel`, ... in Keras's layout, and the layers as
 * text in JSON, in the form of Keras 3, in the array `model_config`.
 *
 * @throws UsageError that names what Keras 3 has no layer or option for
 */
export function toNpz(model: ModelDescription, where = 'the model'): Promise<Buffer> {
  const { config, layers } = kerasConfig(model, where);
  const arrays = layers.flatMap((layer) =>
    layer.weights.map(([own, { data, shape }]): [string, ArrayToWrite] => [
      nameInFile(layer, own),
      { data, shape, dtype: '<f8' },
    ]),
  );
  const layersText = { data: [JSON.stringify(config)], shape: [] };
  return formatNpz({ ...Object.fromEntries(arrays), [configArray]: layersText });
}

const text = (value: object): Buffer => Buffer.from(JSON.stringify(value), 'utf8');

/** A functional model of Keras 3, and its weights by their paths in the archive. */
function kerasConfig(model: ModelDescription, where: string) {
  const { layers, historyOf } = writeLayers(model, 'keras', where);
  const tensor = (source: Source): object => ({
    class_name: '__keras_tensor__',
    config: { shape: shapeOf(model, source), dtype: 'float32', keras_history: historyOf(source) },
  });
  const inputs = model.inputs.map(({ name, shape, vocabulary }) => ({
    ...kerasObject(
      'InputLayer',
      { name, batch_shape: [null, ...shape], dtype: vocabulary === undefined ? 'float32' : 'int32' },
      'keras',
    ),
    name,
    inbound_nodes: [],
  }));
  const written = layers.map(({ className, name, config, layer: { reads, initialStates } }) => ({
    ...kerasObject(className, { name, trainable: true, dtype: 'float32', ...config }, 'keras'),
    name,
    inbound_nodes: [
      {
        args: [tensor(reads)],
        kwargs: initialStates === undefined ? {} : { initial_state: initialStates.map(tensor) },
      },
    ],
  }));
  const all = [
    ...model.inputs.map(({ name }) => ({ name, kind: 'InputLayer' })),
    ...layers.map(({ name, className }) => ({ name, kind: className })),
  ];
  const paths = pathsInArchive(
    layers.map(({ layer, weights }) => ({
      layer,
      shapes: Object.fromEntries(weights.map(([own, { shape }]) => [own, shape])),
    })),
    all,
  );
  return {
    config: {
      module: 'keras.src.models.functional',
      class_name: 'Functional',
      config: {
        name: 'rnn_parity',
        trainable: true,
        layers: [...inputs, ...written],
        input_layers: oneOrAll(model.inputs.map(({ name }) => [name, 0, 0])),
        output_layers: oneOrAll(model.outputs.map(historyOf)),
      },
      registered_name: 'Functional',
    },
    weights: layers.flatMap(({ name, weights }) =>
      weights.map(([own, { shape, data }]) => ({ name: paths.get(`${name}.${own}`)!, shape, data })),
    ),
    layers,
  };
}

/** One tensor by itself: the model then takes or gives a tensor, and no list of one. */
const oneOrAll = <T>(list: readonly T[]): T | readonly T[] => (list.length === 1 ? list[0] : list);

/** The whole shape of what a source gives, the batch first. */
function shapeOf(model: ModelDescription, { of, state }: Source): (number | null)[] {
  const input = model.inputs.find(({ name }) => name === of);
  if (input !== undefined) return [null, ...input.shape];
  const { config, output } = model.layers.find(({ name }) => name === of)!;
  return [null, ...(state === undefined ? output : [stateWidth(config)])];
}
