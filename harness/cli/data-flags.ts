import { InvalidArgumentError, type Option } from 'commander';
import type { ColumnNames, TextFormat } from '../training/data/index';
import type { DataSettings, TrainChoices } from '../training/settings';
import { UsageError } from '../base/outcome';
import type { FlagsOf } from './command';
import { choice, list, number, option, text, typed, yes } from './options';

/** @throws InvalidArgumentError for an empty name, which would choose an index without a name */
function names(text: string): string[] {
  const found = list(text);
  if (found.includes('')) throw new InvalidArgumentError('names with single commas between were expected.');
  return found;
}

/** Gives options a heading of their own in the help. */
function grouped<F extends Readonly<Record<string, Option>>>(flags: F): F {
  for (const flag of Object.values(flags)) flag.helpGroup('Data:');
  return flags;
}

/** The flags that say how a table is read; shared with predict and evaluate. */
export const columnFlags = grouped({
  sequenceColumn: text('--sequence-column <name>', 'column with the id of the sequence (default: sequence)'),
  stepColumn: text('--step-column <name>', 'column that orders the steps (default: step, else file order)'),
  labelColumn: text('--label-column <name>', 'column with the label (default: label)'),
  featureColumns: option(
    '--feature-columns <names>',
    'columns with features, separated by commas (default: all remaining columns that have a name)',
    names,
  ),
  delimiter: text(
    '--delimiter <text>',
    'field separator, for example ";" or "\\t" (default: detected from the header)',
  ),
  decimal: choice('--decimal <sign>', 'decimal sign (default: detected from the numbers)', ['.', ',']),
  encoding: text(
    '--encoding <label>',
    'encoding of .csv, .tsv and .jsonl files, for example windows-1252 (default: byte order mark, else utf-8)',
  ),
  skipMalformed: yes('--skip-malformed', 'leave out every sequence with a malformed row, and report which'),
});

/** The flags that say where the data of training come from and how they are read. */
export const dataFlags = {
  ...grouped({
    data: text(
      '--data <source>',
      'digits, notebook, memory, or a .npz, .csv, .tsv or .jsonl file (default: digits)',
    ),
    validation: option(
      '--validation <share>',
      'share of the examples kept for validation (default: 0.2)',
      number(),
    ),
    standardize: typed<boolean | undefined>()(
      '--standardize',
      'scale features to mean 0, standard deviation 1 (default for files)',
    ),
    noStandardize: typed<boolean | undefined>()('--no-standardize', 'leave features as they are').default(
      undefined,
    ),
  }),
  ...columnFlags,
  ...grouped({
    timeSteps: option(
      '--time-steps <n>',
      'for --data memory: steps from the symbol to the question (default: 20)',
      number(),
    ),
    examples: option('--examples <n>', 'for --data memory: number of sequences (default: 2000)', number()),
  }),
};
export type DataFlags = Partial<FlagsOf<typeof dataFlags>>;

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
      if (flags[name] !== undefined && !are.test(source))
        throw new UsageError(
          `${dataFlags[name].long ?? name} is for ${words} and changes nothing for ${source}; leave it out.`,
        );
}

/** The flags as choices; what is not given stays open. */
export function dataChoicesOf(flags: DataFlags): NonNullable<TrainChoices['data']> {
  const { sequenceColumn: sequence, stepColumn: step, labelColumn: label, featureColumns: features } = flags;
  const columns = given({ sequence, step, label, features });
  const own = [
    ...(['validation', 'standardize', 'delimiter', 'decimal'] as const),
    ...(['encoding', 'skipMalformed', 'timeSteps', 'examples'] as const),
  ];
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

/** Those fields, or those of `names`, that are not undefined. */
export function given<T extends object, K extends keyof T>(
  fields: T,
  names = Object.keys(fields) as unknown as readonly K[],
): { [P in K]?: Exclude<T[P], undefined> } {
  const entries = names.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]);
  return Object.fromEntries(entries) as never;
}
