import { checkChoice } from '../../scratch/index';
import { UsageError } from '../base/outcome';
import type { MaskedRows, ModelDescription } from './description';
import { toKeras, toNpz } from './keras/write';
import { toOnnx } from './onnx/write';
import { checkStorable } from './networks';
import { toSavedModel } from './savedmodel/write';
import { maskedLayers } from './shapes';
import { layersModelText, toLayersModel } from './tfjs/write';

/**
 * Refuses a model that the other program would open, and run by its own rule about masked steps. Without initial states a state repeated
 * and an output repeated are the same: zeros before the first step that exists.
 */
function checkMaskedRows(model: ModelDescription, format: 'tfjs' | 'keras' | 'npz', where: string): void {
  const reached = maskedLayers(model);
  for (const { name, kind, maskedRows = 'state', initialStates } of model.layers) {
    if (!reached.has(name)) continue;
    const isStarted = initialStates !== undefined;
    const same: readonly MaskedRows[] =
      format === 'tfjs'
        ? isStarted
          ? ['state']
          : ['state', 'output']
        : isStarted
          ? ['unmasked']
          : ['state', 'output', 'zero'];
    if (!same.includes(maskedRows))
      throw new UsageError(
        `${where}: layer ${name} (${kind}) runs under a mask, and ${rules[maskedRows]}; ${format === 'tfjs' ? 'TensorFlow.js repeats the state there' : `Keras 3 ${isStarted ? 'passes no mask to a layer with initial states' : 'passes the mask'}`}, so this model cannot be written for it.`,
      );
  }
}

const rules: Readonly<Record<MaskedRows, string>> = {
  output: 'gives at a masked step the output before it, zeros before the first step that exists',
  state: 'gives at a masked step the state, the initial one before the first step that exists',
  zero: 'gives zeros at masked steps (zero_output_for_mask)',
  unmasked: 'does not see the mask (Keras 3 passes none to a layer with initial states)',
};

export const writeFormats = ['tfjs', 'keras', 'onnx', 'savedmodel', 'npz'] as const;
export type WriteFormat = (typeof writeFormats)[number];

/** How the name of a file of the format ends; the other formats are folders. */
export const fileEndings: Readonly<Partial<Record<WriteFormat, string>>> = {
  keras: '.keras',
  onnx: '.onnx',
  npz: '.npz',
};

/** A model in the form of another program. */
export interface WrittenModel {
  /** by name inside of a folder; a single file has the name '' */ readonly files: ReadonlyMap<
    string,
    Buffer
  >;
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
  // .npz keeps float64
  if (format !== 'npz') checkStorable(model, where);
  if (format !== 'onnx' && format !== 'savedmodel') checkMaskedRows(model, format, where);
  return { files: new Map(await writers[format](model, where)) };
}

type Files = readonly (readonly [name: string, content: Buffer])[];

const writers: Readonly<
  Record<WriteFormat, (model: ModelDescription, where: string) => Files | Promise<Files>>
> = {
  tfjs(model, where) {
    const written = toLayersModel(model, where);
    return [
      ['weights.bin', written.weightData],
      ['model.json', Buffer.from(layersModelText(written))],
    ];
  },
  keras: async (model, where) => [['', await toKeras(model, where)]],
  onnx: (model, where) => [['', toOnnx(model, where)]],
  savedmodel: (model, where) => [['saved_model.pb', toSavedModel(model, where)]],
  npz: async (model, where) => [['', await toNpz(model, where)]],
};
