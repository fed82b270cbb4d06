import {
  checkChoice,
  checkFlag,
  checkMemory,
  checkOptions,
  describe,
  type LayerConfig,
  type OptionNames,
} from '../../scratch/index';
import { formatLayers, parseLayers } from '../base/layers-text';
import { checkColumnNames, textFormatNames, type TextFormat } from './data/index';
import { modelKinds, type BackendName, type ModelKind } from '../sides/engine/index';
import { asUsage, UsageError } from '../base/outcome';

/** One network, or scratch and tfjs side by side. */
export type TrainedModel = ModelKind | 'both';

/** The kinds of network that a run trains, the leading one first. */
export function sidesOf({ model }: Pick<TrainSettings, 'model'>): readonly ModelKind[] {
  return model === 'both' ? ['scratch', 'tfjs'] : [model];
}

/** Where examples come from and how they are read. */
export interface DataSettings extends TextFormat {
  /** `digits`, `notebook`, `memory`, or a file */ readonly source: string;
  /** sequences with malformed rows are left out instead of ending the run */ readonly skipMalformed: boolean;
  /** `memory` only */ readonly timeSteps?: number;
  /** `memory` only */ readonly examples?: number;
  /** share kept back, 0 to below 1 */ readonly validation: number;
  readonly standardize: boolean;
}

/** Everything that decides the outcome of a run; what a checkpoint remembers and a resumed run must agree with. */
export interface TrainSettings {
  readonly data: DataSettings;
  readonly model: TrainedModel;
  /** of the TensorFlow.js side; absent for scratch alone */ readonly backend?: BackendName;
  /** of the op-by-op side: tfjs's autodiff, or written by hand, which is faster; absent where there is no such side */
  readonly gradients?: 'autodiff' | 'bptt';
  /** of the simple RNN; absent with `layers` */ readonly units?: number;
  /** any other network; a Dense layer of one unit a class is added, unless it ends with one */
  readonly layers?: readonly LayerConfig[];
  /** the model that training starts from */ readonly from?: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: 'sgd' | 'adam';
  readonly learningRate: number;
  /** `linear`: epoch e of E uses learningRate x (1 - e / E); `none`: always learningRate */
  readonly decay: 'linear' | 'none';
  /** 0: gradients are never clipped */ readonly clipNorm: number;
  /** epochs without a better validation loss before stopping; 0: never */ readonly patience: number;
  /** decides the split, the initial weights, the order of the examples and generated data */ readonly seed: number;
  readonly initializer: 'keras' | 'notebook';
}

/** What a caller leaves out gets the default of the data set. */
export type TrainChoices = Partial<Omit<TrainSettings, 'data' | 'model' | 'layers'>> & {
  /** layers, or their text: `'bidirectional(gru:8),lstm:16'` */ readonly layers?:
    string | readonly LayerConfig[];
  /** `auto`: the engine that should be fastest for these sizes, of those that load here */
  readonly model?: TrainedModel | 'auto';
  readonly data?: Partial<DataSettings>;
};

type Defaults = Omit<TrainSettings, 'data' | 'model' | 'backend' | 'gradients' | 'layers' | 'from'> & {
  readonly data: Pick<DataSettings, 'validation' | 'standardize' | 'skipMalformed'>;
};

const shared: Defaults = {
  data: { validation: 0.2, standardize: false, skipMalformed: false },
  units: 128,
  epochs: 12,
  batchSize: 64,
  optimizer: 'adam',
  learningRate: 0.002,
  decay: 'linear',
  clipNorm: 1,
  patience: 0,
  seed: 1,
  initializer: 'keras',
};

/** `digits`: measured to reach 95 %; `notebook`: the notebook's own; files: standardised, else as digits. */
const defaults = {
  digits: shared,
  memory: { ...shared, units: 32, epochs: 20, batchSize: 32 },
  notebook: {
    ...shared,
    data: { ...shared.data, validation: 0 },
    units: 4,
    epochs: 50,
    batchSize: 32,
    optimizer: 'sgd',
    learningRate: 0.01,
    decay: 'none',
    clipNorm: 0,
    initializer: 'notebook',
  },
  file: { ...shared, data: { ...shared.data, standardize: true } },
} as const satisfies Record<string, Defaults>;

