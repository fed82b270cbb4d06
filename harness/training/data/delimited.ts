import { CsvError, parse } from 'csv-parse';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '../../base/outcome';
import { Malformed } from './malformed';
import { SequenceBuilder } from './sequence-builder';
import type { LoadOptions } from './load-options';
import type { SequenceData } from './sequences';

interface Layout {
  readonly sequence: number;
  readonly step: number;
  readonly label: number;
  readonly features: readonly number[];
  readonly columns: readonly string[];
}

const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Reads a decimal number strictly: no empty text, no `0x10`, no `1,5`; undefined when it is none or not finite. */
export function parseNumber(text: string): number | undefined {
  const trimmed = text.trim();
  if (!number.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * Reads a table in long form (one row a time step: sequence id, step, features, label), streamed: only the numbers stay in memory.
 *
 * @throws UsageError that lists the malformed rows by line, or says which column is missing
 */
export async function readDelimited(
  file: string,
  delimiter: string,
  options: LoadOptions,
): Promise<SequenceData> {
  const malformed = new Malformed(file, options.onMalformed ?? 'fail', options.onReport);
  const builder = new SequenceBuilder(file, malformed, options.needLabels ?? true);
  let layout: Layout | undefined;
  let features = new Float64Array(0);
  const parser = parse({
    bom: true,
    delimiter,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: 2 ** 24,
    on_skip: (error) => {
      malformed.add(`line ${lineOf(error, parser.info.lines)}`, error?.message ?? 'cannot be parsed');
      return undefined;
    },
    on_record: (record: string[], context) => {
      if (layout === undefined) {
        layout = readHeader(file, record, options);
        features = new Float64Array(layout.features.length);
        return null;
      }
      addRecord(record, context.lines, layout, features, builder, malformed);
      return null;
    },
  });
  try {
    await pipeline(createReadStream(file, { highWaterMark: 1 << 18 }), parser, async (records) => {
      for await (const record of records as AsyncIterable<unknown>)
        throw new Error(`unread record ${String(record)}`);
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof CsvError) malformed.add(`line ${lineOf(error, parser.info.lines)}`, reason);
    malformed.settle();
    throw new UsageError(`${file} cannot be read (${reason}); give a table with one row a time step.`, {
      cause: error,
    });
  }
  if (layout === undefined)
    throw new UsageError(`${file} is empty; give a header line and one row a time step.`);
  const { features: columns, columns: names } = layout;
  return builder.build(
    columns.length,
    columns.map((column) => names[column]),
  );
}

function lineOf(error: unknown, fallback: number): number {
  const lines: unknown = (error as { lines?: unknown } | undefined)?.lines;
  return typeof lines === 'number' ? lines : fallback;
}

function readHeader(file: string, header: readonly string[], options: LoadOptions): Layout {
  const columns = header.map((name) => name.trim());
  const wanted = options.columns ?? {};
  const repeated = columns.find((name, i) => columns.indexOf(name) !== i);
  if (repeated !== undefined)
    throw new UsageError(`${file}: the header has column ${JSON.stringify(repeated)} twice; rename one.`);
  const find = (name: string, flag: string, needed: boolean): number => {
    const at = columns.indexOf(name);
    if (at < 0 && needed) {
      throw new UsageError(
        `${file} has no column ${JSON.stringify(name)}; its header reads ${columns.map((c) => JSON.stringify(c)).join(', ')}, so name the right one with ${flag}.`,
      );
    }
    return at;
  };
  const sequence = find(wanted.sequence ?? 'sequence', '--sequence-column', true);
  const step = find(wanted.step ?? 'step', '--step-column', wanted.step !== undefined);
  const needLabel = wanted.label !== undefined || (options.needLabels ?? true);
  const label = find(wanted.label ?? 'label', '--label-column', needLabel && (options.needLabels ?? true));
  const taken = new Set([sequence, step, label]);
  const features =
    wanted.features?.map((name) => find(name, '--feature-columns', true)) ??
    columns.map((_, i) => i).filter((i) => !taken.has(i));
  const clash = features.find((column) => taken.has(column));
  if (clash !== undefined || new Set(features).size !== features.length)
    throw new UsageError(
      `${file}: a column of ${features.map((c) => JSON.stringify(columns[c])).join(', ')} is used twice; the sequence, step and label columns are no features.`,
    );
  if (features.length === 0)
    throw new UsageError(`${file} has no feature column; its header reads ${columns.join(', ')}.`);
  return { sequence, step, label, features, columns };
}

function addRecord(
  record: readonly string[],
  line: number,
  layout: Layout,
  features: Float64Array,
  builder: SequenceBuilder,
  malformed: Malformed,
): void {
  const { columns } = layout;
  const id = record[layout.sequence] as string | undefined;
  const refuse = (reason: string): void => {
    malformed.add(`line ${line}`, reason);
    if (id !== undefined && id !== '') builder.drop(id);
  };
  if (record.length !== columns.length) {
    refuse(`has ${record.length} fields; the header has ${columns.length}`);
    return;
  }
  if (id === undefined || id === '') {
    refuse(`column ${JSON.stringify(columns[layout.sequence])} is empty; every row names its sequence`);
    return;
  }
  const step = layout.step < 0 ? undefined : parseNumber(record[layout.step]);
  if (layout.step >= 0 && step === undefined) {
    refuse(`${describe(columns[layout.step], record[layout.step])} is no finite number`);
    return;
  }
  for (let i = 0; i < features.length; i++) {
    const column = layout.features[i];
    const value = parseNumber(record[column]);
    if (value === undefined) {
      refuse(`${describe(columns[column], record[column])} is no finite number`);
      return;
    }
    features[i] = value;
  }
  builder.addRow(id, step, features, layout.label < 0 ? '' : record[layout.label].trim(), line);
}

function describe(column: string, text: string): string {
  return `column ${JSON.stringify(column)}: ${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)}`;
}
