import {
  checkFeatures,
  fingerprint,
  fitStandardisation,
  loadData,
  Notes,
  relabelled,
  splitStratified,
  summarize,
  takePart,
  warnOfRounding,
  withoutMaskedSteps,
  type Features,
  type LoadOptions,
  type Part,
  type SequenceData,
  type Split,
} from './data/index';
import type { Standardisation } from '../models/index';
import { UsageError } from '../base/outcome';
import type { TrainSettings } from './settings';

export interface DataIdentity {
  /** SHA-256 of everything training sees */ readonly fingerprint: string;
  readonly sequences: number;
  readonly timeSteps: number;
  readonly features: number;
  readonly classNames: readonly string[];
}

/** Examples split, standardised and ready for both sides. */
export interface PreparedData {
  readonly source: string;
  readonly identity: DataIdentity;
  readonly train: Part;
  /** empty when nothing is kept back */ readonly validation: Part;
  readonly standardisation?: Standardisation;
  readonly featureNames?: readonly string[];
  /** sizes, class balance and value ranges, for reading before training */ readonly summary: readonly string[];
}

/** What a model that training starts from says about the data. */
export interface GivenData extends Partial<Features> {
  /** of its outputs, in their order */ readonly classNames?: readonly string[];
  readonly standardisation?: Standardisation;
  readonly maskValue?: number;
}

/** Loads, splits by seed, standardises on the training part alone. `onReport` gets every malformed row that is left out. */
export async function prepareData(
  settings: Pick<TrainSettings, 'data' | 'seed'>,
  onReport?: (line: string) => void,
  given: GivenData = {},
): Promise<PreparedData> {
  const { source, skipMalformed, validation: _share, standardize: _scaled, ...format } = settings.data;
  // a model names the columns that it reads
  const columns = { ...(given.featureNames && { features: given.featureNames }), ...format.columns };
  const options: LoadOptions = {
    ...format,
    onMalformed: skipMalformed ? 'skip' : 'fail',
    seed: settings.seed,
    columns,
    ...(onReport && { onReport }),
  };
  return prepareSequences(await loadData(source, options), settings, given);
}

/** The same for sequences that are in memory already. */
export function prepareSequences(
  data: SequenceData,
  settings: {
    readonly data: Pick<TrainSettings['data'], 'validation' | 'standardize'>;
    readonly seed: number;
  },
  given: GivenData = {},
): PreparedData {
  const { labels, classNames } = data;
  if (labels === undefined || classNames.length < 2) {
    throw new UsageError(
      `${data.source} has ${classNames.length} ${classNames.length === 1 ? 'class' : 'classes'} of labels; at least 2 are needed to learn to tell them apart.`,
    );
  }
  const [sequences, timeSteps, features] = data.inputs.shape;
  if (given.features !== undefined)
    checkFeatures(data.source, { ...data, features }, { ...given, features: given.features });
  const split = splitStratified(labels, classNames.length, settings.data.validation, settings.seed);
  const notes = new Notes();
  const { validation: share } = settings.data;
  if (share > 0 && split.validation.length === 0)
    notes.warn(
      `--validation ${share} of ${labels.length} sequences is less than half of one: nothing is kept back, and all numbers are of the training part`,
    );
  const standardisation =
    given.standardisation ??
    (settings.data.standardize ? fitStandardisation(data, split.train, notes) : undefined);
  if (standardisation === undefined) warnOfRounding(data, split.train, notes);
  const named = given.classNames === undefined ? data : relabelled(data, given.classNames, notes);
  const part = (examples: Int32Array): Part =>
    withoutMaskedSteps(takePart(named, examples, standardisation), given.maskValue);
  return {
    source: data.source,
    identity: {
      ...{ fingerprint: fingerprint(data), sequences, timeSteps, features },
      classNames: named.classNames,
    },
    train: part(split.train),
    validation: part(split.validation),
    ...(standardisation && { standardisation }),
    ...(data.featureNames && { featureNames: data.featureNames }),
    summary: [
      ...describe(
        data,
        split,
        standardisation && (given.standardisation ? 'the data of the model' : 'the training part'),
      ),
      ...notes.lines,
    ],
  };
}

function describe(data: SequenceData, split: Split, scaling: string | undefined): string[] {
  const lines = summarize(data, split);
  if (scaling !== undefined)
    lines.push(`scaling     each feature to mean 0 and deviation 1, as measured on ${scaling}`);
  return lines;
}
