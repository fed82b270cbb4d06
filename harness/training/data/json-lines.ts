import { createReadStream } from 'node:fs';
import { UsageError } from '../../base/outcome';
import type { LoadOptions } from './load-options';
import { Malformed } from './malformed';
import { SequenceBuilder } from './sequence-builder';
import type { SequenceData } from './sequences';

/** A longer line than this is refused, so that a file without line ends cannot fill the memory. */
const maxLine = 2 ** 28;

/** Reads one sequence a line: `{"inputs": [[...], ...], "label": "a" or 3, "id": optional}`. Malformed lines are reported by number. */
export async function readJsonLines(file: string, options: LoadOptions): Promise<SequenceData> {
  const malformed = new Malformed(file, options.onMalformed ?? 'fail', options.onReport);
  const builder = new SequenceBuilder(file, malformed, options.needLabels ?? true);
  const ids = new Set<string>();
  let features: number | undefined;
  let line = 0;
  try {
    for await (const bytes of lines(file)) {
      line++;
      if (bytes.length === 0) continue;
      const example = readLine(bytes, features);
      const id = typeof example === 'string' ? String(line) : (example.id ?? String(line));
      const problem =
        typeof example === 'string'
          ? example
          : ids.has(id)
            ? `id ${JSON.stringify(id)} is given twice`
            : undefined;
      if (typeof example === 'string' || problem !== undefined) {
        malformed.add(`line ${line}`, problem ?? '');
        builder.drop(`\0${line}`);
        continue;
      }
      ids.add(id);
      features ??= example.inputs[0].length;
      example.inputs.forEach((row) => builder.addRow(id, undefined, row, example.label, line));
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `${file} cannot be read (${error instanceof Error ? error.message : String(error)}); give one JSON object a line.`,
      { cause: error },
    );
  }
  malformed.settle();
  if (features === undefined) throw new UsageError(`${file} holds no sequence; give one JSON object a line.`);
  return builder.build(features);
}

interface Example {
  readonly id?: string;
  readonly label: string;
  readonly inputs: readonly (readonly number[])[];
}

/** The example, or what is wrong with it. */
function readLine(bytes: Uint8Array, features: number | undefined): Example | string {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 200) : 'is no JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is no JSON object';
  const field = (name: string): unknown =>
    Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  const inputs = field('inputs');
  if (!Array.isArray(inputs) || inputs.length === 0) return '"inputs" is no array of time steps';
  let width = features;
  for (const [t, row] of (inputs as unknown[]).entries()) {
    if (!Array.isArray(row) || row.length === 0) return `"inputs"[${t}] is no array of numbers`;
    width ??= row.length;
    if (row.length !== width) return `"inputs"[${t}] has ${row.length} features where ${width} were before`;
    const bad = row.findIndex((x) => typeof x !== 'number' || !Number.isFinite(x));
    if (bad >= 0) return `"inputs"[${t}][${bad}] is ${JSON.stringify(row[bad])}, no finite number`;
  }
  const label = labelText(field('label'));
  if (label === undefined)
    return `"label" is ${JSON.stringify(field('label'))}, neither text nor a whole number`;
  const id = field('id');
  if (id !== undefined && typeof id !== 'string' && typeof id !== 'number')
    return '"id" is neither text nor a number';
  return {
    inputs: inputs as number[][],
    label,
    ...(id === undefined ? {} : { id: String(id) }),
  };
}

/** Empty when there is none, undefined when it can be no label. */
function labelText(label: unknown): string | undefined {
  if (label === undefined || label === null) return '';
  if (typeof label === 'string') return label;
  return typeof label === 'number' && Number.isSafeInteger(label) ? String(label) : undefined;
}

async function* lines(file: string): AsyncGenerator<Uint8Array> {
  let pending: Buffer[] = [];
  let size = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield trim(Buffer.concat([...pending, chunk.subarray(start, end)]));
      pending = [];
      size = 0;
      start = end + 1;
    }
    pending.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > maxLine)
      throw new UsageError(`${file} has a line of more than ${maxLine} bytes; give one JSON object a line.`);
  }
  yield trim(Buffer.concat(pending));
}

/** Without white space at its ends and without a byte order mark. */
function trim(bytes: Buffer): Buffer {
  let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  let end = bytes.length;
  while (end > start && bytes[end - 1] <= 32) end--;
  while (start < end && bytes[start] <= 32) start++;
  return bytes.subarray(start, end);
}
