import type { Tensor } from '../../../scratch/index';
import { isStringArray, readZip, textOf, type NpyArray, type ZipLimits } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import { mapRecord } from '../../base/process/index';
import { assemble, shapeLayers, type StoredTensor, type WeightsByLayer } from '../assemble';
import type { ModelDescription } from '../description';
import { asObject, parseJson } from '../json';
import { openH5 } from './h5';
import { fromKeras1, isKeras1, weightsOfKeras1 } from './keras1';
import type { Dialect } from './options';
import { readTopology } from './topology';
import { kerasVersion } from './write';
import { matchWeights, type Entry } from './weights';

export interface ReadOptions {
  /** reads only what comes before the layer of this name */ readonly until?: string | undefined;
  /** seconds after which the reading of a damaged HDF5 file is ended; default 20, and more for large files */
  readonly patience?: number | undefined;
}

/** A configuration is small; weights may be stored compressed. */
const kerasArchive: ZipLimits = { maxBytes: 4 * 2 ** 30, maxExpansion: 64 };

/**
 * Keras 3's format (Keras 2.12 knows it too): a zip archive of config.json, metadata.json and model.weights.h5.
 *
 * @throws UsageError
 */
export async function readKerasArchive(
  bytes: Uint8Array,
  where: string,
  { until, patience }: ReadOptions = {},
): Promise<ModelDescription> {
  const wanted = ['config.json', 'metadata.json', 'model.weights.h5'];
  const files = await readZip(bytes, where, (name) => wanted.includes(name), kerasArchive);
  const take = (name: string): Buffer => {
    const found = files.get(name);
    if (found === undefined)
      throw new UsageError(
        `${where} has no ${name}; a .keras file holds ${wanted.join(', ')}, so save the model again.`,
      );
    return found;
  };
  const json = (name: string): unknown =>
    parseJson(textOf(take(name), `${where}: ${name}`), `${where}: ${name}`);
  const dialect = dialectOf(asObject(json('metadata.json'))['keras_version']);
  const { entries } = await openH5(take('model.weights.h5'), `${where}: model.weights.h5`, patience);
  return describe('keras', json('config.json'), dialect, entries, where, until);
}

/**
 * Keras's older format: one HDF5 file, with the configuration in its attribute model_config and the weights in the group model_weights.
 *
 * @throws UsageError
 */
export async function readKerasH5(
  bytes: Uint8Array,
  where: string,
  { until, patience }: ReadOptions = {},
): Promise<ModelDescription> {
  const { entries, text } = await openH5(bytes, where, patience);
  const config = text('model_config');
  if (config === undefined)
    throw new UsageError(
      `${where} has no attribute model_config: it holds weights without layers; save the whole model with model.save('model.keras').`,
    );
  const json = parseJson(config, `${where}: model_config`);
  return describe('h5', json, dialectOf(text('keras_version')), entries, where, until);
}

/**
 * The .npz of `toNpz`: the layers of Keras 3 as text in the array model_config, and weights by the names of layers.
 *
 * @throws UsageError
 */
export function readKerasArrays(
  arrays: ReadonlyMap<string, NpyArray>,
  where: string,
  { until }: ReadOptions = {},
): ModelDescription {
  const config = arrays.get('model_config');
  if (config === undefined || !isStringArray(config) || config.data.length !== 1)
    throw new UsageError(
      `${where}: model_config must be one text in JSON; write the file again with convert --to npz.`,
    );
  const entries = [...arrays].flatMap(([name, array]) =>
    isStringArray(array)
      ? []
      : [{ name, shape: array.shape, read: (): Tensor => ({ data: array.data, shape: array.shape }) }],
  );
  const json = parseJson(config.data[0], `${where}: model_config`);
  return describe('npz', json, dialectOf(kerasVersion), entries, where, until);
}

export function dialectOf(version: unknown): Dialect {
  const text = typeof version === 'string' ? version : '2';
  return { program: 'keras', major: /^\D*3\./.test(text) ? 3 : 2, version: text };
}

function describe(
  format: 'keras' | 'h5' | 'npz',
  config: unknown,
  dialect: Dialect,
  entries: readonly (Entry & { read(): Tensor })[],
  where: string,
  until: string | undefined,
): ModelDescription {
  const isOld = isKeras1(dialect.version);
  const model = isOld
    ? planModel(fromKeras1(config, where), { ...dialect, version: '2' }, where, until)
    : planModel(config, dialect, where, until);
  const own = entries
    .filter(({ name }) => format !== 'h5' || name.startsWith('model_weights/'))
    .map((entry) => ({ ...entry, name: entry.name.replace(/^model_weights\//, '') }));
  const { all } = model.topology;
  const embeddings = new Set(all.flatMap(({ kind, name }) => (kind === 'Embedding' ? [name] : [])));
  const inside = isOld ? weightsOfKeras1(own, embeddings) : own;
  const { found, notes } = matchWeights(model.shaped, all, inside, where);
  return assemble(
    { format, writtenBy: format === 'npz' ? 'rnn-parity' : `Keras ${dialect.version}`, notes },
    model.topology,
    readAll(found, (entry) => entry.read()),
    where,
  );
}

/** A configuration with the shapes of its layers. */
export function planModel(config: unknown, dialect: Dialect, where: string, until: string | undefined) {
  if (dialect.program === 'keras' && /^\D*[01]\./.test(dialect.version))
    throw new UsageError(
      `${where} was written by Keras ${dialect.version}, whose layers have other options (output_dim, inner_activation) and weights; of Keras 1 the .h5 files are read. Open it in Keras 2.0 to 2.2, save it again, and read that file.`,
    );
  const topology = readTopology(config, dialect, where, until);
  return { topology, shaped: shapeLayers(topology, where) };
}

export const readAll = <T extends Entry>(
  found: ReadonlyMap<string, Readonly<Record<string, T>>>,
  read: (entry: T) => StoredTensor,
): WeightsByLayer => new Map([...found].map(([layer, weights]) => [layer, mapRecord(weights, read)]));
