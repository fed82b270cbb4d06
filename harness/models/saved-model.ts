import { readFile } from 'node:fs/promises';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkClassifierWeights,
  weightNames,
  type ClassifierWeights,
  type SimpleRNNClassifier,
} from '../../scratch/index';
import { version } from '../base/version';
import { numbersOf, readNpz, weightsArchive, writeFileAtomic, writeNpz } from '../base/files/index';
import { UsageError } from '../base/outcome';
import { openClassifier, type BackendName } from '../sides/engine/index';
import { layersModelJson, layersNames, maskValue, readWeightsBin, weightsBin } from './layers-model';

/** Per feature: x' = (x - mean) / scale. */
export interface Standardisation {
  readonly mean: readonly number[];
  /** the standard deviation; 1 for a feature that never changes */ readonly scale: readonly number[];
}

/** What a saved model remembers besides its weights; in model.json under `userDefinedMetadata`. */
export interface ModelMetadata {
  /** labels as written, by class index */ readonly classNames: readonly string[];
  /** applied to inputs before the network sees them */ readonly standardisation?: Standardisation;
  readonly featureNames?: readonly string[];
  /** which side trained it: `scratch`, `tfjs:wasm`, `graph` */ readonly trainedBy: string;
  /** sequences of different lengths: pad with this value when using TensorFlow.js alone */ readonly maskValue?: number;
}

export interface SaveOptions extends Partial<Omit<ModelMetadata, 'trainedBy' | 'maskValue'>> {
  /** true: write a Masking layer, for sequences of different lengths */ readonly masked?: boolean;
}

export interface SavedModel {
  readonly weights: ClassifierWeights;
  readonly metadata: ModelMetadata;
}

export interface LoadedModel extends SavedModel {
  readonly classifier: SimpleRNNClassifier;
}

/**
 * Saves a classifier of either side: `model.json` and `weights.bin`, which `tf.loadLayersModel` opens, and `weights.npz` with the
 * same weights in full float64. Each file is replaced atomically.
 *
 * @example
 * ```ts
 * await save(model, 'my-model', { classNames: ['no', 'yes'] });
 * const { classifier } = await load('my-model', { side: 'scratch' });
 * ```
 */
export async function save(
  classifier: Pick<SimpleRNNClassifier, 'name' | 'classes' | 'getWeights'>,
  directory: string,
  options: SaveOptions = {},
): Promise<void> {
  const { masked = false, ...rest } = options;
  const classNames = options.classNames ?? Array.from({ length: classifier.classes }, (_, c) => String(c));
  const metadata: ModelMetadata = {
    ...rest,
    classNames,
    trainedBy: classifier.name,
    ...(masked && { maskValue }),
  };
  const weights = classifier.getWeights();
  const json = layersModelJson(weights, {
    masked,
    generatedBy: `rnn-parity ${version}`,
    metadata,
  });
  await mkdir(directory, { recursive: true });
  await writeNpz(
    join(directory, 'weights.npz'),
    Object.fromEntries(weightNames.map((name) => [name, { ...weights[name], dtype: '<f8' as const }])),
  );
  await writeFileAtomic(join(directory, 'weights.bin'), weightsBin(weights));
  await writeFileAtomic(join(directory, 'model.json'), `${JSON.stringify(json, undefined, 2)}\n`);
}

export interface LoadModelOptions {
  /** which network shall run it; default: the kind that trained it */ readonly side?:
    'scratch' | 'tfjs' | 'graph';
  /** of TensorFlow.js; default: the one that trained it, else tensorflow */ readonly backend?: BackendName;
}

/** Loads a saved model into a network of either side. Throws UsageError when the files are not those of such a model. */
export async function load(directory: string, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const saved = await readSavedModel(directory);
  const [kind, trainedBackend] = saved.metadata.trainedBy.split(':');
  const side = options.side ?? (kind === 'tfjs' || kind === 'graph' ? kind : 'scratch');
  const known = trainedBackend === 'wasm' || trainedBackend === 'cpu' ? trainedBackend : 'tensorflow';
  const [features, units] = saved.weights.kernel.shape;
  const { classifier } = await openClassifier(
    { kind: side, backend: options.backend ?? known },
    { features, units, classes: saved.weights.outputBias.shape[0], weights: saved.weights },
  );
  return { ...saved, classifier };
}

