import { createHash } from 'node:crypto';
import { UsageError } from '../../base/outcome';

/** Sequences in memory: N of them, T steps at most, F features; letters as in scratch/tensor.ts. */
export interface SequenceData {
  /** `digits`, or the file's path */ readonly source: string;
  /** [N, T, F]; steps past a sequence's length are 0 */
  readonly inputs: { readonly data: Float64Array; readonly shape: readonly [number, number, number] };
  /** N lengths from 1 to T */ readonly lengths: Int32Array;
  /** N indices into `classNames`; absent when the source has no labels */ readonly labels?: Int32Array;
  /** the labels as they were written; whole numbers in numeric order, else text in code-unit order */
  readonly classNames: readonly string[];
  readonly featureNames?: readonly string[];
  /** what the source calls each sequence */ readonly ids?: readonly string[];
  /** sequences left out because a row of theirs is malformed (--skip-malformed) */ readonly skipped: number;
  /** what reading guessed, merged or left out, and warnings: lines for the user */ readonly notes?: readonly string[];
}

/** More padded numbers than this (8 GiB of them) are refused. */
const maxNumbers = 2 ** 30;

/** Allocates [N, T, F]. Throws UsageError when padding makes it too large. */
export function allocateInputs(source: string, n: number, t: number, f: number): Float64Array {
  if (n * t * f > maxNumbers) {
    throw new UsageError(
      `${source}: ${n} sequences padded to the longest (${t} steps) of ${f} features are ${n * t * f} numbers; at most ${maxNumbers} fit in memory here, so cut or split the longest sequences.`,
    );
  }
  return new Float64Array(n * t * f);
}

/** @throws RangeError for an example that the data do not have */
export function checkExamples(examples: ArrayLike<number>, count: number, name: string): void {
  const odd = Array.from(examples).find((n) => !(Number.isInteger(n) && n >= 0 && n < count));
  if (odd !== undefined)
    throw new RangeError(`${name}: example ${odd} of ${count}; examples are counted from 0.`);
}

/** [N, T] of 0 and 1, or undefined when every sequence fills all T steps. */
export function maskOf(
  lengths: Int32Array,
  timeSteps: number,
): { readonly data: Float64Array; readonly shape: readonly [number, number] } | undefined {
  if (lengths.every((length) => length === timeSteps)) return undefined;
  const data = new Float64Array(lengths.length * timeSteps);
  lengths.forEach((length, n) => data.fill(1, n * timeSteps, n * timeSteps + length));
  return { data, shape: [lengths.length, timeSteps] };
}

/** SHA-256 over everything that training sees: shapes, numbers, lengths, labels, class names. */
export function fingerprint(data: SequenceData): string {
  const hash = createHash('sha256');
  const bytes = (array: Float64Array | Int32Array): Uint8Array =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  hash.update(JSON.stringify([data.inputs.shape, data.classNames]));
  for (const part of [data.inputs.data, data.lengths, data.labels ?? new Int32Array(0)])
    for (let at = 0, all = bytes(part); at < all.length; at += 2 ** 28)
      hash.update(all.subarray(at, at + 2 ** 28));
  return hash.digest('hex');
}