const dataNames: OptionNames<DataSettings> = {
  ...textFormatNames,
  source: true,
  skipMalformed: true,
  timeSteps: true,
  examples: true,
  validation: true,
  standardize: true,
};

/** Choices that are one of a few words. */
const words = {
  model: ['auto', ...modelKinds, 'both'],
  backend: ['tensorflow', 'wasm', 'cpu'],
  gradients: ['autodiff', 'bptt'],
  optimizer: ['sgd', 'adam'],
  decay: ['linear', 'none'],
  initializer: ['keras', 'notebook'],
} as const;
/** Whole numbers, and the least that each may be. */
const least = { units: 1, epochs: 1, batchSize: 1, patience: 0, seed: 0 } as const;
const anything = { data: true, layers: true, from: true, learningRate: true, clipNorm: true } as const;
const known = { ...words, ...least, ...anything } satisfies Record<keyof TrainChoices, unknown>;

/**
 * @throws RangeError for a choice, or a value of one, that does not exist, with the nearest one; UsageError for a network that is named
 * twice
 */
export function checkChoices(choices: TrainChoices, name: string): void {
  checkOptions(choices, known, name);
  if (choices.data !== undefined) checkOptions(choices.data, dataNames, `${name}: data`);
  checkColumnNames(choices.data?.columns, `${name}: data`);
  for (const flag of ['standardize', 'skipMalformed'] as const) {
    const value = choices.data?.[flag];
    if (value !== undefined) checkFlag(value, `${name}: data: ${flag}`);
  }
  if (choices.layers !== undefined && choices.from !== undefined && name === 'train')
    throw new UsageError('--from gives the layers of its model; leave out --layers.');
  if (choices.initializer !== undefined && choices.from !== undefined && name === 'train')
    throw new UsageError('--from gives the weights of its model; leave out --initializer.');
  for (const [field, of] of Object.entries(words)) {
    const value = choices[field as keyof typeof words];
    if (value !== undefined) checkChoice<string>(value, of, `${name}: ${field}`);
  }
}

/**
 * Fills in the defaults of the data set and checks every range.
 *
 * @throws UsageError that names the flag; RangeError for a choice that does not exist
 */
export function resolveSettings(choices: TrainChoices): TrainSettings {
  checkChoices(choices, 'settings');
  const source = choices.data?.source ?? 'digits';
  const base: Defaults =
    source === 'digits' || source === 'memory' || source === 'notebook' ? defaults[source] : defaults.file;
  if (choices.model === 'auto') throw new Error('resolveSettings: the engine has to be picked first');
  const model = choices.model ?? 'tfjs';
  const learningRate =
    choices.optimizer === undefined || choices.optimizer === base.optimizer
      ? base.learningRate
      : choices.optimizer === 'adam'
        ? 0.002
        : 0.1;
  const layers = layersIn(choices);
  const isSimple = layers === undefined && choices.from === undefined;
  const readsIntegers = layers?.[0]?.layer === 'embedding';
  const { units, initializer, ...others } = base;
  const settings = {
    ...others,
    ...(isSimple && { units }),
    initializer: isSimple ? initializer : 'keras',
    learningRate,
    ...defined(choices),
    ...(layers && { layers }),
    data: {
      ...base.data,
      // integers are names, and a model has its own scaling
      ...((readsIntegers || choices.from !== undefined) && { standardize: false }),
      ...defined(choices.data ?? {}),
      source,
    },
    model,
  };
  const { backend, gradients, ...rest } = settings as TrainSettings;
  const opByOp = model === 'tfjs' || model === 'both';
  const complete: TrainSettings = {
    ...rest,
    ...(model !== 'scratch' && { backend: backend ?? 'tensorflow' }),
    // with scratch in the run, tfjs uses autodiff: then the two share no derivation
    ...(opByOp && { gradients: gradients ?? (model === 'both' ? 'autodiff' : 'bptt') }),
  };
  if (gradients !== undefined && !opByOp)
    throw new UsageError(
      `--gradients ${gradients} belongs to the op-by-op side; with --model ${model} leave it out.`,
    );
  if (model === 'scratch' && backend !== undefined)
    throw new UsageError(
      `--backend ${backend} belongs to the TensorFlow.js side; with --model scratch leave it out.`,
    );
  if (model === 'graph' && backend !== undefined && backend !== 'tensorflow')
    throw new UsageError(
      `--model graph runs inside TensorFlow; --backend ${backend} does not fit, so leave it out.`,
    );
  check(complete);
  return complete;
}

