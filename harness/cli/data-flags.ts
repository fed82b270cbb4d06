import { InvalidArgumentError, Option } from 'commander';
import type { ColumnNames, Decimal, TextFormat } from '../training/data/index';
import type { DataSettings, TrainChoices } from '../training/settings';
import { UsageError } from '../base/outcome';
import { list } from './options';

/** The flags that say where data come from and how they are read. */
export interface DataFlags {
  readonly data?: string;
  readonly validation?: number;
  readonly standardize?: boolean;
  readonly sequenceColumn?: string;
  readonly stepColumn?: string;
  readonly labelColumn?: string;
  readonly featureColumns?: string[];
  readonly delimiter?: string;
  readonly decimal?: Decimal;
  readonly encoding?: string;
  readonly skipMalformed?: boolean;
  readonly timeSteps?: number;
  readonly examples?: number;
}

export const group = 'Data:';

/** @throws InvalidArgumentError for an empty name, which would choose an index without a name */
function names(text: string): string[] {
  const found = list(text);
  if (found.includes('')) throw new InvalidArgumentError('names with single commas between were expected.');
  return found;
}

/** The flags that say how a table is read; shared with predict and evaluate. */
export function columnOptions(): Option[] {
  return [
    new Option('--sequence-column <name>', 'column with the id of the sequence (default: sequence)'),
    new Option('--step-column <name>', 'column that orders the steps (default: step, else file order)'),
    new Option('--label-column <name>', 'column with the label (default: label)'),
    new Option(
      '--feature-columns <names>',
      'columns with features, separated by commas (default: all remaining columns that have a name)',
    ).argParser(names),
    new Option(
      '--delimiter <text>',
      'field separator, for example ";" or "\\t" (default: detected from the header)',
    ),
    new Option('--decimal <sign>', 'decimal sign (default: detected from the numbers)').choices(['.', ',']),
    new Option(
      '--encoding <label>',
      'encoding of .csv, .tsv and .jsonl files, for example windows-1252 (default: byte order mark, else utf-8)',
    ),
    new Option('--skip-malformed', 'leave out every sequence with a malformed row, and report which'),
  ].map((option) => option.helpGroup(group));
}

/** Which data a flag is for; every other flag is for all. */
const dataOf: readonly (readonly [flags: readonly (keyof DataFlags)[], are: RegExp, words: string])[] = [
  [['timeSteps', 'examples'], /^memory$/, '--data memory'],
  [['encoding'], /\.(csv|tsv|jsonl)$/i, '.csv, .tsv and .jsonl files'],
  [
    ['sequenceColumn', 'stepColumn', 'labelColumn', 'featureColumns', 'delimiter', 'decimal'],
    /\.(csv|tsv)$/i,
    '.csv and .tsv files',
  ],
  [['skipMalformed'], /\.(csv|tsv|jsonl|npz)$/i, 'files'],
];

/**
 * Refuses flags that change nothing for this source of data.
 *
 * @throws UsageError that names the flag and the data it is for
 */
export function checkDataFlags(flags: DataFlags, source: string): void {
  for (const [names, are, words] of dataOf)
    for (const name of names)
      if (flags[name] !== undefined && !are.test(source)) {
        const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
        throw new UsageError(`${flag} is for ${words} and changes nothing for ${source}; leave it out.`);
      }
}

/** The flags as choices; what is not given stays open. */
export function dataChoicesOf(flags: DataFlags): NonNullable<TrainChoices['data']> {
  const columns = {
    ...(flags.sequenceColumn !== undefined && { sequence: flags.sequenceColumn }),
    ...(flags.stepColumn !== undefined && { step: flags.stepColumn }),
    ...(flags.labelColumn !== undefined && { label: flags.labelColumn }),
    ...(flags.featureColumns !== undefined && { features: flags.featureColumns }),
  };
  const own = [
    'validation',
    'standardize',
    'delimiter',
    'decimal',
    'encoding',
    'skipMalformed',
    'timeSteps',
    'examples',
  ] as const;
  return {
    ...given(flags, own),
    ...(flags.data !== undefined && { source: flags.data }),
    ...(Object.keys(columns).length > 0 && { columns }),
  };
}

/**
 * How `predict` and `evaluate` read a file: every flag that is given, else what training was given, one by one.
 *
 * The delimiter, decimal sign and encoding of training count for files of the same extension. Without `--feature-columns` the features
 * are the model's, by name.
 */
export function formatFor(
  flags: DataFlags,
  trained: DataSettings | undefined,
  featureNames: readonly string[] | undefined,
): TextFormat {
  const choices = dataChoicesOf(flags);
  const extension = (source = ''): string => source.slice(source.lastIndexOf('.')).toLowerCase();
  const same = trained !== undefined && extension(trained.source) === extension(flags.data);
  const names = ['delimiter', 'decimal', 'encoding'] as const;
  const columns: ColumnNames = {
    ...(featureNames && { features: featureNames }),
    ...trained?.columns,
    ...choices.columns,
  };
  return {
    ...(same && given(trained, names)),
    ...given(choices, names),
    ...(Object.keys(columns).length > 0 && { columns }),
  };
}

/** Those of `names` that the flags hold. */
export function given<T extends object, K extends keyof T>(
  flags: T,
  names: readonly K[],
): { [P in K]?: Exclude<T[P], undefined> } {
  const entries = names.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name]]);
  return Object.fromEntries(entries) as never;
}
