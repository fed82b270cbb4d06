import { endianness } from 'node:os';
import { weightNames, type ClassifierWeights } from '../../scratch/index';

/** Names of the five weights in TensorFlow.js's LayersModel files and in Keras. */
export const layersNames = {
  kernel: 'simple_rnn/kernel',
  recurrentKernel: 'simple_rnn/recurrent_kernel',
  bias: 'simple_rnn/bias',
  outputKernel: 'dense/kernel',
  outputBias: 'dense/bias',
} as const satisfies Record<keyof ClassifierWeights, string>;

/** What padded steps of a batch hold, so that the file's Masking layer skips them; exact in float32. */
export const maskValue = -1e9;

/** The topology of a SimpleRNN classifier with softmax, as `tf.loadLayersModel` reads it. */
export function layersModelJson(
  weights: ClassifierWeights,
  options: { readonly masked: boolean; readonly generatedBy: string; readonly metadata: object },
): { readonly userDefinedMetadata: object } & Readonly<Record<string, unknown>> {
  const [features, units] = weights.kernel.shape;
  const classes = weights.outputBias.shape[0];
  const input = { batch_input_shape: [null, null, features], dtype: 'float32' };
  const masking = {
    class_name: 'Masking',
    config: { name: 'masking', trainable: true, ...input, mask_value: maskValue },
  };
  const recurrent = {
    class_name: 'SimpleRNN',
    config: {
      name: 'simple_rnn',
      trainable: true,
      ...(options.masked ? {} : input),
      units,
      activation: 'tanh',
      use_bias: true,
      return_sequences: false,
      return_state: false,
      go_backwards: false,
      stateful: false,
      unroll: false,
      dropout: 0,
      recurrent_dropout: 0,
    },
  };
  const dense = {
    class_name: 'Dense',
    config: { name: 'dense', trainable: true, units: classes, activation: 'softmax', use_bias: true },
  };
  return {
    format: 'layers-model',
    generatedBy: options.generatedBy,
    convertedBy: null,
    modelTopology: {
      class_name: 'Sequential',
      config: { name: 'rnn_parity', layers: [...(options.masked ? [masking] : []), recurrent, dense] },
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
    },
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: weightNames.map((name) => ({
          name: layersNames[name],
          shape: [...weights[name].shape],
          dtype: 'float32',
        })),
      },
    ],
    userDefinedMetadata: options.metadata,
  };
}

/** The weights as float32, little-endian, one after the other. */
export function weightsBin(weights: ClassifierWeights): Buffer {
  const all = Buffer.concat(
    weightNames.map((name) => {
      const { buffer, byteOffset, byteLength } = Float32Array.from(weights[name].data);
      return Buffer.from(buffer, byteOffset, byteLength);
    }),
  );
  return endianness() === 'LE' ? all : all.swap32();
}
