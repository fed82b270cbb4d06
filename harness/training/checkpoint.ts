import {
  NetworkPlan,
  type LayersNetwork,
  type NetworkOptimizerState,
  type StackWeights,
} from '../../scratch/index';
import {
  isStringArray,
  readNpz,
  weightsArchive,
  writeNpz,
  type ArrayToWrite,
  type NpyArray,
} from '../base/files/index';
import { UsageError } from '../base/outcome';
import { namedWeights } from '../models/index';
import type { Progress } from './history';
import { networkFor } from './network';
import type { DataIdentity, GivenData } from './prepare';
import type { TrainSettings } from './settings';

/** One network of a run: the sides, then the noise twin if there is one. */
interface Member {
  readonly name: string;
  readonly optimizer: Pick<NetworkOptimizerState, 'config' | 'step'>;
}

/** What a checkpoint says besides the numbers. */
export interface CheckpointMeta {
  readonly format: 'rnn-parity checkpoint';
  readonly version: 2;
  readonly settings: TrainSettings;
  /** of the model that the run started from */ readonly given?: GivenData | undefined;
  readonly data: DataIdentity;
  readonly versions: Readonly<Record<string, string>>;
  /** the data file, as a path from the run's directory */ readonly dataFile?: string;
  readonly progress: Progress;
  readonly members: readonly Member[];
}

export interface Checkpoint {
  readonly meta: CheckpointMeta;
  readonly members: readonly { readonly weights: StackWeights; readonly optimizer: NetworkOptimizerState }[];
  /** per side, of the best epoch */ readonly best: readonly StackWeights[] | undefined;
  /** of a run that started from a model */ readonly start: StackWeights | undefined;
}

/**
 * Writes everything a run needs to continue as if it had never stopped, as one file, atomically: killed at any moment the directory
 * holds the last checkpoint or this one. Numbers are kept in float64, which holds every float32 exactly.
 */
export async function writeCheckpoint(
  file: string,
  meta: Omit<CheckpointMeta, 'format' | 'version' | 'members'>,
  networks: readonly LayersNetwork[],
  { best, start }: Pick<Checkpoint, 'best' | 'start'>,
): Promise<void> {
  const entries: Record<string, ArrayToWrite> = {};
  const members = networks.map((network, i) => {
    const { config, step, slots } = network.getOptimizerState();
    addWeights(entries, `${i}.weights`, network.getWeights());
    for (const [slot, memory] of Object.entries(slots)) addWeights(entries, `${i}.slots.${slot}`, memory);
    return { name: network.name, optimizer: { config, step } };
  });
  best?.forEach((weights, i) => addWeights(entries, `${i}.best`, weights));
  if (start !== undefined) addWeights(entries, 'start', start);
  const whole: CheckpointMeta = { format: 'rnn-parity checkpoint', version: 2, ...meta, members };
  await writeNpz(file, { meta: { shape: [1], data: [JSON.stringify(whole)] }, ...entries });
}

function addWeights(entries: Record<string, ArrayToWrite>, prefix: string, weights: StackWeights): void {
  for (const [name, { shape, data }] of namedWeights(weights))
    entries[`${prefix}.${name}`] = { shape, data, dtype: '<f8' };
}

/**
 * Reads what `writeCheckpoint` wrote.
 *
 * @throws UsageError when it is missing, damaged, contradicts itself, or is no checkpoint of this version
 */
