import type * as Tf from '@tensorflow/tfjs';
import type { Tensor } from '../../../scratch/index';
import { toLayersModel, weightOrder, type ModelDescription, type ModelLayer } from '../../models/index';
import type { SideQuestion } from './side';

/** A model that `tf.loadLayersModel` opened. */
export interface LoadedModel {
  readonly loaded: Tf.LayersModel;
  /** the layer that gives the output of each of ours, where one does */ readonly layerOf: ReadonlyMap<
    string,
    string
  >;
}

/** @throws UsageError that names what TensorFlow.js does not have */
export async function loadModel(tf: typeof Tf, model: ModelDescription): Promise<LoadedModel> {
  const { modelTopology, weightSpecs, weightData, layerOf } = toLayersModel(model);
  const bytes = new Uint8Array(weightData).buffer;
  const artifacts = { modelTopology, weightSpecs: [...weightSpecs], weightData: bytes };
  return { loaded: await tf.loadLayersModel(tf.io.fromMemory(artifacts)), layerOf };
}

/** The variables that train, layer after layer, in the order of the weights in Keras. */
export function variablesOf(tf: typeof Tf, { loaded, layerOf }: LoadedModel, layers: readonly ModelLayer[]) {
  return layers.flatMap((layer) => {
    const names = weightOrder.filter((name) => name in layer.weights && !name.startsWith('moving'));
    if (names.length === 0) return [];
    const own = loaded.getLayer(layerOf.get(layer.name) ?? layer.name).trainableWeights;
    return names.map((name, i) => {
      // what a LayerVariable reads is the variable itself
      const variable = own[i].read();
      if (!(variable instanceof tf.Variable))
        throw new Error(`TensorFlow.js: ${layer.name}/${name} is no variable`);
      return { layer, name, variable };
    });
  });
}

/** Its inputs as tensors, in the order of the model. */
export const inputsFor = (
  tf: typeof Tf,
  { model, inputs }: Pick<SideQuestion, 'model' | 'inputs'>,
): Tf.Tensor[] =>
  model.inputs.map(({ name, vocabulary }) =>
    given(tf, inputs[name], vocabulary === undefined ? 'float32' : 'int32'),
  );

export const given = (
  tf: typeof Tf,
  { data, shape }: Tensor,
  dtype: 'float32' | 'int32' = 'float32',
): Tf.Tensor => tf.tensor(Float32Array.from(data), [...shape], dtype);

export const read = (tensor: Tf.Tensor): Tensor => ({
  data: Float64Array.from(tensor.dataSync()),
  shape: tensor.shape,
});
