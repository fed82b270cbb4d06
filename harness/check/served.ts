import type * as Tf from '@tensorflow/tfjs';
import { loadBackend } from '../../src/index';
import type { Tensor } from '../../scratch/index';
import { UsageError } from '../base/outcome';
import { servedName, servedOutput, type ModelDescription } from '../models/index';
import type { ModelInputs } from './reference';

/**
 * What TensorFlow gives for a SavedModel: its signature `serving_default`, run by the native library.
 *
 * @param folder with saved_model.pb
 * @throws UsageError when the native library is not on this machine
 */
export async function runServed(
  folder: string,
  model: ModelDescription,
  inputs: ModelInputs,
): Promise<Tensor[]> {
  const backend = await loadBackend('tensorflow').catch((error: unknown) => {
    throw new UsageError(
      `A SavedModel is written with the proof that TensorFlow runs it, and TensorFlow is not on this machine: ${(error as Error).message}`,
      { cause: error },
    );
  });
  const { tf, node } = backend;
  backend.use();
  const served = await node!.loadSavedModel(folder);
  const feeds = Object.fromEntries(
    model.inputs.map(({ name, vocabulary }): [string, Tf.Tensor] => {
      const { data, shape } = inputs[name];
      const dtype = vocabulary === undefined ? 'float32' : 'int32';
      return [servedName(name), tf.tensor(Float32Array.from(data), [...shape], dtype)];
    }),
  );
  let results: Tf.NamedTensorMap = {};
  try {
    results = served.predict(feeds, {}) as Tf.NamedTensorMap;
    return model.outputs.map(servedOutput).map((name) => ({
      data: Float64Array.from(results[name].dataSync()),
      shape: results[name].shape,
    }));
  } finally {
    tf.dispose([feeds, results]);
    served.dispose();
  }
}
