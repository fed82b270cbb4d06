import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import {
  checkChoice,
  checkOptions,
  describe,
  classifierLayers,
  NetworkPlan,
  weightsByLayer,
  weightsOfLayers,
  type LayersNetwork,
  type NetworkConfig,
  type OptionNames,
  type SimpleRNNClassifier,
  type StackWeights,
  type Tensor,
} from '../../scratch/index';
import { backendNames } from '../../src/index';
import {
  formatNpz,
  modelFolder,
  numbersOf,
  readNpz,
  readRegularFile,
  readTextFile,
  weightsArchive,
  writeFilesAtomic,
  makeDirectory,
} from '../base/files/index';
import { formatLayers } from '../base/layers-text';
import { BackendNotRunError, UsageError } from '../base/outcome';
import {
  modelKinds,
  openClassifier,
  openNetwork,
  type BackendName,
  type EngineChoice,
} from '../sides/engine/index';
import type { ModelDescription } from './description';
import { asObject, isTexts, parseJson } from './json';
import { metadataOf, type ModelMetadata } from './metadata';
import { notWritable } from './lock';
import { checkStorable, describeNetwork, namedWeights, networkOf, type ModelNetwork } from './networks';
import { openModelFile, refuseStateOptions, type StateOptions } from './open';
import { checkSeal, seal, sha256 } from './seal';
import { layersModelOf } from './tfjs/read';
import { layersModelJson, toLayersModel } from './tfjs/write';

/** What padded steps of a batch hold, so that the file's Masking layer skips them; exact in float32. */
export const maskValue = -1e9;

export interface SaveOptions extends Partial<Omit<ModelMetadata, 'trainedBy' | 'maskValue'>> {
  /** true: write a Masking layer of -1e9, for sequences of different lengths; a number: of that value */
  readonly masked?: boolean | number;
}

const saveOptions: OptionNames<SaveOptions> = {
  masked: true,
  classNames: true,
  featureNames: true,
  standardisation: true,
};

/** A network in a file, read. */
export interface SavedModel extends ModelNetwork {
  readonly metadata: ModelMetadata;
  /** what could not be checked, in words */ readonly notes: readonly string[];
}

export interface LoadedModel extends SavedModel {
  readonly classifier: SimpleRNNClassifier;
}

export interface LoadedNetworkModel extends SavedModel {
  readonly network: LayersNetwork;
}

/** A network or a classifier of any side. */
export type Saveable =
  | Pick<LayersNetwork, 'name' | 'config' | 'getWeights'>
  | Pick<SimpleRNNClassifier, 'name' | 'features' | 'units' | 'classes' | 'getWeights'>;

/**
 * Saves a network or a classifier of any side: `model.json` and `weights.bin`, which `tf.loadLayersModel` opens, and `weights.npz` with
 * the same weights in full float64. All three are replaced together, or none; model.json holds the SHA-256 of all three.
 *
 * @example
 * ```ts
 * await save(model, 'my-model', { classNames: ['no', 'yes'] });
 * const { network } = await loadNetwork('my-model', { side: 'scratch' });
 * ```
 * @throws RangeError for an option that does not exist, UsageError for metadata or weights that would not open again
 */
export async function save(model: Saveable, directory: string, options: SaveOptions = {}): Promise<void> {
  checkOptions(options, saveOptions, 'save');
  const { masked = false, ...rest } = options;
  if (typeof masked !== 'boolean' && !Number.isFinite(masked))
    throw new TypeError(
      `save: masked is ${String(masked)}; pass true, false, or the number that marks masked steps.`,
    );
  const isPath = typeof (directory as unknown) === 'string' && directory !== '';
  if (!isPath || typeof model !== 'object' || (model as object | null) === null)
    throw new TypeError(
      `save: ${isPath ? 'the model' : 'the directory'} is missing; pass a network, and the path of a directory.`,
    );
  const { featureNames } = options;
  if (featureNames !== undefined && !isTexts(featureNames))
    throw new TypeError('save: featureNames holds something else than texts; pass an array of names.');
  const config: NetworkConfig = 'config' in model ? model.config : classifierLayers(model);
  const given = 'config' in model ? model.getWeights() : weightsByLayer(model.getWeights());
  const weights = new NetworkPlan(config, 'save').checkWeights(given, 'save: the weights');
  const readsIntegers = config.features === undefined;
  const mask = masked === false || readsIntegers ? {} : { maskValue: masked === true ? maskValue : masked };
  const where = path.join(directory, 'model.json');
  const description = describeNetwork({ config, weights, ...mask });
  checkStorable(description, `the model for ${directory}`);
  const remembered = { ...rest, trainedBy: model.name, ...mask };
  const metadata = metadataOf(remembered, sizesOf(config, description), model.name, where);

  const written = toLayersModel(description, where, 'registered');
  const npz = await formatNpz(
    Object.fromEntries(
      archive(config, weights).map(([name, tensor]) => [name, { ...tensor, dtype: '<f8' as const }]),
    ),
  );
  const json = { ...layersModelJson(written), userDefinedMetadata: metadata };
  const sums = { 'weights.bin': sha256(written.weightData), 'weights.npz': sha256(npz) };
  const text = `${JSON.stringify(seal(json, sums), undefined, 2)}\n`;
  await makeDirectory(directory).catch((error: unknown) => {
    throw notWritable(directory, error);
  });
  await writeFilesAtomic([
    [path.join(directory, 'weights.npz'), npz],
    [path.join(directory, 'weights.bin'), written.weightData],
    [where, text],
  ]);
}

