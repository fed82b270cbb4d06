import { createHash } from 'node:crypto';
import { toNested, type Tensor } from '../../scratch/index';
import { fieldsOf, type AnyProblem, type Evaluation } from '../base/problem';
import { namedTensors } from '../judge/index';
import { plainNumber } from './judge-problem';

/** `{ shape, f64 }`, as vectors files have it: base64 of little-endian float64, row-major. */
export function encode({ data, shape }: Tensor): { readonly shape: readonly number[]; readonly f64: string } {
  const bytes = Buffer.alloc(8 * data.length);
  data.forEach((x, i) => bytes.writeDoubleLE(x, 8 * i));
  return { shape, f64: bytes.toString('base64') };
}

/** sha256 of all numbers, labels and shapes of a problem, in a fixed order. */
export function digestOf(problem: AnyProblem): string {
  return createHash('sha256')
    .update(JSON.stringify(fieldsOf(problem, encode)))
    .digest('hex');
}

/** The tensors of an answer by their dotted names, as nested arrays; NaN, infinities and -0 are strings. */
export function plainAnswer(answer: Evaluation, only?: ReadonlySet<string>): Record<string, unknown> {
  const named = [...namedTensors(answer)].filter(([name]) => only?.has(name) ?? true);
  return Object.fromEntries(named.map(([name, tensor]) => [name, plainTensor(tensor)]));
}

function plainTensor(tensor: Tensor): unknown {
  const plain = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(plain) : plainNumber(value as number);
  return tensor.shape.length === 0 ? plainNumber(tensor.data[0]) : plain(toNested(tensor));
}

/** JSON for people: a line for each field, short objects and arrays of numbers in one line. */
export function print(value: unknown, indent = ''): string {
  const line = JSON.stringify(value);
  const rows = Array.isArray(value) && typeof value[0] === 'object' && !Array.isArray(value[0]);
  const isOneLine =
    typeof value !== 'object' || value === null || (Array.isArray(value) && !rows) || line.length < 100;
  if (isOneLine) return line;
  const inner = `${indent} `;
  if (Array.isArray(value))
    return `[\n${value.map((item) => inner + print(item, inner)).join(',\n')}\n${indent}]`;
  const fields = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([name, item]) => `${inner}${JSON.stringify(name)}: ${print(item, inner)}`);
  return `{\n${fields.join(',\n')}\n${indent}}`;
}
