import path from 'node:path';
import { checkRegularFile, readRegularFile, readTextFile } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import { assemble, type StoredTensor } from '../assemble';
import { storedHalf, type ModelDescription } from '../description';
import { countOf, elements, isShape, numbersIn, type ElementType } from '../elements';
import { asObject, isTexts, parseJson, show, type Json } from '../json';
import { dialectOf, planModel, readAll, type ReadOptions } from '../keras/read';
import type { Dialect } from '../keras/options';
import { matchWeights, type Entry } from '../keras/weights';

/** A weight of the manifest, and where its bytes are in the files one after the other. */
interface Spec extends Entry {
  readonly type: ElementType;
  readonly offset: number;
  readonly bytes: number;
  readonly quantization?: Quantization;
}

/** weight = stored · scale + min; float16 is stored as it is */
interface Quantization {
  readonly dtype: 'uint8' | 'uint16' | 'float16';
  readonly scale: number;
  readonly min: number;
}

const types = ['float32', 'int32', 'bool', 'uint8', 'uint16', 'float16'] as const;

/**
 * A LayersModel of TensorFlow.js: model.json, and files of weights that lie alongside.
 *
 * @param file the model.json
 * @throws UsageError
 */
export async function readLayersModel(file: string, options: ReadOptions = {}): Promise<ModelDescription> {
  return layersModelOf(asObject(parseJson(await readTextFile(file), file)), file, options);
}

/** The same of what the model.json holds. */
export async function layersModelOf(
  json: Json,
  file: string,
  { until }: ReadOptions = {},
): Promise<ModelDescription> {
  const refuse = (what: string): UsageError =>
    new UsageError(
      `${file} ${what}; a LayersModel was expected, as model.save of TensorFlow.js or tensorflowjs_converter writes it.`,
    );
  if (json['format'] === 'graph-model')
    throw refuse(
      'is a graph model, which has operations but no layers (convert the Keras model with --output_format tfjs_layers_model)',
    );
  if (!('modelTopology' in json)) throw refuse('has no modelTopology');
  const dialect = dialectIn(json);
  const model = planModel(json['modelTopology'], dialect, file, until);
  const { specs, paths, total } = manifestOf(json, refuse);
  const { found, notes } = matchWeights(model.shaped, model.topology.all, specs, file);
  const bytes = await readShards(path.dirname(file), paths, total, file);
  const read = [...found.values()].flatMap((own) => Object.values(own));
  const kinds = [...new Set(read.flatMap(({ quantization }) => quantization?.dtype ?? []))];
  const quantised =
    kinds.length === 0
      ? []
      : [
          `weights are stored as ${kinds.join(' and ')}, and were expanded to the numbers that TensorFlow.js makes of them`,
        ];
  const about = {
    ...({ format: 'tfjs', writtenBy: writerOf(json, dialect) } as const),
    notes: [...quantised, ...notes, ...outsideOfLayers(json)],
  };
  return assemble(
    about,
    model.topology,
    readAll(found, (spec) => decode(bytes, spec)),
    file,
  );
}

/** What a run of `train` does besides the layers, which a program that opens the layers alone has to do itself. */
function outsideOfLayers(json: Json): string[] {
  const { standardisation, classNames } = asObject(json['userDefinedMetadata']);
  return [
    ...(standardisation === undefined
      ? []
      : [
          'the layers read standardised inputs, (x - mean) / scale with userDefinedMetadata.standardisation of model.json: predict and evaluate of the run do so, another program has to do it itself',
        ]),
    ...(isTexts(classNames) && classNames.length > 0
      ? [
          `its outputs are the classes ${classNames.slice(0, 8).join(', ')}${classNames.length > 8 ? ', ...' : ''}`,
        ]
      : []),
  ];
}

/** What TensorFlow.js saved has its own defaults; what a converter made of a Keras model has Keras's. */
function dialectIn(json: Json): Dialect {
  const version = asObject(json['modelTopology'])['keras_version'];
  const isConverted = typeof json['convertedBy'] === 'string' && json['convertedBy'] !== '';
  if (typeof version === 'string' && !version.startsWith('tfjs')) return dialectOf(version);
  return {
    program: isConverted ? 'keras' : 'tfjs',
    major: 2,
    version: typeof version === 'string' ? version : 'unknown',
  };
}

