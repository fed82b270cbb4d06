import { makeTensor, sizeOf, type StackWeights, type Tensor } from '../../../scratch/index';
import type { Thrown } from '../side-errors';

/**
 * The protocol between this program and its child processes: each request has one answer, and may report events before it.
 *
 *   -> {"id": 3, "op": "run", "task": "step", "calls": 40}
 *   <- {"id": 3, "event": {"step": "..."}}
 *   <- {"id": 3, "result": {"milliseconds": 12.5, "loss": 1.09}}
 *   <- {"id": 3, "error": {"message": "...", "absent": false}}
 *
 * It travels as lines of JSON, so that children in JavaScript and in Python are driven alike; lines on stdout that are not such answers
 * are noise of some library and are ignored, and the child ends when its stdin does. Or, to children of our own sources, as messages of
 * Node, which keep NaN, -0, maps and typed arrays; the child ends when its parent is gone.
 */
export type OperationTable<Names> = {
  readonly [K in keyof Names]: { readonly request: object; readonly result: object; readonly event?: object };
};

/** A request as it travels. */
export type WireRequest<Operations extends OperationTable<Operations>> = {
  [K in keyof Operations]: { readonly id: number; readonly op: K } & Operations[K]['request'];
}[keyof Operations];

export type WireAnswer =
  { readonly id: number; readonly result: object } | { readonly id: number; readonly error: WireError };

type WireMessage = WireAnswer | { readonly id: number; readonly event: object };

export interface WireError extends Partial<Thrown> {
  readonly message: string;
  /** the child cannot run on this machine, for example because a library is not installed */
  readonly absent?: boolean;
  /** the child works, and does not have what was asked for */
  readonly refused?: boolean;
}

export interface WireTensor {
  readonly shape: readonly number[];
  /** base64 of little-endian float32, row-major */ readonly float32: string;
}

/** By layer, in Keras's names and order. */
export type WireWeights = readonly Readonly<Record<string, WireTensor>>[];

export function encodeTensor({
  shape,
  data,
}: {
  shape: readonly number[];
  data: ArrayLike<number>;
}): WireTensor {
  const numbers = Float32Array.from(data);
  const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return { shape, float32: bytes.toString('base64') };
}

/** @throws RangeError when the numbers do not fill the shape */
export function decodeTensor(wire: WireTensor): Tensor {
  return makeTensor(Float64Array.from(decodeFloat32(wire)), wire.shape);
}

/** @throws RangeError when the numbers do not fill the shape */
export function decodeFloat32({ shape, float32 }: WireTensor): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(float32, 'base64'));
  if (bytes.byteLength !== 4 * sizeOf(shape)) {
    throw new RangeError(
      `decodeFloat32: ${bytes.byteLength} bytes came for shape [${shape.join(', ')}], which takes ${4 * sizeOf(shape)}; the child's answer is damaged.`,
    );
  }
  return new Float32Array(bytes.buffer);
}

export function encodeWeights(weights: StackWeights): WireWeights {
  return weights.map((layer) => mapRecord(layer, encodeTensor));
}

export function decodeWeights(weights: WireWeights): StackWeights {
  return weights.map((layer) => mapRecord(layer, decodeTensor));
}

/** The same keys, with changed values. */
export function mapRecord<In, Out>(
  record: Readonly<Record<string, In>>,
  change: (x: In) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, x]) => [key, change(x)]));
}

/** Reads one line of a child's stdout; undefined when it is noise. */
export function parseAnswer(line: string): WireMessage | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(line) as object;
    return isAnswer(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it is a message of this protocol: a candidate may send any value of its own on its channel. */
export function isAnswer(value: unknown): value is WireMessage {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    typeof value.id === 'number' &&
    ('result' in value || 'error' in value || 'event' in value)
  );
}
