import { formatShape, shown, sizeOf, type Tensor } from '../../../scratch/index';
import { MalformedAnswerError } from '../../base/side-errors';
import { evaluationOf, type Evaluation } from '../../base/problem';
import type { CandidateLayersProblem, CandidateProblem } from './define';

/** An answer as tensors, and what could not be read as one, with the reason. Plain data: it travels between processes. */
export interface ReadAnswer {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly malformed: ReadonlyMap<string, string>;
}

/** The evaluation in an answer. Throws MalformedAnswerError. */
export function evaluationIn(answer: ReadAnswer): Evaluation {
  const evaluation = evaluationOf(answer.tensors);
  if (answer.malformed.size > 0) throw new MalformedAnswerError(evaluation, answer.malformed);
  return evaluation;
}

/**
 * Reads what `evaluate` returned: nested arrays, typed arrays, `{ data, shape }`; the loss a number. undefined and null
 * count as absent. Numbers are taken as they are, NaN and infinities too: judging them is the judge's business.
 *
 * @param most a tensor of more numbers is not read: it is far larger than any answer to the problem (`mostNumbersOf`)
 */
export function readAnswer(value: unknown, most: number): ReadAnswer {
  const tensors = new Map<string, Tensor>();
  const malformed = new Map<string, string>();
  const read = (name: string, item: unknown): void => {
    if (item === undefined || item === null) return;
    const tensor = tensorOf(item, most);
    if (typeof tensor === 'string') malformed.set(name, tensor);
    else tensors.set(name, tensor);
  };
  const readFields = (prefix: string, fields: Readonly<Record<string, unknown>>): void => {
    for (const [key, item] of Object.entries(fields)) {
      const name = `${prefix}${key}`;
      if ((prefix === '' || prefix === 'gradients.') && isByLayer(key, item))
        item.forEach((layer, i) => readFields(`${name}.layer${i + 1}.`, layer));
      else if (name !== 'gradients' || item === undefined || item === null) read(name, item);
      else if (isObject(item)) readFields('gradients.', item);
      else malformed.set(name, `is ${describe(item)}; an object with kernel, bias, ... was expected`);
    }
  };
  if (!isObject(value)) {
    malformed.set(
      '(answer)',
      `is ${describe(value)}; evaluate must return an object with states, gradients, ...`,
    );
    return { tensors, malformed };
  }
  const names = Object.keys(value).length;
  if (names > mostNames) {
    malformed.set('(answer)', `has ${names} fields; an object with states, gradients, ... was expected`);
    return { tensors, malformed };
  }
  readFields('', value);
  return { tensors, malformed };
}

/** No answer has as many tensors, and no network of a problem as many layers. */
const mostNames = 1000;

/**
 * Four times the numbers that the largest tensor of an answer can have (room for an answer of a wrong shape, which the judge describes),
 * from the sizes of the problem: B T times the longest axis, or all weights.
 */
export function mostNumbersOf({ inputs, weights }: CandidateProblem | CandidateLayersProblem): number {
  let [numbers, widest] = [0, 1];
  const walk = (value: unknown): void => {
    if (typeof value === 'number') numbers++;
    else if (Array.isArray(value)) {
      widest = Math.max(widest, value.length);
      value.forEach(walk);
    } else if (isObject(value)) Object.values(value).forEach(walk);
  };
  walk(inputs[0]);
  walk(weights);
  return 4 * Math.max(inputs.length * inputs[0].length * widest, numbers) + mostNames;
}

/** Whether it holds an object of tensors for every layer. */
function isByLayer(name: string, item: unknown): item is readonly Readonly<Record<string, unknown>>[] {
  const isList = ['sequences', 'finalStates', 'weights', 'initialStates'].includes(name);
  return isList && Array.isArray(item) && item.length <= mostNames && item.every((layer) => isObject(layer));
}

type Numbers = ArrayLike<number>;

/** The tensor, or the reason why it is not a tensor. */
function tensorOf(value: unknown, most: number): Tensor | string {
  if (typeof value === 'number') return { data: Float64Array.of(value), shape: [] };
  if (isArray(value)) return fromNested(value, most);
  if (!isObject(value) || !('data' in value) || !('shape' in value)) {
    return `is ${describe(value)}; nested arrays of numbers or { data, shape } were expected`;
  }
  const { data, shape } = value;
  if (!isArray(shape) || !Array.from(shape).every((size) => Number.isSafeInteger(size) && size >= 0)) {
    return `has a shape that is ${isArray(shape) ? `[${Array.from(shape as ArrayLike<unknown>, shown).join(', ')}]` : describe(shape)}; an array of sizes was expected`;
  }
  if (!isArray(data)) return `has data that is ${describe(data)}; a flat array of numbers was expected`;
  const sizes = Array.from(shape);
  if (data.length > most) return tooMany(data.length, most);
  if (data.length !== sizeOf(sizes)) {
    return `has ${data.length} numbers for shape ${formatShape(sizes)}, which holds ${sizeOf(sizes)}`;
  }
  const bad = Array.from(data).findIndex((x) => typeof x !== 'number');
  if (bad >= 0) return `holds ${describe(data[bad])} at ${bad}; numbers were expected`;
  return { data: Float64Array.from(data), shape: sizes };
}

/** No tensor of a problem has as many axes. */
const deepest = 8;

function tooMany(numbers: number, most: number): string {
  return `has ${numbers} or more numbers, far more than an answer to this problem can have (at most ${most} are read)`;
}

function fromNested(value: Numbers, most: number): Tensor | string {
  const shape: number[] = [];
  for (let level: unknown = value; isArray(level); level = level[0]) {
    shape.push(level.length);
    // an axis of 0 makes none, however long the others are
    const numbers = shape.reduce((product, size) => product * Math.max(1, size), 1);
    if (numbers > most) return tooMany(numbers, most);
    if (shape.length > deepest)
      return `is nested more than ${deepest} deep; at most 3 axes were expected (or does an array hold itself?)`;
  }
  const data: number[] = [];
  const walk = (level: unknown, axis: number, at: readonly number[]): string | undefined => {
    if (axis === shape.length) {
      if (typeof level !== 'number')
        return `holds ${describe(level)} at ${formatShape(at)}; a number was expected`;
      data.push(level);
      return undefined;
    }
    if (!isArray(level) || level.length !== shape[axis]) {
      const found = isArray(level) ? `${level.length} elements` : describe(level);
      return `is ragged: ${formatShape(at)} has ${found} where its first sibling has ${shape[axis]} elements`;
    }
    for (let i = 0; i < level.length; i++) {
      const reason = walk(level[i], axis + 1, [...at, i]);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
  return walk(value, 0, []) ?? { data: Float64Array.from(data), shape };
}

function isArray(value: unknown): value is Numbers {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !isArray(value);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (value instanceof Promise) return 'a promise (await it, or return it from evaluate itself)';
  if (isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 40))}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
