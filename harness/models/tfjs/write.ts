import { endianness } from 'node:os';
import type { Tensor } from '../../../scratch/index';
import { version } from '../../base/version';
import type { ModelDescription } from '../description';
import { nameInFile, writeLayers } from '../keras/write-layers';

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

/**
 * A model as a LayersModel that TensorFlow.js opens.
 *
 * @param program `tfjs`: by itself; `registered`: after `registerLayers(tf)`
 * @throws UsageError that names what the program has no layer or option for
 */
export function toLayersModel(
  model: ModelDescription,
  where = 'the model',
  program: 'tfjs' | 'registered' = 'tfjs',
): WrittenLayersModel {
  const { layers, layerOf, historyOf } = writeLayers(model, program, where);
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
      [layer.reads, ...(layer.initialStates ?? [])].map((source) => [...historyOf(source), {}]),
    ],
  }));
  const weights = layers.flatMap((layer) =>
    layer.weights.map(([own, tensor]) => [nameInFile(layer, own), tensor] as const),
  );
  return {
    modelTopology: {
      class_name: 'Model',
      config: {
        name: 'rnn_parity',
        layers: [...inputs, ...written],
        input_layers: model.inputs.map(({ name }) => [name, 0, 0]),
        output_layers: model.outputs.map(historyOf),
      },
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
    },
    weightSpecs: weights.map(([name, { shape }]) => ({ name, shape: [...shape], dtype: 'float32' })),
    weightData: Buffer.concat(weights.map(([, tensor]) => littleEndian(tensor))),
    layerOf,
  };
}

/** The content of model.json, for weights in `weights.bin` alongside. */
export function layersModelJson({
  modelTopology,
  weightSpecs,
}: Pick<WrittenLayersModel, 'modelTopology' | 'weightSpecs'>) {
  return {
    format: 'layers-model',
    generatedBy: `rnn-parity ${version}`,
    convertedBy: null,
    modelTopology,
    weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
  };
}

/** model.json, for weights in `weights.bin` alongside. */
export function layersModelText(written: WrittenLayersModel): string {
  const json = { ...layersModelJson(written), generatedBy: `rnn-parity convert ${version}` };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

function littleEndian({ data }: Tensor): Buffer {
  const { buffer, byteOffset, byteLength } = Float32Array.from(data);
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return endianness() === 'LE' ? bytes : bytes.swap32();
}