/** The weights and metadata of a saved model, in full precision when weights.npz belongs to it. */
export async function readSavedModel(directory: string): Promise<SavedModel> {
  const where = join(directory, 'model.json');
  const text = await readFile(where, 'utf8').catch(() => {
    throw new UsageError(`${where} cannot be read; --model takes the directory that train --out made.`);
  });
  const { shapes, metadata } = parseModelJson(text, where);
  const bytes = await readFile(join(directory, 'weights.bin')).catch(() => {
    throw new UsageError(`${join(directory, 'weights.bin')} cannot be read; model.json needs it beside it.`);
  });
  const rounded = readWeightsBin(bytes, shapes, join(directory, 'weights.bin'));
  const [features, units] = shapes.kernel;
  const sizes = { features, units, classes: shapes.outputBias[0] };
  const weights = checkClassifierWeights(rounded, sizes, directory);
  if (metadata.classNames.length !== sizes.classes)
    throw new UsageError(
      `${where} names ${metadata.classNames.length} classes for ${sizes.classes} outputs; save it again.`,
    );
  return { weights: (await fullPrecision(directory, weights)) ?? weights, metadata };
}

/** The float64 weights, if they are the ones that weights.bin holds rounded. */
async function fullPrecision(
  directory: string,
  rounded: ClassifierWeights,
): Promise<ClassifierWeights | undefined> {
  const file = join(directory, 'weights.npz');
  const arrays = await readNpz(file, weightsArchive).catch(() => undefined);
  if (arrays === undefined) return undefined;
  const same = weightNames.every((name) => {
    if (!arrays.has(name)) return false;
    const { data } = numbersOf(arrays, name, rounded[name].shape.length, file);
    return (
      data.length === rounded[name].data.length &&
      data.every((x, i) => Math.fround(x) === rounded[name].data[i])
    );
  });
  if (!same) return undefined;
  return Object.fromEntries(
    weightNames.map((name) => [name, numbersOf(arrays, name, rounded[name].shape.length, file)]),
  ) as unknown as ClassifierWeights;
}

interface WeightSpec {
  readonly name?: unknown;
  readonly shape?: unknown;
  readonly dtype?: unknown;
}

interface ModelJson {
  readonly weightsManifest?: unknown;
  readonly userDefinedMetadata?: Partial<ModelMetadata> | null;
}

/** The weights that the manifest lists, whatever it holds. */
function specsOf(json: ModelJson | null): readonly (WeightSpec | null)[] {
  const groups: unknown = json?.weightsManifest;
  if (!Array.isArray(groups)) return [];
  return (groups as ({ readonly weights?: unknown } | null)[]).flatMap((group) => {
    const specs: unknown = group?.weights;
    return Array.isArray(specs) ? (specs as (WeightSpec | null)[]) : [];
  });
}

function parseModelJson(
  text: string,
  where: string,
): { shapes: Record<keyof ClassifierWeights, number[]>; metadata: ModelMetadata } {
  const refuse = (what: string): UsageError =>
    new UsageError(`${where} ${what}; a SimpleRNN classifier saved by rnn-parity was expected.`);
  let json: ModelJson | null;
  try {
    json = JSON.parse(text) as ModelJson | null;
  } catch (error) {
    throw refuse(`is no JSON (${error instanceof Error ? error.message : ''})`);
  }
  const specs = specsOf(json);
  const shapes = Object.fromEntries(
    weightNames.map((name, i) => {
      const { name: found, shape, dtype } = specs[i] ?? {};
      const sizes = Array.isArray(shape) ? (shape as unknown[]) : [];
      const rank = name === 'bias' || name === 'outputBias' ? 1 : 2;
      const fits = sizes.length === rank && sizes.every((n) => Number.isSafeInteger(n) && (n as number) > 0);
      if (found !== layersNames[name] || dtype !== 'float32' || !fits)
        throw refuse(`has ${JSON.stringify(specs[i])} where ${layersNames[name]} belongs`);
      return [name, sizes as number[]];
    }),
  ) as Record<keyof ClassifierWeights, number[]>;
  const given = json?.userDefinedMetadata ?? {};
  const classes = shapes.outputBias[0];
  const classNames = isTexts(given.classNames)
    ? given.classNames
    : Array.from({ length: classes }, (_, c) => String(c));
  const { standardisation } = given;
  if (standardisation !== undefined && !isStandardisation(standardisation, shapes.kernel[0]))
    throw refuse('has a standardisation that does not fit its features');
  return {
    shapes,
    metadata: {
      classNames,
      trainedBy: typeof given.trainedBy === 'string' ? given.trainedBy : 'tfjs',
      ...(standardisation && { standardisation }),
      ...(isTexts(given.featureNames) && { featureNames: given.featureNames }),
      ...(typeof given.maskValue === 'number' && { maskValue: given.maskValue }),
    },
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((x) => typeof x === 'string');
}

function isStandardisation(value: unknown, features: number): value is Standardisation {
  const lists = [(value as Standardisation | null)?.mean, (value as Standardisation | null)?.scale];
  return lists.every(
    (list) => Array.isArray(list) && list.length === features && list.every((x) => Number.isFinite(x)),
  );
}
