import type * as Tf from '@tensorflow/tfjs';
import type { Tensor } from '../../../scratch/index';
import { loadBackend, type BackendName } from '../../../src/index';
import { UsageError } from '../../base/outcome';
import { precisionModelOf } from '../../budget/index';
import { toLayersModel } from '../../models/index';
import { AbsentSideError, CannotRunError, type ModelSide, type Shown } from './side';

/**
 * Plain TensorFlow.js: the model as a LayersModel that `tf.loadLayersModel` opens, every layer of it shown. What TensorFlow.js does
 * not have, and what it throws, is a CannotRunError.
 *
 * @throws AbsentSideError when the backend is not on this machine
 */
export async function openTfjsSide(name: BackendName): Promise<ModelSide> {
  const backend = await loadBackend(name).catch((error: unknown) => {
    throw new AbsentSideError((error as Error).message, { cause: error });
  });
  const { tf } = backend;
  return {
    name: `tfjs:${name}`,
    version: backend.version,
    model: precisionModelOf({ name: `tfjs:${name}`, precision: 'float32' }),
    async run(model, inputs) {
      backend.use();
      let loaded: Tf.LayersModel | undefined;
      try {
        const { modelTopology, weightSpecs, weightData, layerOf } = toLayersModel(model);
        const bytes = weightData.buffer.slice(
          weightData.byteOffset,
          weightData.byteOffset + weightData.byteLength,
        ) as ArrayBuffer;
        loaded = await tf.loadLayersModel(
          tf.io.fromMemory({ modelTopology, weightSpecs: [...weightSpecs], weightData: bytes }),
        );
        const shown = model.layers.flatMap(({ name: ours }) => {
          const theirs = layerOf.get(ours);
          return theirs === undefined ? [] : [[ours, theirs] as const];
        });
        const probed = loaded;
        const outputs = shown.map(([, theirs]) => [probed.getLayer(theirs).output].flat());
        const probe = tf.model({ inputs: loaded.inputs, outputs: outputs.flat() });
        let answer: Tensor[] = [];
        tf.tidy(() => {
          const given = model.inputs.map(({ name: input, vocabulary }) => {
            const { data, shape } = inputs[input];
            return tf.tensor(
              Float32Array.from(data),
              [...shape],
              vocabulary === undefined ? 'float32' : 'int32',
            );
          });
          const all = [probe.predict(given.length === 1 ? given[0] : given)].flat();
          answer = all.map((tensor) => ({ data: Float64Array.from(tensor.dataSync()), shape: tensor.shape }));
        });
        let at = 0;
        return new Map(
          shown.map(([ours], i): [string, Shown] => {
            const own = answer.slice(at, (at += outputs[i].length));
            return [ours, { output: own[0], ...(own.length > 1 && { states: own.slice(1) }) }];
          }),
        );
      } catch (error) {
        const what =
          error instanceof UsageError ? error.message : `TensorFlow.js: ${(error as Error).message}`;
        throw new CannotRunError(what, { cause: error });
      } finally {
        loaded?.dispose();
      }
    },
  };
}
