import {
  checkChoice,
  checkFlag,
  checkOptions,
  describe,
  shown,
  type OptionNames,
} from '../../../scratch/index';
import type { OnMalformed } from './malformed';
import type { Decimal } from '../../base/number-text';

/** Which columns of a long-form table mean what. */
export interface ColumnNames {
  /** default `sequence` */ readonly sequence?: string;
  /** default `step` where there is one, else the rows of a sequence are in file order */ readonly step?: string;
  /** default `label` */ readonly label?: string;
  /** default: all other columns that have a name */ readonly features?: readonly string[];
}

/** How a text file is written. A run remembers what was given, and `predict` and `evaluate` use it again. */
export interface TextFormat {
  /** columns of a .csv or .tsv */ readonly columns?: ColumnNames;
  /** what separates the fields of a table; default: what the header shows */ readonly delimiter?: string;
  /** the sign between whole part and fraction; default: what the numbers show */ readonly decimal?: Decimal;
  /** a WHATWG label such as `windows-1252`; default: the byte order mark's, else UTF-8 */ readonly encoding?: string;
}

export interface LoadOptions extends TextFormat {
  /** default `fail` */ readonly onMalformed?: OnMalformed;
  /** gets every malformed row's report when they are skipped */ readonly onReport?: (line: string) => void;
  /** whether data without labels are refused; default true */ readonly needLabels?: boolean;
  /** decides generated data; default 1 */ readonly seed?: number;
  /** `memory`: steps of a sequence, default 20 */ readonly timeSteps?: number;
  /** `memory`: number of sequences, default 2000 */ readonly examples?: number;
}

const columnNames: OptionNames<ColumnNames> = { sequence: true, step: true, label: true, features: true };

export const textFormatNames: OptionNames<TextFormat> = {
  columns: true,
  delimiter: true,
  decimal: true,
  encoding: true,
};

const optionNames: OptionNames<LoadOptions> = {
  ...textFormatNames,
  onMalformed: true,
  onReport: true,
  needLabels: true,
  seed: true,
  timeSteps: true,
  examples: true,
};

/** @throws RangeError for an option or a column's meaning that does not exist, with the nearest one */
export function checkLoadOptions(options: LoadOptions): void {
  checkOptions(options, optionNames, 'loadData');
  checkColumnNames(options.columns, 'loadData');
  const { onMalformed, decimal, needLabels } = options;
  if (onMalformed !== undefined) checkChoice(onMalformed, ['fail', 'skip'], 'loadData: onMalformed');
  if (decimal !== undefined) checkChoice(decimal, ['.', ','], 'loadData: decimal');
  if (needLabels !== undefined) checkFlag(needLabels, 'loadData: needLabels');
  const kinds = { delimiter: 'string', encoding: 'string', onReport: 'function' } as const;
  for (const [name, kind] of Object.entries(kinds) as ['delimiter', string][]) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== kind)
      throw new TypeError(`loadData: ${name} is ${describe(value)}; pass a ${kind}, or leave it out.`);
  }
}

export function checkColumnNames(columns: ColumnNames | undefined, name: string): void {
  if (columns === undefined) return;
  checkOptions(columns, columnNames, `${name}: columns`);
  const { features, ...single } = columns;
  const isText = (value: unknown): boolean => typeof value === 'string';
  const bad = Object.entries<unknown>(single).find(([, value]) => value !== undefined && !isText(value))?.[0];
  if (bad !== undefined || (features !== undefined && !(Array.isArray(features) && features.every(isText))))
    throw new TypeError(
      `${name}: columns: ${bad ?? 'features'} is ${shown(columns[(bad ?? 'features') as keyof ColumnNames])}; pass ${bad === undefined ? 'an array of names' : 'the name of a column'}.`,
    );
}
