import { checkOptions, describe, type OptionNames } from '../../scratch/index';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pickEngine } from '../sides/engine/index';
import { checkRegularFile, makeDirectory, writeFileAtomic } from '../base/files/index';
import { UsageError } from '../base/outcome';
import { readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint';
import {
  claimDirectory,
  givesClasses,
  lockDirectory,
  readSavedModel,
  save,
  type SavedModel,
  type StateOptions,
} from '../models/index';
import { evaluatePart, type Metrics } from './metrics';
import { checkNetworkSize, networkFor } from './network';
import { prepareData, type GivenData, type PreparedData } from './prepare';
import { runTraining, type RunKeeper, type RunOptions, type RunResult, type RunState } from './run';
import {
  checkChoices,
  resolveSettings,
  settingDifferences,
  type TrainChoices,
  type TrainSettings,
} from './settings';
import { trainingReport } from './training-report';
import { versions } from '../base/version';

export interface TrainOptions extends Pick<RunOptions, 'onBatch' | 'onEpoch' | 'signal' | 'replaceSide'> {
  /** where model, history, settings, report and checkpoints go; absent: nothing is written */ readonly out?: string;
  /** replace the files of an earlier run in `out` */ readonly force?: boolean;
  /** continue the run in `out` from its checkpoint; choices that are given must be those of the run */ readonly resume?: boolean;
  /** seconds between checkpoints within an epoch, default 30; every epoch ends with one anyway */ readonly checkpointSeconds?: number;
  /** gets the data's sizes, classes and ranges before training starts, and malformed rows that are left out */
  readonly say?: (line: string) => void;
  /** of the choice `from`: what a state_dict of PyTorch does not say */ readonly reading?: StateOptions;
  /** gets the settings, defaults filled in, when everything is checked and training is about to start */
  readonly onStart?: (settings: TrainSettings) => void;
}

const optionNames: OptionNames<TrainOptions> = {
  onBatch: true,
  onEpoch: true,
  signal: true,
  replaceSide: true,
  out: true,
  force: true,
  resume: true,
  checkpointSeconds: true,
  say: true,
  reading: true,
  onStart: true,
};

export interface TrainResult extends RunResult {
  readonly settings: TrainSettings;
  readonly data: PreparedData;
  /** of the leading side on the part kept back, or on the training part when nothing is */ readonly metrics?: Metrics;
  readonly sideMetrics?: readonly { readonly name: string; readonly metrics: Metrics }[];
  /** seconds of training, this session */ readonly seconds: number;
}

/**
 * Trains one or both networks and writes everything that comes out: what `rnn-parity train` does, from code.
 *
 * @example
 * ```ts
 * const { metrics, dispose } = await train({ data: { source: 'notebook' }, model: 'scratch' });
 * metrics?.accuracy;
 * dispose();
 * ```
 * @throws RangeError for a choice or an option that does not exist, UsageError on settings or data that do not fit, BackendNotRunError when the backend cannot run
 */
export async function train(choices: TrainChoices = {}, options: TrainOptions = {}): Promise<TrainResult> {
  checkChoices(choices, 'train');
  checkOptions(options, optionNames, 'train');
  for (const name of ['onBatch', 'onEpoch', 'onStart', 'say', 'replaceSide'] as const)
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw new TypeError(`train: ${name} is ${describe(options[name])}; pass a function, or leave it out.`);
  const { out, resume = false, force = false, checkpointSeconds = 30 } = options;
  const hint = Object.entries(options.reading ?? {}).find(([, value]) => value !== undefined);
  if (hint !== undefined && (choices.from === undefined || resume))
    throw new UsageError(`--${hint[0]} ${hint[1]} is of the state_dict of --from; leave it out.`);
  if (!(checkpointSeconds >= 0))
    throw new UsageError(
      `--checkpoint-seconds is ${checkpointSeconds}; a number of seconds of at least 0 was expected, for example 30.`,
    );
  if (out === undefined) {
    if (resume) throw new UsageError('--resume needs the directory of the run.');
    return trainHere(choices, options);
  }
  const checkpoint = path.join(out, 'checkpoint.npz');
  // before the lock, which would make a file in a directory that holds no run
  if (resume) await checkRegularFile(checkpoint, 'so there is nothing to resume; train with --out first');
  else resolveSettings(withoutAuto(choices));
  const release = resume ? await lockDirectory(out) : await claimDirectory(out, force);
  try {
    return await trainHere(choices, options, resume ? await readCheckpoint(checkpoint) : undefined);
  } finally {
    await release();
  }
}

/** Trains in a directory that is claimed. */
async function trainHere(
  asked: TrainChoices,
  options: TrainOptions,
  resume?: Checkpoint,
): Promise<TrainResult> {
  const { out, say = () => undefined } = options;
  const model = resume || asked.from === undefined ? undefined : await readStart(asked.from, options.reading);
  if (model?.metadata.standardisation !== undefined && asked.data?.standardize !== undefined)
    throw new UsageError(
      `--${asked.data.standardize ? '' : 'no-'}standardize changes nothing: --from ${asked.from ?? ''} has a standardisation of its own, which is used; leave it out.`,
    );
  const choices = model === undefined ? asked : { ...asked, layers: model.config.layers };
  const first = resume ? continueSettings(choices, resume, out ?? '') : resolveSettings(withoutAuto(choices));
  const isAuto = !resume && (choices.model ?? defaultModel(choices)) === 'auto';
  const given = resume ? resume.meta.given : model && givenBy(model);
  const data = await prepareData(first, say, given);
  for (const note of model?.notes ?? []) say(`note        ${note}`);
  if (resume) checkSameData(data, resume);
  else if (first.patience > 0 && data.validation.labels.length === 0)
    throw new UsageError(
      `--patience watches the validation loss, and --validation ${first.data.validation} keeps back none of ${data.train.labels.length} sequences; raise it.`,
    );
  checkNetworkSize(first, data.identity);
  for (const line of data.summary) say(line);
  const settings = isAuto ? await pickModel(choices, first, data, say) : first;
  options.onStart?.(settings);

  const started = performance.now();
  const start = resume?.start ?? model?.weights;
  const keeper =
    out === undefined
      ? undefined
      : new RunFiles(out, settings, data, { start, given }, options.checkpointSeconds ?? 30);
  const { onBatch, onEpoch, signal, replaceSide } = options;
  const run = await runTraining(settings, data, {
    ...{ onBatch, onEpoch, signal, replaceSide, resume, start, keeper },
  });
  const seconds = (performance.now() - started) / 1000;
  const result = { ...run, settings, data, seconds };
  if (run.outcome !== 'finished') return result;
  return { ...result, ...(await finish(result, keeper)) };
}

/** The model that training starts from. */
async function readStart(file: string, reading?: StateOptions): Promise<SavedModel> {
  const model = await readSavedModel(file, reading);
  if (givesClasses(model) && model.config.loss === 'softmaxCrossEntropy') return model;
  throw new UsageError(
    `--from ${file} does not end with a softmax over classes; train learns classes, so start from a classifier.`,
  );
}

/** What the run keeps of it, besides its layers and weights. */
function givenBy({ config, metadata, maskValue }: SavedModel): GivenData {
  const { classNames, standardisation, featureNames } = metadata;
  return {
    features: config.features ?? 1,
    classNames,
    ...(featureNames && { featureNames }),
    ...(standardisation && { standardisation }),
    ...(maskValue !== undefined && { maskValue }),
  };
}

/** The fastest engine there is, unless a choice belongs to the op-by-op network. */
function defaultModel({ backend, gradients }: TrainChoices): 'auto' | 'tfjs' {
  return backend === undefined && gradients === undefined ? 'auto' : 'tfjs';
}

/** The choices with the engine left open. */
function withoutAuto({ model, ...others }: TrainChoices): TrainChoices {
  return model === undefined || model === 'auto' ? others : { model, ...others };
}

/** The settings with the engine that should be fastest for these data. */
async function pickModel(
  choices: TrainChoices,
  first: TrainSettings,
  { identity }: PreparedData,
  say: (line: string) => void,
): Promise<TrainSettings> {
  if (choices.backend !== undefined || choices.gradients !== undefined)
    throw new UsageError(
      '--model auto picks by itself; leave out --backend and --gradients, or name the model.',
    );
  const { timeSteps, features } = identity;
  const { units } = first;
  const network = units === undefined ? { layers: networkFor(first, identity).layers } : { units };
  const { choice, reason } = await pickEngine({ batch: first.batchSize, timeSteps, features, ...network });
  say(`engine      ${reason}`);
  const { kind: model, backend } = choice;
  return resolveSettings({ ...choices, model, ...(backend && { backend }) });
}

/** What is chosen anew must be what the run has: a resumed run ends as one that was never stopped. */
function continueSettings(choices: TrainChoices, resume: Checkpoint, out: string): TrainSettings {
  const source = choices.data?.source ?? sourceNow(resume, out);
  // the same data under another path are the same: their fingerprint decides
  const settings = { ...resume.meta.settings, data: { ...resume.meta.settings.data, source } };
  const { units, ...others } = settings;
  // another network would stand next to the units of this one
  const isOther = choices.layers !== undefined || choices.from !== undefined;
  const wanted = resolveSettings({
    ...others,
    ...(units !== undefined && !isOther && { units }),
    ...withoutAuto(choices),
    data: { ...settings.data, ...choices.data },
  });
  const differences = settingDifferences(wanted, settings);
  if (differences.length > 0) {
    throw new UsageError(
      `--resume ${out}: ${differences.join('; ')}. A run continues with the settings it was started with; leave these out, or start a new run.`,
    );
  }
  return settings;
}

/** The data of a run: by their path from the run's directory, else as they were named when it was started. */
function sourceNow({ meta: { settings, dataFile } }: Checkpoint, out: string): string {
  const { source } = settings.data;
  const file = path.resolve(out, dataFile ?? '');
  // a run that was never stopped keeps the name that it was given
  if (dataFile === undefined || !existsSync(file) || path.resolve(source) === file) return source;
  return path.isAbsolute(source) ? file : path.relative('', file);
}

function checkSameData(data: PreparedData, { meta }: Checkpoint): void {
  const { identity } = data;
  const then = meta.data;
  if (identity.fingerprint === then.fingerprint) return;
  const differences = [
    identity.sequences !== then.sequences && `${identity.sequences} sequences, was ${then.sequences}`,
    identity.timeSteps !== then.timeSteps && `${identity.timeSteps} time steps, was ${then.timeSteps}`,
    identity.features !== then.features && `${identity.features} features, was ${then.features}`,
    identity.classNames.join() !== then.classNames.join() &&
      `classes ${identity.classNames.slice(0, 10).join(', ')}, was ${then.classNames.slice(0, 10).join(', ')}`,
  ].filter((line) => line !== false);
  throw new UsageError(
    `${data.source} is not the data the run was started with: ${differences.length > 0 ? differences.join('; ') : 'same sizes and classes, other numbers or labels'} (SHA-256 ${identity.fingerprint.slice(0, 12)}, was ${then.fingerprint.slice(0, 12)}). Bring the old data back, or start a new run.`,
  );
}

/** Writes a run's checkpoint and history, each atomically. */
class RunFiles implements RunKeeper {
  private lastSave = performance.now();

  constructor(
    readonly directory: string,
    private readonly settings: TrainSettings,
    private readonly data: PreparedData,
    private readonly kept: Pick<Checkpoint, 'start'> & { readonly given: GivenData | undefined },
    private readonly seconds: number,
  ) {}

  wantsSave(reason: 'batch' | 'epoch' | 'stop'): boolean {
    return reason !== 'batch' || performance.now() - this.lastSave >= this.seconds * 1000;
  }

  async save({ progress, networks, best }: RunState): Promise<void> {
    const { source } = this.settings.data;
    const { start, given } = this.kept;
    const meta = {
      given,
      settings: this.settings,
      data: this.data.identity,
      versions,
      progress,
      // also to be found when the run is continued from another directory
      ...(existsSync(source) && { dataFile: path.relative(this.directory, source) }),
    };
    await writeCheckpoint(path.join(this.directory, 'checkpoint.npz'), meta, networks, { best, start });
    const lines = progress.history.map((record) => `${JSON.stringify(record)}\n`).join('');
    await writeFileAtomic(path.join(this.directory, 'history.jsonl'), lines);
    this.lastSave = performance.now();
  }
}

type Trained = RunResult & Pick<TrainResult, 'settings' | 'data' | 'seconds'>;

async function finish(
  run: Trained,
  files: RunFiles | undefined,
): Promise<Pick<TrainResult, 'metrics' | 'sideMetrics'>> {
  const { data, sides, settings } = run;
  const { classNames } = data.identity;
  const partName = data.validation.labels.length > 0 ? 'validation' : 'training';
  const part = partName === 'validation' ? data.validation : data.train;
  const measured = sides.map((side) => ({ name: side.name, ...evaluatePart(side, part, classNames) }));
  const [{ metrics, predictions }] = measured;
  const sideMetrics = measured.map(({ name, metrics: own }) => ({ name, metrics: own }));
  if (files === undefined) return { metrics, sideMetrics };

  const { directory } = files;
  const extras = {
    classNames,
    ...(data.standardisation && { standardisation: data.standardisation }),
    ...(data.featureNames && { featureNames: data.featureNames }),
    masked: data.train.mask !== undefined || data.validation.mask !== undefined,
  };
  for (const [i, side] of sides.entries())
    await save(side, i === 0 ? directory : path.join(directory, side.name.replace(/:.*/, '')), extras);
  const programs = { ...versions, ...run.engines };
  const config = {
    settings,
    data: { ...data.identity, ...extras },
    versions: programs,
    best: run.best,
    results: sideMetrics,
  };
  await makeDirectory(directory);
  await writeFileAtomic(path.join(directory, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
  const report = await trainingReport({
    ...run,
    finalWeights: sides[0].getWeights(),
    part,
    partName,
    metrics,
    predictions,
    versions: programs,
    seconds: run.history.reduce((sum, record) => sum + record.seconds, 0),
  });
  await writeFileAtomic(path.join(directory, 'report.html'), report);
  return { metrics, sideMetrics };
}
