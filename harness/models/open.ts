import { checkChoice, checkOptions, describe, type OptionNames } from '../../scratch/index';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { isStringArray, readNpz, readRegularFile, readZip, weightsArchive } from '../base/files/index';
import { UsageError } from '../base/outcome';
import { storedHalf, type ModelDescription } from './description';
import { isH5 } from './keras/h5';
import { readKerasArchive, readKerasArrays, readKerasH5, type ReadOptions } from './keras/read';
import { configArray } from './keras/write';
import { isOnnx, readOnnx } from './onnx/read';
import type { StateEntry } from './pytorch/modules';
import { readStateDict, type StateOptions } from './pytorch/read';
import { isSafetensors, readSafetensors } from './pytorch/safetensors';
import { readLayersModel } from './tfjs/read';

/** How a file is read; `nonlinearity` and `steps` for a state_dict of PyTorch. */
export interface OpenOptions extends ReadOptions, StateOptions {}

export type { StateOptions };

const optionNames: OptionNames<OpenOptions> = {
  until: true,
  patience: true,
  nonlinearity: true,
  steps: true,
};

/**
 * Opens a user's model, by what the file is and not by its name: a LayersModel of TensorFlow.js (its model.json or its folder), .keras
 * or .h5 of Keras, a state_dict of PyTorch as .npz or .safetensors, ONNX. Nothing in a file is executed.
 *
 * @param options until: reads only what comes before the layer of this name
 * @throws UsageError that says what the file is and what is not read of it; RangeError for an option that does not exist
 */
export async function openModelFile(given: string, options: OpenOptions = {}): Promise<ModelDescription> {
  checkOptions(options, optionNames, 'openModelFile');
  const { nonlinearity, steps } = options;
  if (nonlinearity !== undefined) checkChoice(nonlinearity, ['tanh', 'relu'], 'openModelFile: nonlinearity');
  if (steps !== undefined) checkChoice(steps, ['final', 'last', 'all'], 'openModelFile: steps');
  if (typeof (given as unknown) !== 'string')
    throw new TypeError(`openModelFile: the file is ${describe(given)}; pass its path.`);
  const model = await readFormat(given, options);
  refuseStateOptions(model, given, options);
  return model;
}

/** Refuses options about a state_dict that change nothing for this file. */
export function refuseStateOptions(
  { format, layers }: Pick<ModelDescription, 'format' | 'layers'>,
  where: string,
  options: StateOptions,
): void {
  const { nonlinearity, steps } = options;
  const isState = format === 'pytorch';
  const idle = [
    ...(steps === undefined || isState ? [] : [`--steps ${steps} is for a state_dict of PyTorch`]),
    ...(nonlinearity === undefined || (isState && layers.some(({ kind }) => kind === 'nn.RNN'))
      ? []
      : [`--nonlinearity ${nonlinearity} is for an nn.RNN in a state_dict of PyTorch`]),
  ];
  if (idle.length > 0)
    throw new UsageError(
      `${idle.join(', and ')}; ${where} is read the same without, so leave ${idle.length === 1 ? 'it' : 'them'} out.`,
    );
}

async function readFormat(given: string, options: OpenOptions): Promise<ModelDescription> {
  const found = await stat(given).catch(() => undefined);
  if (found?.isDirectory() === true) return readLayersModel(path.join(given, 'model.json'), options);
  if (path.extname(given) === '.json') return readLayersModel(given, options);
  const bytes = await readRegularFile(given);
  if (isH5(bytes)) return readKerasH5(bytes, given, options);
  if (bytes.toString('latin1', 0, 2) === 'PK') return openArchive(bytes, given, options);
  if (isSafetensors(bytes))
    return refuseCut(readStateDict(readSafetensors(bytes, given), given, false, options), given, options);
  // protocol 2 of pickle, and the older form of torch.save
  if (bytes[0] === 0x80 || /\.(pt|pth|ckpt|pkl|pickle)$/.test(given)) throw pickled(given);
  if (isOnnx(bytes)) return readOnnx(bytes, given, options);
  throw new UsageError(
    `${given} is no model that is read: a LayersModel of TensorFlow.js (model.json), .keras or .h5 of Keras, .safetensors or .npz of a PyTorch state_dict, or ONNX was expected.`,
  );
}

/** A zip archive: .keras, .npz, or the pickle of torch.save. */
async function openArchive(bytes: Buffer, where: string, options: OpenOptions): Promise<ModelDescription> {
  const names: string[] = [];
  await readZip(bytes, where, (name) => names.push(name) < 0, { maxBytes: 0, maxExpansion: 1 });
  if (names.some((name) => /(^|\/)data\.pkl$/.test(name))) throw pickled(where);
  if (!names.some((name) => name.endsWith('.npy'))) return readKerasArchive(bytes, where, options);
  const arrays = await readNpz(bytes, weightsArchive);
  if (arrays.has(configArray)) return readKerasArrays(arrays, where, options);
  refuseOwnWeights([...arrays.keys()], where);
  const entries = [...arrays].map(([name, array]): StateEntry => {
    if (isStringArray(array))
      throw new UsageError(`${where} holds the text ${name}; a state_dict holds numbers only.`);
    const { data, shape, dtype } = array;
    const stored = dtype.endsWith('f2') ? storedHalf.float16 : undefined;
    return { name, shape, read: () => ({ data, shape, stored }) };
  });
  return refuseCut(readStateDict(entries, where, true, options), where, options);
}

/** The weights.npz of a run says no layers; these stand in the model.json of its folder. */
function refuseOwnWeights(names: readonly string[], where: string): void {
  const isOwn = names.length > 0 && names.every((name) => /^layer\d+\.\w+$/.test(name));
  if (!isOwn && !names.includes('recurrentKernel')) return;
  const folder = path.dirname(where);
  const advice = existsSync(path.join(folder, 'model.json'))
    ? `give its folder, ${folder}`
    : 'give the folder that it was saved in';
  throw new UsageError(
    `${where} holds the weights of a model that rnn-parity saved, and no layers: these stand in the model.json alongside it, so ${advice}.`,
  );
}

/** A state_dict is read whole. */
function refuseCut(model: ModelDescription, where: string, { until }: OpenOptions): ModelDescription {
  if (until === undefined) return model;
  throw new UsageError(`${where} is a state_dict, which is read whole; leave out --until.`);
}

function pickled(where: string): UsageError {
  return new UsageError(
    `${where} is a pickle, which is code that runs when it is opened, so it is not read; save the state_dict from Python with safetensors.torch.save_file(model.state_dict(), 'model.safetensors'), or with np.savez('model.npz', **{k: v.numpy() for k, v in model.state_dict().items()}).`,
  );
}