/** Whether a model gives one class a sequence. */
export function givesClasses({ config, metadata }: Pick<SavedModel, 'config' | 'metadata'>): boolean {
  const [last] = new NetworkPlan(config, 'givesClasses').layers.slice(-1);
  return metadata.classNames.length > 0 && !last.output.hasTime;
}

/** How many classes a model tells apart: 0 where it gives numbers. */
function sizesOf({ features, loss = 'softmaxCrossEntropy' }: NetworkConfig, { layers }: ModelDescription) {
  const width = layers[layers.length - 1].output.at(-1) ?? 0;
  const classes = loss === 'softmaxCrossEntropy' ? width : loss === 'sigmoidCrossEntropy' && width === 1 ? 2 : 0; // prettier-ignore
  return { features, classes };
}

/** The weights under their names in weights.npz: those of ClassifierWeights, where the network is that classifier; else layer1.kernel. */
function archive({ layers }: NetworkConfig, weights: StackWeights): [name: string, tensor: Tensor][] {
  return isClassifier(layers, weights) ? Object.entries(weightsOfLayers(weights)) : namedWeights(weights);
}

/** A SimpleRNN with tanh and its Dense, both with a bias: what the classifiers of this project are. */
function isClassifier(layers: NetworkConfig['layers'], weights: StackWeights): boolean {
  const [recurrent, output] = layers;
  return (
    layers.length === 2 &&
    recurrent.layer === 'simpleRNN' &&
    (recurrent.activation ?? 'tanh') === 'tanh' &&
    recurrent.returnSequences !== true &&
    recurrent.goBackwards !== true &&
    output.layer === 'dense' &&
    (output.activation ?? 'linear') === 'linear' &&
    weights.every((layer) => 'bias' in layer)
  );
}

export interface LoadModelOptions extends StateOptions {
  /** which network shall run it; default: the kind that trained it */ readonly side?:
    'scratch' | 'tfjs' | 'graph';
  /** of TensorFlow.js; default: the one that trained it, else tensorflow */ readonly backend?: BackendName;
}

/**
 * Loads a model, from a directory that `save` made or a file of another program, into a network of any side.
 *
 * @throws RangeError for an option that does not exist, UsageError when it is no model that a network of layers can run
 */
export async function loadNetwork(
  given: string,
  options: LoadModelOptions = {},
): Promise<LoadedNetworkModel> {
  const { saved, choice } = await prepare(given, options, 'loadNetwork');
  const { network } = await openNetwork(choice, saved.config, saved.weights).catch(adviseOtherSide);
  return { ...saved, network };
}

/**
 * The same for a SimpleRNN with tanh and a Dense with softmax, as the classifier that it is.
 *
 * @throws RangeError for an option that does not exist, UsageError when it is another model, or none
 */
export async function load(given: string, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const { saved, choice } = await prepare(given, options, 'load');
  const { layers, loss = 'softmaxCrossEntropy' } = saved.config;
  if (!isClassifier(layers, saved.weights) || loss !== 'softmaxCrossEntropy')
    throw new UsageError(
      `load: ${given} is a network of ${formatLayers(layers)}, which is no SimpleRNN classifier; open it with loadNetwork.`,
    );
  const weights = weightsOfLayers(saved.weights);
  const [features, units] = weights.kernel.shape;
  const shape = { features, units, classes: weights.outputBias.shape[0], weights };
  const { classifier } = await openClassifier(choice, shape).catch(adviseOtherSide);
  return { ...saved, classifier };
}

const loadOptions: OptionNames<LoadModelOptions> = {
  side: true,
  backend: true,
  nonlinearity: true,
  steps: true,
};

