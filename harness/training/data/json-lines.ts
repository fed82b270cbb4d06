import { sourcesOf } from '../../base/json-text';
import { UsageError } from '../../base/outcome';
import { labelExpected, oneHotIndex } from './labels';
import type { LoadOptions } from './load-options';
import { Malformed } from './malformed';
import { listed, quoted, type Notes } from './notes';
import { SequenceBuilder } from './sequence-builder';
import type { SequenceData } from './sequences';
import { decodeText } from './text';

/** A longer line than this is refused, so that a file without line ends cannot fill the memory. */
const maxLine = 2 ** 28;

const keys = ['inputs', 'label', 'id'] as const;

/** Reads one sequence a line: `{"inputs": [[...], ...], "label": "a" or 3, "id": optional}`. Malformed lines are reported by number. */
export async function readJsonLines(file: string, options: LoadOptions, notes: Notes): Promise<SequenceData> {
  const malformed = new Malformed(file, options.onMalformed ?? 'fail', options.onReport);
  const needLabels = options.needLabels ?? true;
  const builder = new SequenceBuilder(file, malformed, { needLabels, labels: '"label"', notes });
  const firstLines = new Map<string, number>();
  /** lines without an id, which their numbers stand for */ const unnamed = new Set<number>();
  let shape: Shape = {};
  let line = 0;
  for await (const text of lines(file, options.encoding, notes)) {
    line++;
    if (text === '') continue;
    const example = readLine(text, shape, notes);
    if (typeof example === 'string') {
      malformed.add(`line ${line}`, example);
      builder.drop(`\0${line}`);
      continue;
    }
    const id = example.id ?? String(line);
    const before = firstLines.get(id);
    if (before !== undefined) {
      const isNumber = example.id === undefined || unnamed.has(before);
      malformed.add(
        `line ${line}`,
        isNumber
          ? `id ${quoted(id)} is also what line ${id} is called, which has no id of its own; give every line an id, or none`
          : `id ${quoted(id)} is given twice, first on line ${before}`,
      );
      builder.drop(`\0${line}`);
      continue;
    }
    firstLines.set(id, line);
    if (example.id === undefined) unnamed.add(line);
    ({ shape } = example);
    example.inputs.forEach((row) => builder.addRow(id, undefined, row, example.label, line));
  }
  if (shape.features === undefined) {
    malformed.settle();
    throw new UsageError(`${file} holds no sequence; give one JSON object a line.`);
  }
  return builder.build(shape.features);
}

/** What the first line sets for all others. */
interface Shape {
  readonly features?: number;
  /** the length of one-hot labels; 0 of single ones */ readonly classes?: number;
}

interface Example {
  readonly id?: string;
  readonly label: string;
  readonly inputs: readonly (readonly number[])[];
  readonly shape: Shape;
}

/** The example, or what is wrong with it. */
function readLine(text: string, shape: Shape, notes: Notes): Example | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return notJson(text, (error as Error).message);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `is not a JSON object; ${oneObject}`;
  const fields = new Map<string, unknown>(Object.entries(value));
  // A name that stands twice is rare, and looking for it by text is cheap: JSON.parse keeps the last and says nothing.
  const mayBeTwice = (key: string): boolean => text.includes('\\u') || text.split(`"${key}"`).length > 2;
  const twice = keys.find((key) => mayBeTwice(key) && sourcesOf(text, key).length > 1);
  if (twice !== undefined) return `"${twice}" is given twice; keep one`;
  const ignored = [...fields.keys()].filter((key) => !(keys as readonly string[]).includes(key));
  if (ignored.length > 0) notes.say(`keys that are not read: ${listed(ignored)} (inputs, label and id are)`);
  const inputs = fields.get('inputs');
  if (!Array.isArray(inputs) || inputs.length === 0) return '"inputs" is not an array of time steps';
  let features = shape.features;
  for (const [t, row] of (inputs as unknown[]).entries()) {
    if (!Array.isArray(row) || row.length === 0)
      return `"inputs"[${t}] is not an array of numbers; write one feature as [[1], [2]]`;
    features ??= row.length;
    if (row.length !== features)
      return `"inputs"[${t}] has ${row.length} features where ${features} were before`;
    const bad = row.findIndex((x) => typeof x !== 'number' || !Number.isFinite(x));
    if (bad >= 0) return `"inputs"[${t}][${bad}] is ${written(row[bad])}, not a finite number`;
  }
  const label = labelText(fields.get('label'), text, shape.classes, notes);
  if ('problem' in label) return label.problem;
  const id = idText(fields.get('id'), text, notes);
  if (typeof id === 'object') return id.problem;
  return {
    inputs: inputs as number[][],
    label: label.text,
    ...(id === undefined ? {} : { id }),
    shape: {
      ...shape,
      features: features ?? 0,
      ...(label.classes !== undefined && { classes: label.classes }),
    },
  };
}