function writerOf(json: Json, { version }: Dialect): string {
  const by = json['convertedBy'] ?? json['generatedBy'];
  return typeof by === 'string' && by !== ''
    ? `${by.slice(0, 60)} (${version})`
    : `TensorFlow.js (${version})`;
}

function manifestOf(json: Json, refuse: (what: string) => UsageError) {
  const manifest = json['weightsManifest'];
  const groups = Array.isArray(manifest) ? manifest.map(asObject) : [];
  const items = (name: string): unknown[] =>
    groups.flatMap((group) => (Array.isArray(group[name]) ? (group[name] as unknown[]) : []));
  let total = 0;
  const names = new Set<string>();
  const specs = items('weights').flatMap((entry): Spec[] => {
    const { name, shape, dtype, group, quantization: given } = asObject(entry);
    const quantization = given === undefined || given === null ? undefined : quantizationOf(given);
    const type = types.find((one) => one === (quantization?.dtype ?? dtype));
    if (
      typeof name !== 'string' ||
      !isShape(shape) ||
      type === undefined ||
      (given !== undefined && given !== null && quantization === undefined)
    )
      throw refuse(
        `has the weight ${show(entry)}, where a name, a shape, and float32 or a known quantization were expected`,
      );
    if (names.has(name)) throw refuse(`lists the weight ${name} twice`);
    names.add(name);
    const bytes = elements[type].bytes * countOf(shape);
    const offset = total;
    total += bytes;
    if (!Number.isSafeInteger(total)) throw refuse(`declares weights of ${total} bytes`);
    if (group === 'optimizer') return [];
    return [{ ...{ name, shape, type, offset, bytes }, ...(quantization && { quantization }) }];
  });
  const paths = items('paths');
  if (!isTexts(paths) || paths.length === 0 || !paths.every(isPlainName))
    throw refuse(`names the weight files ${show(paths)}, where plain file names were expected`);
  return { specs, paths, total };
}

const isPlainName = (name: string): boolean => /^(?!\.\.?$)[^/\\\0]+$/.test(name);

function quantizationOf(given: unknown): Quantization | undefined {
  const { dtype, scale, min } = asObject(given);
  if (dtype === 'float16') return { dtype, scale: 1, min: 0 };
  const isGood = (x: unknown): x is number => typeof x === 'number' && Number.isFinite(x);
  return (dtype === 'uint8' || dtype === 'uint16') && isGood(scale) && isGood(min)
    ? { dtype, scale, min }
    : undefined;
}

/** The files one after the other. Sizes are compared with the manifest before anything is read. */
async function readShards(
  folder: string,
  paths: readonly string[],
  total: number,
  where: string,
): Promise<Buffer> {
  const files = paths.map((name) => path.join(folder, name));
  let size = 0;
  for (const file of files)
    size += await checkRegularFile(file, `copy all files of the model, ${where} names it`);
  if (size !== total)
    throw new UsageError(
      `${files.join(', ')} ${files.length === 1 ? 'has' : 'have'} ${size} bytes; ${where} declares ${total}, so copy all files of one model.`,
    );
  return Buffer.concat(await Promise.all(files.map((file) => readRegularFile(file))));
}

/**
 * The numbers as TensorFlow.js makes them: quantised ones are expanded in float32. Rounded to a step of `scale`, a weight moved by half of
 * it at most.
 */
function decode(bytes: Buffer, { offset, bytes: size, shape, type, quantization }: Spec): StoredTensor {
  const data = numbersIn(bytes.subarray(offset, offset + size), type);
  if (quantization === undefined) return { data, shape };
  const { dtype, scale, min } = quantization;
  if (dtype === 'float16') return { data, shape, stored: storedHalf.float16 };
  return {
    data: data.map((x) => Math.fround(x * scale + min)),
    ...{ shape, stored: { dtype, reach: scale / 2 } },
  };
}
