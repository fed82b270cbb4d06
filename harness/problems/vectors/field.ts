import { shown, toTensor, type ExpectedShape, type Tensor, type TensorLike } from '../../../scratch/index';
import { UsageError } from '../../base/outcome';

/** An object of a vectors file: own keys only, so that no name can reach a prototype. */
export type Fields = ReadonlyMap<string, unknown>;

/** A tensor that is read already, as a .npz gives it. */
export class ReadTensor {
  constructor(
    readonly data: Float64Array,
    readonly shape: readonly number[],
  ) {}
}

/**
 * The fields of a plain object, with unknown names refused.
 *
 * @param where how messages call the object, for example `v.json: case "a": problem`
 * @param known the names it may hold
 */
export function fieldsOf(value: unknown, where: string, known: readonly string[]): Fields {
  if (value instanceof Map) return checkNames(value as Fields, where, known);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof ReadTensor) {
    throw new UsageError(
      `${where} is ${describe(value)}; an object with ${known.join(', ')} was expected (docs/parity.md has the format).`,
    );
  }
  return checkNames(new Map(Object.entries(value)), where, known);
}

function checkNames(fields: Fields, where: string, known: readonly string[]): Fields {
  for (const name of fields.keys()) {
    if (!known.includes(name)) {
      throw new UsageError(
        `${where} holds ${JSON.stringify(name)}, which this format does not know; it knows ${known.join(', ')}.`,
      );
    }
  }
  return fields;
}

/** The tensor in a field: nested arrays, `{ shape, f64 }`, or one read from a .npz. Always finite numbers. */
export function readTensor(value: unknown, where: string, expected: ExpectedShape): Tensor {
  try {
    return toTensor(tensorLike(value, where), where, expected);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

/** One finite number: plain, or an array with exactly one element. */
export function readNumber(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value instanceof ReadTensor || isBase64(value)) {
    const tensor = tensorLike(value, where) as { data: ArrayLike<number> };
    if (tensor.data.length === 1 && Number.isFinite(tensor.data[0])) return tensor.data[0];
    throw new UsageError(
      `${where} holds ${tensor.data.length} numbers; exactly one finite number was expected.`,
    );
  }
  throw new UsageError(`${where} is ${describe(value)}; one finite number was expected.`);
}

/** B class indices: integers from 0 to classes - 1. */
export function readLabels(value: unknown, where: string, batch: number, classes: number): number[] {
  const { data } = readTensor(value, where, [batch]);
  const bad = data.findIndex((label) => !Number.isInteger(label) || label < 0 || label >= classes);
  if (bad >= 0) {
    throw new UsageError(
      `${where} holds ${String(data[bad])} at [${bad}]; a label is a class index, an integer from 0 to ${classes - 1}, because outputBias has ${classes} elements.`,
    );
  }
  return Array.from(data, (label) => label + 0);
}

/** B x T of 0 (skip) or 1 (take), or false and true as Keras writes masks. */
export function readMask(value: unknown, where: string, batch: number, timeSteps: number): Tensor {
  const mask = readTensor(withNumbers(value), where, [batch, timeSteps]);
  const bad = mask.data.findIndex((x) => x !== 0 && x !== 1);
  if (bad >= 0) {
    throw new UsageError(
      `${where} holds ${String(mask.data[bad])} at [${Math.floor(bad / timeSteps)}, ${bad % timeSteps}]; a mask holds 1 for a step that counts and 0 for one that is skipped.`,
    );
  }
  return mask;
}

function withNumbers(value: unknown): unknown {
  if (typeof value === 'boolean') return Number(value);
  return Array.isArray(value) ? value.map(withNumbers) : value;
}

function tensorLike(value: unknown, where: string): TensorLike {
  if (Array.isArray(value)) return value as TensorLike;
  if (value instanceof ReadTensor) return value;
  if (isBase64(value)) return decodeBase64(value as Record<string, unknown>, where);
  throw new UsageError(
    `${where} is ${describe(value)}; nested arrays of numbers, or { "shape": [...], "f64": "base64" }, were expected.`,
  );
}

function isBase64(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Object.hasOwn(value, 'f64') || Object.hasOwn(value, 'shape'))
  );
}

/** `{ shape, f64 }`: base64 of little-endian float64, row-major. */
function decodeBase64(value: Record<string, unknown>, where: string): TensorLike {
  fieldsOf(value, where, ['shape', 'f64']);
  const { shape, f64 } = value;
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && (size as number) >= 0)) {
    throw new UsageError(`${where}.shape is ${JSON.stringify(shape)}; an array of sizes was expected.`);
  }
  if (typeof f64 !== 'string') {
    throw new UsageError(`${where}.f64 is ${describe(f64)}; base64 of little-endian float64 was expected.`);
  }
  const bytes = Buffer.from(f64, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== f64.replace(/=+$/, '')) {
    throw new UsageError(
      `${where}.f64 is not valid base64 (${f64.length} characters); encode the bytes again, with the alphabet A-Z a-z 0-9 + /.`,
    );
  }
  const sizes = shape as number[];
  const count = sizes.reduce((product, size) => product * size, 1);
  if (bytes.length !== 8 * count) {
    throw new UsageError(
      `${where}.f64 holds ${bytes.length} bytes, but shape [${sizes.join(', ')}] needs ${8 * count} (8 for each number); encode float64, little-endian, row-major.`,
    );
  }
  const data = Float64Array.from({ length: count }, (_, i) => bytes.readDoubleLE(8 * i));
  return { data, shape: sizes };
}

/** What a value is, for messages; a field that is not there is missing. */
export const describe = (value: unknown): string => (value === undefined ? 'missing' : shown(value));
