import { formatNpz, type ArrayToWrite } from '../../base/files/index';
import type { ModelDescription } from '../description';
import { kerasConfig } from './write';
import { nameInFile } from './write-layers';

/** The array of a .npz that holds the layers. */
export const configArray = 'model_config';

/**
 * A model as a .npz for numpy: weights in float64 as `LAYER/kernel`, `LAYER/recurrent_kernel`, ... in Keras's layout, and the layers as
 * text in JSON, in the form of Keras 3, in the array `model_config`.
 *
 * @throws UsageError that names what Keras 3 has no layer or option for
 */
export async function toNpz(model: ModelDescription, where = 'the model') {
  const { config, layers, layerOf } = kerasConfig(model, where);
  const arrays = layers.flatMap((layer) =>
    layer.weights.map(([own, { data, shape }]): [string, ArrayToWrite] => [
      nameInFile(layer, own),
      { data, shape, dtype: '<f8' },
    ]),
  );
  const text: ArrayToWrite = { data: [JSON.stringify(config)], shape: [] };
  return { bytes: await formatNpz({ ...Object.fromEntries(arrays), [configArray]: text }), layerOf };
}