/** A value as JSON has it, cut; numbers beyond float64 are Infinity. What is nested too deep for that is called so. */
function written(value: unknown): string {
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value).slice(0, 80);
  } catch {
    return 'nested too deep';
  }
}

interface Problem {
  readonly problem: string;
}

const oneObject =
  'write one object a line, as {"inputs": [[1, 2], [3, 4]], "label": "a"}, without commas between';

/** What is wrong with a line that is no JSON, and the usual reason. */
function notJson(text: string, message: string): string {
  const mark = /(?<=[[,:]\s*)(?:NaN|-?Infinity|None)(?=\s*[\],}])/.exec(text)?.[0];
  return mark === undefined
    ? `is not JSON (${message.slice(0, 120)}); ${oneObject}`
    : `holds ${mark}, which is no JSON and no number that can be used; leave out the sequence, or fill in the value`;
}

function idText(id: unknown, text: string, notes: Notes): string | undefined | Problem {
  if (id === undefined || id === null) return undefined;
  // JSON.parse rounds whole numbers above 2^53; the text of the file has all digits.
  if (typeof id === 'number') return Number.isSafeInteger(id) ? String(id) : sourcesOf(text, 'id')[0];
  if (typeof id !== 'string') return { problem: '"id" is neither text nor a number' };
  const trimmed = id.trim();
  if (trimmed !== id) notes.say('ids without white space at the ends');
  return trimmed === '' ? { problem: '"id" is empty; leave it out to use the line number' } : trimmed;
}

/** The label as text, empty when there is none. */
function labelText(
  label: unknown,
  text: string,
  classes: number | undefined,
  notes: Notes,
): { readonly text: string; readonly classes?: number } | Problem {
  if (label === undefined || label === null) return { text: '' };
  const isOneHot = Array.isArray(label);
  if (classes !== undefined && isOneHot !== classes > 0)
    return {
      problem: `"label" is ${written(label)}, ${isOneHot ? 'one-hot' : 'a single label'}, where those before are ${isOneHot ? 'single labels' : 'one-hot'}; write all of them in one form`,
    };
  if (isOneHot) {
    const index = oneHotIndex(label);
    if (index === undefined || label.length < 2 || (classes ?? label.length) !== label.length)
      return {
        problem: `"label" is ${written(label)}; one label a sequence was expected: text, a whole number, or exactly one 1 among ${classes === undefined ? '' : `${classes - 1} `}zeros`,
      };
    notes.say('one-hot labels are taken as the index of their 1');
    return { text: String(index), classes: label.length };
  }
  if (typeof label === 'string') return { text: label, classes: 0 };
  if (typeof label !== 'number' || !Number.isInteger(label))
    return { problem: `"label" is ${written(label)}; ${labelExpected}` };
  if (!Number.isSafeInteger(label))
    return {
      problem: `"label" is ${sourcesOf(text, 'label')[0] ?? label}, a number above 2^53, which JSON rounds; write it as text, in quotes`,
    };
  return { text: String(label), classes: 0 };
}

async function* lines(file: string, encoding: string | undefined, notes: Notes): AsyncGenerator<string> {
  let pending = '';
  /** a carriage return at the end of a piece, which may be the first half of a line end */ let held = '';
  for await (const piece of decodeText(file, encoding, notes)) {
    const text = held + piece;
    held = text.endsWith('\r') ? '\r' : '';
    const parts = text.slice(0, text.length - held.length).split(/\r\n|\r|\n/);
    parts[0] = pending + parts[0];
    pending = parts.pop() ?? '';
    for (const part of parts) yield part.trim();
    if (pending.length > maxLine)
      throw new UsageError(
        `${file} has a line of more than ${maxLine} characters; give one JSON object a line.`,
      );
  }
  yield pending.trim();
}
