import { CsvError, parse } from 'csv-parse';
import { pipeline } from 'node:stream/promises';
import { parseNumber, type Decimal } from '../../base/number-text';
import { UsageError } from '../../base/outcome';
import { readHeader, type Layout } from './columns';
import type { LoadOptions } from './load-options';
import { Malformed } from './malformed';
import { listed, quoted, type Notes } from './notes';
import { SequenceBuilder } from './sequence-builder';
import type { SequenceData } from './sequences';
import { parseStep, type Step } from './steps';
import { csvOptions, findDecimal, findSeparators, sampleRecords } from './table-format';
import { decodeText } from './text';

/** Characters at the beginning that decide the delimiter and the decimal sign. */
const sampleSize = 1 << 16;

/**
 * Reads a table in long form (one row a time step: sequence id, step, features, label), streamed: only the numbers stay in memory.
 *
 * @param usual what separates fields in files of this extension
 * @throws UsageError that lists the malformed rows by line, or says which column is missing
 */
export async function readDelimited(
  file: string,
  usual: string,
  options: LoadOptions,
  notes: Notes,
): Promise<SequenceData> {
  const text = decodeText(file, options.encoding, notes);
  const sample = await takeSample(text);
  const { delimiter, headerLine } = findSeparators(sample, usual, options, notes);
  const [header, ...first] = sampleRecords(sample, delimiter, headerLine, 200) as [string[]?, ...string[][]];
  if (header === undefined && sample.trim() === '')
    throw new UsageError(`${file} is empty; give a header line and one row a time step.`);
  const layout = header && readHeader(file, header, options, notes);
  const decimal = layout ? findDecimal(file, first, layout, options, notes) : '.';
  if (layout) refuseRowNames(file, first, layout);
  const table = layout && new Table(file, layout, decimal, options, notes);
  const parser = parse({
    ...csvOptions,
    delimiter,
    from_line: headerLine,
    from: 2,
    on_record: (record: string[], { lines }) => {
      table?.add(record, lines);
      return null;
    },
  });
  const spaces = whiteSpace(delimiter);
  const say = (piece: string): string => {
    if (spaces.test(piece)) notes.say('white space around fields is not part of them');
    return piece;
  };
  async function* whole(): AsyncGenerator<string> {
    yield say(sample);
    for await (const piece of text) yield say(piece);
  }
  try {
    await pipeline(whole(), parser, async (records) => {
      for await (const record of records as AsyncIterable<unknown>)
        throw new Error(`unread record ${String(record)}`);
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const place = error instanceof CsvError ? `: line ${parser.info.lines}` : '';
    throw new UsageError(
      `${file}${place}: cannot be read (${reason}). A quote at the beginning of a field needs one at its end, and a quote inside such a field is written twice; after an open quote the rows are not known, so --skip-malformed does not help.`,
      { cause: error },
    );
  }
  if (table === undefined) throw new UsageError(`${file}: line ${headerLine}: the header cannot be read.`);
  return table.build();
}

async function takeSample(text: AsyncGenerator<string>): Promise<string> {
  let sample = '';
  while (sample.length < sampleSize) {
    const next = await text.next();
    if (next.done === true) break;
    sample += next.value;
  }
  return sample;
}

/** White space at the beginning or end of a field. */
function whiteSpace(delimiter: string): RegExp {
  const between = delimiter.replace(/[^\w\s]/g, '\\$&');
  const space = delimiter === '\t' ? '[^\\S\\r\\n\\t]' : '[^\\S\\r\\n]';
  return delimiter.trim() === '' && delimiter !== '\t'
    ? /(?!)/
    : new RegExp(`${space}(?:${between}|[\\r\\n])|(?:${between}|[\\r\\n])${space}`);
}

/** R's write.table writes row names without a name for their column: every row has one field more than the header. */
function refuseRowNames(file: string, rows: readonly (readonly string[])[], { columns }: Layout): void {
  // The sample may end inside the last row.
  const whole = rows.slice(0, Math.max(1, rows.length - 1));
  if (whole.length === 0 || whole.some((row) => row.length !== columns.length + 1)) return;
  throw new UsageError(
    `${file}: every row has ${columns.length + 1} fields, the header has ${columns.length}; ${
      whole.every((row) => row.at(-1) === '')
        ? 'every row ends with a separator, so end the header with one as well, or remove them'
        : "R's write.table leaves out the name of the row names, so write the table with row.names = FALSE, or add the missing name"
    }.`,
  );
}

/** The rows of one table, checked one by one. */
class Table {
  private readonly malformed: Malformed;
  private readonly builder: SequenceBuilder;
  private readonly features: Float64Array;
  private readonly last: Float64Array;
  /** ids of rows with another number of fields, and the first line of each */
  private readonly doubtful = new Map<string, number>();
  private stepKind: Step['kind'] | undefined;
  private lastLine = 1;
  private emptyRows = 0;
  private rowCount = 0;
  /** features whose every value is one more than the last row's, from 0 or 1 */ private counters: number[];
  private spanning: string | undefined;
  private spanned = 0;

  constructor(
    private readonly file: string,
    private readonly layout: Layout,
    private readonly decimal: Decimal,
    options: LoadOptions,
    private readonly notes: Notes,
  ) {
    const labels = `column ${quoted(layout.columns[layout.label] ?? 'label')}`;
    this.malformed = new Malformed(file, options.onMalformed ?? 'fail', options.onReport);
    this.builder = new SequenceBuilder(file, this.malformed, {
      needLabels: options.needLabels ?? true,
      labels,
      decimal,
      notes,
    });
    this.features = new Float64Array(layout.features.length);
    this.last = new Float64Array(layout.features.length);
    // columns that were chosen are meant
    this.counters = options.columns?.features === undefined ? [...layout.features.keys()] : [];
  }

  /** @param line where the record ends */
  add(record: readonly string[], line: number): void {
    const { layout, malformed, builder } = this;
    const { columns } = layout;
    const many = line > this.lastLine + 1 && record.some((field) => /[\r\n]/.test(field));
    if (many) this.checkSpan(record, line);
    this.lastLine = line;
    if (record.every((field) => field.trim() === '')) {
      this.emptyRows++;
      return;
    }
    const place = `line ${line}`;
    if (record.length !== columns.length) {
      const reason = `has ${record.length} ${record.length === 1 ? 'field' : 'fields'}; the header has ${columns.length}`;
      // Which field is missing or was cut in two is not known; only what stands before all others is sure.
      const id = layout.sequence === 0 && !many ? record[0].trim() : '';
      if (id === '') malformed.addOrphan(place, reason);
      else {
        malformed.add(place, reason);
        this.doubtful.set(id, this.doubtful.get(id) ?? line);
      }
      return;
    }
    const id = record[layout.sequence].trim();
    if (id === '') {
      malformed.addOrphan(
        place,
        `column ${quoted(columns[layout.sequence])} is empty; every row names its sequence`,
      );
      return;
    }
    const refuse = (column: number, reason: string): void => {
      malformed.add(place, `column ${quoted(columns[column])}: ${quoted(record[column])} ${reason}`);
      builder.drop(id);
    };
    const step = layout.step < 0 ? undefined : this.stepOf(record[layout.step]);
    if (typeof step === 'string') {
      refuse(layout.step, step);
      return;
    }
    for (const [i, column] of layout.features.entries()) {
      const value = parseNumber(record[column], this.decimal);
      if (value === undefined) {
        refuse(column, `is not a finite number${this.hintFor(record[column])}`);
        return;
      }
      this.features[i] = value;
    }
    const row = this.rowCount++;
    if (row === 0)
      this.counters = this.counters.filter((i) => this.features[i] === 0 || this.features[i] === 1);
    else this.counters = this.counters.filter((i) => this.features[i] === this.last[i] + 1);
    this.last.set(this.features);
    builder.addRow(id, step, this.features, layout.label < 0 ? '' : record[layout.label], line);
  }

  private stepOf(text: string): number | string {
    const step = parseStep(text, this.decimal);
    if (typeof step === 'string') return step;
    this.stepKind ??= step.kind;
    if (step.kind === this.stepKind) return step.value;
    return `is a ${step.kind} where the rows before have a ${this.stepKind}; write all steps in one form`;
  }

  private hintFor(text: string): string {
    if (text.trim() === '') return '; fill in the missing value, or leave out the sequence';
    const other = this.decimal === ',' ? '.' : ',';
    if (text.includes(',') && text.includes('.')) return '; write numbers without a sign between thousands';
    if (parseNumber(text, other) !== undefined)
      return `; the decimal sign is ${quoted(this.decimal)} here, and --decimal ${other} changes it`;
    return '';
  }

  /** A record over several lines: a quoted text with line ends, or rows that ran together because a quote is not closed. */
  private checkSpan(record: readonly string[], line: number): void {
    const from = this.lastLine + 1;
    const { sequence, step, label, features } = this.layout;
    const used = new Set([sequence, step, label, ...features]);
    if (record.some((field, i) => used.has(i) && /[\r\n]/.test(field)))
      throw new UsageError(
        `${this.file}: line ${from}: a quote opens a field here and its end is not clear; lines ${from} to ${line} ran together, and their rows are not known. Write quotes inside a quoted field twice, or leave the field unquoted.`,
      );
    this.spanning ??= `lines ${from} to ${line}`;
    this.spanned++;
  }

  build(): SequenceData {
    const { notes, malformed, builder, layout } = this;
    for (const [id, line] of this.doubtful)
      if (builder.has(id)) builder.drop(id);
      else
        malformed.refuseOrphan(
          `line ${line}`,
          `has another number of fields than the header, and no whole row is of sequence ${quoted(id)}`,
        );
    const index = this.counters.map((i) => layout.columns[layout.features[i]]);
    if (index.length > 0 && this.rowCount >= 3)
      notes.warn(
        `column ${listed(index)} counts the rows of the file: an index is not a feature, so choose the others with --feature-columns`,
      );
    if (this.emptyRows > 0)
      notes.say(`${this.emptyRows} ${this.emptyRows === 1 ? 'row' : 'rows'} without any value left out`);
    if (this.spanning !== undefined)
      notes.say(
        `${this.spanned} quoted ${this.spanned === 1 ? 'field holds' : 'fields hold'} line ends (the first: ${this.spanning}); close its quote if these are rows`,
      );
    if (this.stepKind !== undefined && this.stepKind !== 'number')
      notes.say(`column ${quoted(layout.columns[layout.step])} holds time stamps, which order the steps`);
    const { features, columns } = layout;
    return builder.build(
      features.length,
      features.map((column) => columns[column]),
    );
  }
}