export async function readCheckpoint(file: string): Promise<Checkpoint> {
  const arrays = await readNpz(file, weightsArchive).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    const what = error.message.replace(/; save it again with numpy\.savez\.$/, '');
    throw new UsageError(`${what}; the checkpoint is damaged, so start the run anew.`, { cause: error });
  });
  try {
    return fromArrays(arrays, file);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file} is damaged (${(error as Error).message}); start the run anew.`, {
      cause: error,
    });
  }
}

function fromArrays(arrays: ReadonlyMap<string, NpyArray>, file: string): Checkpoint {
  const text = arrays.get('meta');
  const meta = text !== undefined && isStringArray(text) ? parseMeta(text.data[0]) : undefined;
  if (meta === undefined)
    throw new UsageError(`${file} is no checkpoint of this version of rnn-parity; start the run anew.`);
  checkMeta(meta);
  const plan = planOf(meta);
  const takeSound = (prefix: string): StackWeights =>
    plan.checkWeights(takeWeights(arrays, plan, prefix, file), prefix);
  const isThere = (prefix: string): boolean =>
    [...arrays.keys()].some((name) => name.startsWith(`${prefix}.`));
  const members = meta.members.map(({ optimizer }, i) => ({
    weights: takeSound(`${i}.weights`),
    optimizer: {
      ...optimizer,
      slots: Object.fromEntries(slotsOf(arrays, i).map((slot) => [slot, takeSound(`${i}.slots.${slot}`)])),
    },
  }));
  const best = meta.members.flatMap((_, i) => (isThere(`${i}.best`) ? [takeSound(`${i}.best`)] : []));
  return {
    meta,
    members,
    best: best.length > 0 ? best : undefined,
    start: isThere('start') ? takeSound('start') : undefined,
  };
}

/** Throws Error with what is wrong in words. */
function planOf({ settings, data }: CheckpointMeta): NetworkPlan {
  try {
    return new NetworkPlan(networkFor(settings, data), 'its network');
  } catch (error) {
    throw new Error((error as Error).message, { cause: error });
  }
}

/** Throws Error with what is wrong in words. */
function checkMeta({ settings, data, progress, members }: CheckpointMeta): void {
  const need = (holds: unknown, what: string): void => {
    if (holds !== true) throw new Error(what);
  };
  const whole = (value: unknown, least: number): boolean =>
    Number.isSafeInteger(value) && (value as number) >= least;
  const object = (value: unknown): boolean => typeof value === 'object' && value !== null;
  need(
    object(settings) && object(settings.data) && typeof settings.data.source === 'string',
    'it has no settings',
  );
  need(whole(settings.epochs, 1) && whole(settings.batchSize, 1), 'its settings have wrong sizes');
  need(
    object(data) && whole(data.features, 1) && Array.isArray(data.classNames),
    'it does not say which data it is of',
  );
  need(object(progress), 'it does not say how far the run was');
  const { position, history, sums, comparisons, steps } = progress;
  need([history, sums, comparisons].every(Array.isArray) && whole(steps, 0), 'its history is no list');
  const isSound = (one: unknown): boolean =>
    object(one) && Object.values(one as object).every((x) => typeof x === 'string' || Number.isFinite(x));
  need(
    history.every((record) => object(record) && Array.isArray(record.sides) && record.sides.every(isSound)),
    'its history holds something that is no number',
  );
  need(sums.every(isSound), 'its sums of the epoch so far hold something that is no number');
  need(comparisons.every(object), 'its checked steps hold something that is no step');
  need(progress.best === undefined || Number.isFinite(progress.best.loss), 'its best loss is no number');
  need(Array.isArray(members) && members.length > 0 && members.every(object), 'it has no networks');
  if (position === undefined) return;
  need(
    object(position) && whole(position.epoch, 0) && whole(position.batch, 0),
    'its position is no epoch and batch',
  );
  need(object(position.partial) && Array.isArray(position.randomState), 'its position is not whole');
  const batches = Math.ceil(data.sequences / settings.batchSize);
  need(
    position.epoch <= settings.epochs && position.batch <= batches,
    `it stands at epoch ${position.epoch}, batch ${position.batch}, beyond the ${settings.epochs} epochs of at most ${batches} batches of the run`,
  );
}

function parseMeta(text: string): CheckpointMeta | undefined {
  const value = JSON.parse(text) as Partial<CheckpointMeta> | null;
  const known = value?.format === 'rnn-parity checkpoint' && value.version === 2;
  return known ? (value as CheckpointMeta) : undefined;
}

function slotsOf(arrays: ReadonlyMap<string, NpyArray>, member: number): string[] {
  const names = [...arrays.keys()].map((name) => name.split('.'));
  return [
    ...new Set(
      names.filter(([i, kind]) => i === String(member) && kind === 'slots').map((parts) => parts[2]),
    ),
  ];
}

function takeWeights(
  arrays: ReadonlyMap<string, NpyArray>,
  { layers }: NetworkPlan,
  prefix: string,
  file: string,
): StackWeights {
  return layers.map(({ shapes }, i) =>
    Object.fromEntries(
      Object.keys(shapes).map((key) => {
        const name = `${prefix}.layer${i + 1}.${key}`;
        const array = arrays.get(name);
        if (array === undefined || isStringArray(array))
          throw new UsageError(`${file} lacks ${name}; it is damaged, so start the run anew.`);
        return [key, { shape: array.shape, data: array.data }];
      }),
    ),
  );
}