async function prepare(
  given: string,
  options: LoadModelOptions,
  name: string,
): Promise<{ readonly saved: SavedModel; readonly choice: EngineChoice }> {
  checkOptions(options, loadOptions, name);
  if (options.side !== undefined) checkChoice(options.side, modelKinds, `${name}: side`);
  if (options.backend !== undefined) checkChoice(options.backend, backendNames, `${name}: backend`);
  const { nonlinearity, steps } = options;
  if (options.backend !== undefined && options.side !== undefined && options.side !== 'tfjs')
    throw new RangeError(
      `${name}: backend is ${options.backend}, of the side tfjs, and side is ${options.side}; leave one of them out.`,
    );
  const saved = await readSavedModel(given, { nonlinearity, steps });
  const [trainedKind, trainedBackend] = saved.metadata.trainedBy.split(':');
  const kind = options.side ?? (trainedKind === 'tfjs' || trainedKind === 'graph' ? trainedKind : 'scratch');
  const known = trainedBackend === 'wasm' || trainedBackend === 'cpu' ? trainedBackend : 'tensorflow';
  return { saved, choice: { kind, backend: options.backend ?? known } };
}

function adviseOtherSide(error: unknown): never {
  if (!(error instanceof BackendNotRunError)) throw error;
  throw new BackendNotRunError(
    `${error.message}. The model runs without it too: --side scratch, or --side tfjs --backend wasm.`,
    { cause: error },
  );
}

/**
 * The network and the metadata of a model: of a directory that `save` or TensorFlow.js wrote (or the model.json in it), in full
 * precision when weights.npz lies alongside; or of a file that `openModelFile` opens.
 *
 * @throws UsageError when it is no model that a network of layers can run, is damaged, or its files contradict each other
 */
export async function readSavedModel(given: string, options: StateOptions = {}): Promise<SavedModel> {
  if (typeof (given as unknown) !== 'string')
    throw new TypeError(`The model is ${describe(given)}; pass the path of its directory or file.`);
  const found = await stat(given).catch(() => undefined);
  const isNamedAsFile = found === undefined && path.extname(given) !== '';
  const directory = modelFolder(given);
  if ((found?.isFile() === true || isNamedAsFile) && directory === given)
    return modelOf(await openModelFile(given, options), {}, given);
  const where = path.join(directory, 'model.json');
  const text = await readTextFile(where).catch((error: unknown) => {
    throw new UsageError(
      `${(error as Error).message} --model takes the directory that train --out or import made, or that TensorFlow.js saved a model in, or a model of another program.`,
      { cause: error },
    );
  });
  const json = asObject(parseJson(text, where));
  const { files: checksums, notes } = checkSeal(json, where);
  const rounded: string[] = [];
  for (const [name, sum] of checksums) {
    const file = path.join(directory, name);
    if (name !== 'weights.npz' || existsSync(file)) checkSum(sum, await readRegularFile(file), file);
    else rounded.push(`${file} is not there: the weights are those of weights.bin, rounded to float32`);
  }
  const described = await layersModelOf(json, where);
  refuseStateOptions(described, where, options);
  const model = modelOf(
    { ...described, notes: [...notes, ...rounded] },
    asObject(json['userDefinedMetadata']),
    where,
  );
  return { ...model, weights: (await fullPrecision(directory, model, where)) ?? model.weights };
}

function modelOf(
  description: ModelDescription,
  given: Readonly<Record<string, unknown>>,
  where: string,
): SavedModel {
  const network = networkOf(description, where);
  checkStorable(description, where);
  const metadata = metadataOf(given, sizesOf(network.config, description), description.writtenBy, where);
  return { ...network, metadata, notes: description.notes };
}

function checkSum(expected: string, bytes: Uint8Array, file: string): void {
  const found = sha256(bytes);
  if (expected !== found)
    throw new UsageError(
      `${file} has the SHA-256 ${found.slice(0, 12)}, model.json says ${expected.slice(0, 12)}: it is damaged, or of another model. Copy all files of the model again, or save it again.`,
    );
}

/** The float64 weights, where the file is there. */
async function fullPrecision(
  directory: string,
  { config, weights }: ModelNetwork,
  where: string,
): Promise<StackWeights | undefined> {
  const file = path.join(directory, 'weights.npz');
  if (!existsSync(file)) return undefined;
  const arrays = await readNpz(file, weightsArchive);
  const exact = archive(config, weights).map(([name, { data, shape }]) => {
    const own = numbersOf(arrays, name, shape.length, file);
    const same = own.shape.join() === shape.join() && own.data.every((x, i) => Math.fround(x) === data[i]);
    if (!same)
      throw new UsageError(
        `${file} and the weights of ${where} are different (${name}); if the model was saved again by TensorFlow.js, delete weights.npz, else copy all files of one model.`,
      );
    return own;
  });
  let at = 0;
  return weights.map((layer) => Object.fromEntries(Object.keys(layer).map((key) => [key, exact[at++]])));
}
