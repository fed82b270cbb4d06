import path from 'node:path';
import { weightNames, type ClassifierWeights } from '../../scratch/index';
import { UsageError } from '../base/outcome';
import { matchLayers, type NamedShape } from './layer-names';
import { refuseGates } from './runnable';
import { checkSeal } from './seal';
import { readTopology } from './topology';

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

/** What model.json says, checked. */
export interface ModelJson {
  readonly metadata: ModelMetadata;
  /** files with the weights, in this order one after the other */ readonly paths: readonly string[];
  /** where in these files each of the five weights is */ readonly places: Readonly<
    Record<keyof ClassifierWeights, Place>
  >;
  /** of all weights in these files */ readonly bytes: number;
  /** SHA-256 by file name, of a model that rnn-parity saved */ readonly checksums: ReadonlyMap<
    string,
    string
  >;
  /** what could not be checked, in words */ readonly notes: readonly string[];
}

interface Place {
  readonly offset: number;
  readonly shape: readonly number[];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads the model.json of a LayersModel, by rnn-parity or by TensorFlow.js itself.
 *
 * @throws UsageError when it is damaged, or is a model that is not run
 */
export function parseModelJson(text: string, where: string): ModelJson {
  const refuse = (what: string): UsageError =>
    new UsageError(
      `${where} ${what}; a SimpleRNN classifier was expected, as rnn-parity or model.save of TensorFlow.js writes it.`,
    );
  let json: Json;
  try {
    json = asObject(JSON.parse(text));
  } catch (error) {
    throw refuse(`is no JSON (${(error as Error).message})`);
  }
  if (json['format'] === 'graph-model') throw refuse('is a graph model, which has weights but no layers');
  if (!('modelTopology' in json)) throw refuse('has no modelTopology');
  const topology = readTopology(json['modelTopology'], where);
  const { specs, paths } = manifestOf(json, refuse);
  const names = matchLayers(
    specs.filter(({ group }) => group !== 'optimizer'),
    where,
  );
  if (names === undefined) throw refuse('has no weights');
  let bytes = 0;
  const found = new Map<string, Place>();
  for (const { name, shape } of specs) {
    found.set(name, { offset: bytes, shape });
    bytes += 4 * shape.reduce((a, b) => a * b, 1);
  }
  const place = (name: keyof ClassifierWeights): Place => {
    const one = found.get(names[name]);
    const rank = name === 'bias' || name === 'outputBias' ? 1 : 2;
    if (one?.shape.length !== rank)
      throw refuse(`has ${names[name]} with shape [${String(one?.shape.join(', '))}]`);
    return one;
  };
  const places = Object.fromEntries(
    weightNames.map((name) => [name, place(name)]),
  ) as unknown as ModelJson['places'];
  refuseGates(places.recurrentKernel.shape, where);
  const [features, units] = places.kernel.shape;
  const [classes] = places.outputBias.shape;
  if ((topology.units ?? units) !== units || (topology.classes ?? classes) !== classes)
    throw refuse(
      `has layers of ${topology.units} units and ${topology.classes} classes but weights of ${units} and ${classes}`,
    );
  const given = asObject(json['userDefinedMetadata']);
  const seal = checkSeal(json, where);
  return {
    paths,
    places,
    bytes,
    checksums: seal.files,
    notes: seal.notes,
    metadata: metadataOf(given, { features, classes }, refuse),
  };
}

function metadataOf(
  given: Json,
  { features, classes }: { readonly features: number; readonly classes: number },
  refuse: (what: string) => UsageError,
): ModelMetadata {
  const names = given['classNames'] ?? Array.from({ length: classes }, (_, c) => String(c));
  if (!isTexts(names)) throw refuse('has class names that are not texts');
  if (names.length !== classes) throw refuse(`names ${names.length} classes for ${classes} outputs`);
  if (new Set(names).size < classes) throw refuse('gives two classes one name');
  const { standardisation, featureNames } = given;
  if (standardisation !== undefined && !isStandardisation(standardisation, features))
    throw refuse(
      `has a standardisation that does not fit its ${features} features: a finite mean and a finite scale above 0 for each were expected, found ${JSON.stringify(standardisation).slice(0, 120)}`,
    );
  return {
    classNames: names,
    trainedBy: typeof given['trainedBy'] === 'string' ? given['trainedBy'] : 'TensorFlow.js',
    ...(standardisation !== undefined && { standardisation }),
    ...(isTexts(featureNames) && { featureNames }),
    ...(typeof given['maskValue'] === 'number' && { maskValue: given['maskValue'] }),
  };
}

interface Spec extends NamedShape {
  readonly group: unknown;
}

/** All weights that the manifest lists, and the files that hold them. */
function manifestOf(
  json: Json,
  refuse: (what: string) => UsageError,
): { specs: readonly Spec[]; paths: readonly string[] } {
  const manifest = json['weightsManifest'];
  const groups = Array.isArray(manifest) ? manifest.map(asObject) : [];
  const items = (name: string): unknown[] =>
    groups.flatMap((group) => (Array.isArray(group[name]) ? (group[name] as unknown[]) : []));
  const specs = items('weights').map((entry): Spec => {
    const { name, shape, dtype, group, quantization } = asObject(entry);
    const fits = Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
    if (
      typeof name !== 'string' ||
      !fits ||
      (dtype !== 'float32' && group !== 'optimizer') ||
      quantization !== undefined
    )
      throw refuse(
        `has the weight ${JSON.stringify(entry).slice(0, 160)}, where a name, a shape and float32 were expected`,
      );
    return { name, shape: shape as number[], group };
  });
  const paths = items('paths');
  if (!isTexts(paths) || paths.length === 0 || !paths.every(isPlainName))
    throw refuse(`names the weight files ${JSON.stringify(paths)}, where plain file names were expected`);
  return { specs, paths };
}

/** The five weights out of the bytes of the weight files: float32, little-endian. Throws UsageError when their size is another. */
export function takeWeights(bytes: Buffer, model: ModelJson, where: string): ClassifierWeights {
  if (bytes.length !== model.bytes)
    throw new UsageError(
      `${where} has ${bytes.length} bytes; its model.json declares ${model.bytes}, so copy all files of one model.`,
    );
  const entries = weightNames.map((name) => {
    const { offset, shape } = model.places[name];
    const length = shape.reduce((a, b) => a * b, 1);
    return [
      name,
      { shape, data: Float64Array.from({ length }, (_, i) => bytes.readFloatLE(offset + 4 * i)) },
    ] as const;
  });
  return Object.fromEntries(entries) as unknown as ClassifierWeights;
}

const isPlainName = (name: string): boolean => name !== '' && path.basename(name) === name;

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((x) => typeof x === 'string');
}

function isStandardisation(value: unknown, features: number): value is Standardisation {
  const { mean, scale } = asObject(value);
  const fits = (list: unknown, isGood: (x: unknown) => boolean): boolean =>
    Array.isArray(list) && list.length === features && list.every(isGood);
  return fits(mean, Number.isFinite) && fits(scale, (x) => Number.isFinite(x) && (x as number) > 0);
}
