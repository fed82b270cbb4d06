import { makeTensor, sizeOf, type LayerConfig, type StackWeights, type Tensor } from '../../../scratch/index';
import type { BenchSize } from '../size';
import type { Task } from '../task';

/**
 * The protocol between the bench and its engines. Every engine lives in a process of its own and answers one line of
 * JSON with one line of JSON, so that engines in JavaScript and in Python are driven and timed alike:
 *
 *   -> {"id": 3, "op": "run", "task": "step", "calls": 40}
 *   <- {"id": 3, "result": {"milliseconds": 12.5, "loss": 1.09}}
 *   <- {"id": 3, "error": {"message": "...", "absent": false}}
 *
 * The clock runs inside the engine's process, around the calls only. Lines on stdout that are not such answers are
 * noise of some library and are ignored. The engine ends when its stdin does.
 */
export interface WireTensor {
  readonly shape: readonly number[];
  /** base64 of little-endian float32, row-major */ readonly float32: string;
}

/** By layer, in Keras's names and order. */
export type WireWeights = readonly Readonly<Record<string, WireTensor>>[];

/** Everything an engine needs to build its model and its data; the same for all engines. */
export interface WireProblem {
  readonly size: BenchSize;
  /** of the network, the output layer included */ readonly layers: readonly LayerConfig[];
  /** [N, T, F], N at least B; the batch is the first B, forward takes example i mod N */
  readonly inputs: WireTensor;
  /** N class indices */ readonly labels: readonly number[];
  readonly weights: WireWeights;
  readonly learningRate: number;
}

/** What each operation takes and gives. */
export interface Operations {
  /** loads the libraries; fails as absent where they are not installed */
  start: { request: object; result: Started };
  /** keeps the problem and builds the model with its weights */
  open: { request: { problem: WireProblem }; result: object };
  /** answers for the parity check, through the very calls that are timed; then builds the model anew */
  check: { request: object; result: Checked };
  /** calls the task until it is warm: at least `calls` times and for `milliseconds` */
  warm: { request: { task: Task; calls: number; milliseconds: number }; result: Warmed };
  /** times so many calls in a row */
  run: { request: { task: Task; calls: number }; result: Timed };
  /** one float32 product 1024 x 1024 x 1024: the machine's limit */
  product: { request: object; result: Timed };
  status: { request: object; result: Status };
}
export type Operation = keyof Operations;

export interface Started {
  /** library to version */ readonly versions: Readonly<Record<string, string>>;
  /** what it can be asked to do */ readonly tasks: readonly Task[];
  /** settings that matter, for example threads */ readonly settings?: Readonly<Record<string, string>>;
  /** loading the libraries */ readonly milliseconds: number;
}

export interface Checked {
  /** [1, C] and [256, C], from the initial weights */
  readonly forward1?: WireTensor;
  readonly forward256?: WireTensor;
  /** what forward gives; logits are put through softmax before comparing */
  readonly scores: 'logits' | 'probabilities';
  /** of one training step on the batch at learning rate 1, with the weights after it */
  readonly loss?: number;
  readonly weights?: WireWeights;
}

export interface Warmed {
  readonly calls: number;
  /** the very first call */ readonly firstMilliseconds: number;
  /** median of the later half of the calls */ readonly warmMilliseconds: number;
}

export interface Timed {
  /** of all calls together */ readonly milliseconds: number;
}

export interface Status {
  /** resident set of the process */ readonly rssBytes: number;
  /** tensors that the library counts as alive; absent where it counts none */ readonly tensors?: number;
  /** processor time of the process so far */ readonly cpuSeconds: number;
}

export interface WireError {
  readonly message: string;
  /** the engine cannot run on this machine, for example because it is not installed */
  readonly absent?: boolean;
}

export type WireRequest = {
  [K in Operation]: { readonly id: number; readonly op: K } & Operations[K]['request'];
}[Operation];
export type WireAnswer =
  { readonly id: number; readonly result: object } | { readonly id: number; readonly error: WireError };

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
      `decodeFloat32: ${bytes.byteLength} bytes came for shape [${shape.join(', ')}], which takes ${4 * sizeOf(shape)}; the engine's answer is damaged.`,
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

function mapRecord<In, Out>(
  record: Readonly<Record<string, In>>,
  change: (x: In) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, x]) => [key, change(x)]));
}

/** Reads one line of an engine's stdout; undefined when it is noise. */
export function parseAnswer(line: string): WireAnswer | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(line) as Partial<Record<'id' | 'result' | 'error', unknown>>;
    return typeof value.id === 'number' && ('result' in value || 'error' in value)
      ? (value as WireAnswer)
      : undefined;
  } catch {
    return undefined;
  }
}
