import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkChoice,
  checkOptions,
  weightNames,
  type ClassifierWeights,
  type OptionNames,
  type SimpleRNNClassifier,
} from '../../scratch/index';
import { version } from '../base/version';
import {
  formatNpz,
  numbersOf,
  readNpz,
  readRegularFile,
  weightsArchive,
  writeFileAtomic,
} from '../base/files/index';
import { BackendNotRunError, UsageError } from '../base/outcome';
import { modelKinds, openClassifier, type BackendName } from '../sides/engine/index';
import { layersModelJson, maskValue, weightsBin } from './layers-model';
import { parseModelJson, takeWeights, type ModelMetadata } from './model-json';
import { modelDirectory } from './other-formats';
import { checkRunnable } from './runnable';
import { seal, sha256 } from './seal';

export type { ModelMetadata, Standardisation } from './model-json';

export interface SaveOptions extends Partial<Omit<ModelMetadata, 'trainedBy' | 'maskValue'>> {
  /** true: write a Masking layer, for sequences of different lengths */ readonly masked?: boolean;
}

const saveOptions: OptionNames<SaveOptions> = {
  masked: true,
  classNames: true,
  featureNames: true,
  standardisation: true,
};

export interface SavedModel {
  readonly weights: ClassifierWeights;
  readonly metadata: ModelMetadata;
  /** what could not be checked, in words */ readonly notes: readonly string[];
}

export interface LoadedModel extends SavedModel {
  readonly classifier: SimpleRNNClassifier;
}

/**
 * Saves a classifier of either side: `model.json` and `weights.bin`, which `tf.loadLayersModel` opens, and `weights.npz` with the
 * same weights in full float64. Each file is replaced atomically; model.json holds the SHA-256 of all three.
 *
 * @example
 * ```ts
 * await save(model, 'my-model', { classNames: ['no', 'yes'] });
 * const { classifier } = await load('my-model', { side: 'scratch' });
 * ```
 * @throws RangeError for an option that does not exist
 */
export async function save(
  classifier: Pick<SimpleRNNClassifier, 'name' | 'classes' | 'getWeights'>,
  directory: string,
  options: SaveOptions = {},
): Promise<void> {
  checkOptions(options, saveOptions, 'save');
  const { masked = false, ...rest } = options;
  const classNames = options.classNames ?? Array.from({ length: classifier.classes }, (_, c) => String(c));
  const metadata: ModelMetadata = {
    ...rest,
    classNames,
    trainedBy: classifier.name,
    ...(masked && { maskValue }),
  };
  const weights = checkRunnable(classifier.getWeights(), `the model for ${directory}`);
  const bin = weightsBin(weights);
  const npz = await formatNpz(
    Object.fromEntries(weightNames.map((name) => [name, { ...weights[name], dtype: '<f8' as const }])),
  );
  const json = layersModelJson(weights, {
    masked,
    generatedBy: `rnn-parity ${version}`,
    metadata,
  });
  const sealed = seal(json, { 'weights.bin': sha256(bin), 'weights.npz': sha256(npz) });
  const text = `${JSON.stringify(sealed, undefined, 2)}\n`;
  // the reader has the last word: what it refuses is not written
  parseModelJson(text, join(directory, 'model.json'));
  await mkdir(directory, { recursive: true });
  await writeFileAtomic(join(directory, 'weights.npz'), npz);
  await writeFileAtomic(join(directory, 'weights.bin'), bin);
  await writeFileAtomic(join(directory, 'model.json'), text);
}

export interface LoadModelOptions {
  /** which network shall run it; default: the kind that trained it */ readonly side?:
    'scratch' | 'tfjs' | 'graph';
  /** of TensorFlow.js; default: the one that trained it, else tensorflow */ readonly backend?: BackendName;
}

/**
 * Loads a saved model into a network of either side.
 *
 * @throws RangeError for an option that does not exist, UsageError when the files are not those of such a model
 */
export async function load(directory: string, options: LoadModelOptions = {}): Promise<LoadedModel> {
  checkOptions(options, { side: true, backend: true }, 'load');
  if (options.side !== undefined) checkChoice(options.side, modelKinds, 'load: side');
  const saved = await readSavedModel(directory);
  const [kind, trainedBackend] = saved.metadata.trainedBy.split(':');
  const side = options.side ?? (kind === 'tfjs' || kind === 'graph' ? kind : 'scratch');
  const known = trainedBackend === 'wasm' || trainedBackend === 'cpu' ? trainedBackend : 'tensorflow';
  const [features, units] = saved.weights.kernel.shape;
  const { classifier } = await openClassifier(
    { kind: side, backend: options.backend ?? known },
    { features, units, classes: saved.weights.outputBias.shape[0], weights: saved.weights },
  ).catch((error: unknown) => {
    if (!(error instanceof BackendNotRunError)) throw error;
    throw new BackendNotRunError(
      `${error.message}. The model runs without it too: --side scratch, or --side tfjs --backend wasm.`,
      { cause: error },
    );
  });
  return { ...saved, classifier };
}

/**
 * The weights and metadata of a saved model, in full precision when weights.npz lies alongside.
 *
 * @throws UsageError when the files are not those of a model that is run, are damaged, or contradict each other
 */
export async function readSavedModel(given: string): Promise<SavedModel> {
  const directory = await modelDirectory(given);
  const where = join(directory, 'model.json');
  const text = await readRegularFile(where).catch((error: unknown) => {
    throw new UsageError(
      `${(error as Error).message} --model takes the directory that train --out or import made, or that TensorFlow.js saved a model in.`,
      { cause: error },
    );
  });
  const model = parseModelJson(text.toString('utf8'), where);
  const shards = await Promise.all(
    model.paths.map(async (name) => {
      const bytes = await readRegularFile(join(directory, name));
      checkSum(model.checksums.get(name), bytes, join(directory, name));
      return bytes;
    }),
  );
  const files = model.paths.map((name) => join(directory, name)).join(', ');
  const rounded = checkRunnable(takeWeights(Buffer.concat(shards), model, files), files);
  const weights =
    (await fullPrecision(directory, rounded, model.checksums.get('weights.npz'), files)) ?? rounded;
  return { weights, metadata: model.metadata, notes: model.notes };
}

function checkSum(expected: string | undefined, bytes: Uint8Array, file: string): void {
  const found = sha256(bytes);
  if (expected !== undefined && expected !== found)
    throw new UsageError(
      `${file} has the SHA-256 ${found.slice(0, 12)}, model.json says ${expected.slice(0, 12)}: it is damaged, or of another model. Copy all files of the model again, or save it again.`,
    );
}

/** The float64 weights, where the file is there. */
async function fullPrecision(
  directory: string,
  rounded: ClassifierWeights,
  checksum: string | undefined,
  other: string,
): Promise<ClassifierWeights | undefined> {
  const file = join(directory, 'weights.npz');
  if (!existsSync(file)) return undefined;
  checkSum(checksum, await readRegularFile(file), file);
  const arrays = await readNpz(file, weightsArchive);
  const entries = weightNames.map((name) => {
    const exact = numbersOf(arrays, name, rounded[name].shape.length, file);
    const { data, shape } = rounded[name];
    const same =
      exact.shape.join() === shape.join() && exact.data.every((x, i) => Math.fround(x) === data[i]);
    if (!same)
      throw new UsageError(
        `${file} and ${other} hold different weights (${name}); if the model was saved again by TensorFlow.js, delete weights.npz, else copy all files of one model.`,
      );
    return [name, exact] as const;
  });
  return Object.fromEntries(entries) as unknown as ClassifierWeights;
}
