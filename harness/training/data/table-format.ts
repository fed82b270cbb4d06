import { parse } from 'csv-parse/sync';
import { UsageError } from '../../base/outcome';
import { sequenceColumn, type Layout } from './columns';
import type { LoadOptions } from './load-options';
import { quoted, type Notes } from './notes';
import { parseNumber, type Decimal } from '../../base/number-text';

/** How csv-parse reads every table: quotes may stand inside a field (`5" pipe`), white space around a field is not part of it. */
export const csvOptions = {
  relax_column_count: true,
  relax_quotes: true,
  trim: true,
  skip_empty_lines: true,
  record_delimiter: ['\r\n', '\n', '\r'],
  max_record_size: 2 ** 24,
};

export interface Separators {
  readonly delimiter: string;
  /** the number of the header's line: 2 after a line `sep=;` */ readonly headerLine: number;
}

/**
 * Finds what separates the fields: the flag's, that of Excel's line `sep=;`, or the one that shows the sequence column in the header.
 *
 * @param sample the beginning of the text
 * @param usual what a file of this extension has
 */
export function findSeparators(
  sample: string,
  usual: string,
  options: LoadOptions,
  notes: Notes,
): Separators {
  const [line, sep] = (/^\s*"?sep=(.)"?[ ,;\t]*(?:\r\n|\r|\n)/i.exec(sample) ?? []) as (string | undefined)[];
  const headerLine = line === undefined ? 1 : 2;
  if (options.delimiter === '')
    throw new UsageError(
      '--delimiter is empty; what separates the fields was expected, for example ";" or tab.',
    );
  if (options.delimiter !== undefined)
    return { delimiter: options.delimiter.replace(/^\\t$|^tab$/i, '\t'), headerLine };
  if (sep !== undefined) {
    notes.say(`fields are separated by ${quoted(sep)}, as line 1 says`);
    return { delimiter: sep, headerLine };
  }
  const headers = [...new Set([usual, ',', ';', '\t', '|'])].map((delimiter) => ({
    delimiter,
    columns: (sampleRecords(sample, delimiter, 1, 1)[0] ?? []).map((name) => name.trim()),
  }));
  const most = headers.reduce((best, other) => (other.columns.length > best.columns.length ? other : best));
  const { delimiter } =
    headers.find(({ columns }) => columns.length > 1 && columns.includes(sequenceColumn(options))) ?? most;
  if (delimiter !== usual)
    notes.say(`fields are separated by ${quoted(delimiter)}, guessed from the header; --delimiter decides`);
  return { delimiter, headerLine };
}

/** The records at the beginning of a text, up to where it cannot be parsed. */
export function sampleRecords(
  sample: string,
  delimiter: string,
  headerLine: number,
  most: number,
): string[][] {
  const records: string[][] = [];
  const collect = (record: string[]): null => {
    records.push(record);
    return null;
  };
  try {
    parse(sample, { ...csvOptions, delimiter, from_line: headerLine, to: most, on_record: collect });
  } catch {
    // An open quote: the records before it are what can be known.
  }
  return records;
}

/** `1,234` may be 1.234 or 1234. */
const ambiguous = /^[+-]?[1-9]\d{0,2},\d{3}$/;

/**
 * Finds the decimal sign: the flag's, else the comma where sample numbers have one and none has a point.
 *
 * @throws UsageError when the numbers could have a decimal comma or a comma between thousands
 */
export function findDecimal(
  file: string,
  rows: readonly (readonly string[])[],
  layout: Layout,
  options: LoadOptions,
  notes: Notes,
): Decimal {
  if (options.decimal !== undefined) return options.decimal;
  const columns = [...layout.features, layout.step, layout.label].filter((column) => column >= 0);
  const texts = rows.flatMap((row) => columns.map((column) => (row[column] ?? '').trim()));
  const commas = texts.filter((text) => text.includes(',') && parseNumber(text, ',') !== undefined);
  const points = texts.filter((text) => text.includes('.') && parseNumber(text) !== undefined);
  if (commas.length === 0 || points.length > 0) return '.';
  const clear = commas.find((text) => !ambiguous.test(text));
  if (clear === undefined)
    throw new UsageError(
      `${file}: ${quoted(commas[0])} may be a number with a decimal comma or with a comma between thousands; pass --decimal , for the first, and write numbers without a comma between thousands for the second.`,
    );
  notes.say(`numbers have a decimal comma, guessed from ${quoted(clear)}; --decimal decides`);
  return ',';
}