/** The layers that are asked for, if any; what names a network in two ways is refused. */
function layersIn({ layers, from, units, initializer }: TrainChoices): readonly LayerConfig[] | undefined {
  const named = layers === undefined ? '--from' : '--layers';
  if ((layers ?? from) === undefined) return undefined;
  if (units !== undefined)
    throw new UsageError(
      `--units ${units} is the size of the simple RNN; with ${named} leave it out${named === '--layers' ? ', the sizes stand in the layers' : ''}.`,
    );
  if (initializer === 'notebook')
    throw new UsageError(`--initializer notebook is that of the simple RNN; with ${named} leave it out.`);
  const read = typeof layers === 'string' ? parseLayers(layers, '--layers') : layers;
  if (read !== undefined && !Array.isArray(read))
    throw new UsageError(`--layers is ${describe(read)}; an array of layers, or their text was expected.`);
  if (read?.length === 0) throw new UsageError('--layers is empty; write for example lstm:16.');
  return read;
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, x]) => x !== undefined)) as T;
}

function check(settings: TrainSettings): void {
  const whole = (key: string, value: number | undefined, from: number): void => {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < from))
      throw new UsageError(
        `${flagOf(key)} is ${value}; a whole number from ${from} to ${Number.MAX_SAFE_INTEGER} was expected.`,
      );
  };
  for (const [key, from] of Object.entries(least)) whole(key, settings[key as keyof typeof least], from);
  for (const key of ['timeSteps', 'examples'] as const) whole(key, settings.data[key], 1);
  const { timeSteps = 20, examples = 2000, source } = settings.data;
  // one-hot symbols of `memory`, the only data that are as large as a flag says
  if (source === 'memory')
    asUsage(() => checkMemory('--examples and --time-steps', [examples, timeSteps, 4]));
  const { learningRate, clipNorm } = settings;
  if (!(learningRate > 0 && Number.isFinite(learningRate)))
    throw new UsageError(
      `--learning-rate is ${learningRate}; a finite number above 0 was expected, for example 0.001.`,
    );
  if (!(clipNorm >= 0 && Number.isFinite(clipNorm)))
    throw new UsageError(
      `--clip-norm is ${clipNorm}; a finite number above 0 was expected, or 0 for no clipping.`,
    );
  if (settings.patience > 0 && settings.data.validation === 0)
    throw new UsageError('--patience watches the validation loss; keep examples back with --validation 0.2.');
}

/** The settings of which two runs differ, in words: `--units 64, was 128`. */
export function settingDifferences(now: TrainSettings, then: TrainSettings): string[] {
  const flat = (value: object, prefix = ''): [string, string][] =>
    Object.entries(value).flatMap(([key, x]) =>
      typeof x === 'object' && x !== null && !Array.isArray(x)
        ? flat(x as object, `${prefix}${key}.`)
        : [[`${prefix}${key}`, key === 'layers' ? formatLayers(x as LayerConfig[]) : JSON.stringify(x)]],
    );
  const before = new Map(flat(then));
  const after = new Map(flat(now));
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => before.get(key) !== after.get(key))
    .map(
      (key) => `${flagOf(key)} is ${after.get(key) ?? 'not given'} but was ${before.get(key) ?? 'not given'}`,
    );
}

function flagOf(key: string): string {
  const name =
    key === 'data.source' ? 'data' : key.replace(/^data\./, '').replace(/^columns\.(\w+)$/, '$1Column');
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
