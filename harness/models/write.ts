import { checkChoice } from '../../scratch/index';
import type { ModelDescription } from './description';
import { toKeras } from './keras/write';
import { toNpz } from './keras/write-npz';
import { toOnnx } from './onnx/write';
import { toSavedModel } from './savedmodel/write';
import { layersModelText, toLayersModel } from './tfjs/write';

export const writeFormats = ['tfjs', 'keras', 'onnx', 'savedmodel', 'npz'] as const;
export type WriteFormat = (typeof writeFormats)[number];

/** A model in the form of another program. */
export interface WrittenModel {
  /** by name inside of a folder; a single file has the name '' */ readonly files: ReadonlyMap<
    string,
    Buffer
  >;
  /** what gives the output of each of our layers: a layer of Keras or TensorFlow.js, a tensor of ONNX */
  readonly layerOf: ReadonlyMap<string, string>;
}

/**
 * A model as the files of another program. Nothing is written.
 *
 * @param where how messages call the model
 * @throws UsageError that names what the format cannot hold; RangeError for a format that does not exist
 */
export async function writeModel(
  model: ModelDescription,
  format: WriteFormat,
  where = 'the model',
): Promise<WrittenModel> {
  checkChoice(format, writeFormats, 'writeModel: format');
  switch (format) {
    case 'tfjs': {
      const written = toLayersModel(model, where);
      const files = new Map([
        ['weights.bin', written.weightData],
        ['model.json', Buffer.from(layersModelText(written))],
      ]);
      return { files, layerOf: written.layerOf };
    }
    case 'keras': {
      const { bytes, layerOf } = await toKeras(model, where);
      return { files: new Map([['', bytes]]), layerOf };
    }
    case 'onnx': {
      const { bytes, layerOf } = toOnnx(model, where);
      return { files: new Map([['', bytes]]), layerOf };
    }
    case 'savedmodel': {
      const { bytes, outputs } = toSavedModel(model, where);
      const layerOf = new Map(model.outputs.map(({ of }, i) => [of, outputs[i]]));
      return { files: new Map([['saved_model.pb', bytes]]), layerOf };
    }
    case 'npz': {
      const { bytes, layerOf } = await toNpz(model, where);
      return { files: new Map([['', bytes]]), layerOf };
    }
  }
}
