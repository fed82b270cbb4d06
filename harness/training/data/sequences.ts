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
}

/** Labels as text, turned into indices of sorted class names. */
export class LabelTable {
  private readonly indices = new Map<string, number>();

  index(text: string): number {
    let index = this.indices.get(text);
    if (index === undefined) this.indices.set(text, (index = this.indices.size));
    return index;
  }

  /** The class names that are used, sorted, and the labels rewritten to their order. */
  sorted(labels: Int32Array): { classNames: string[]; labels: Int32Array } {
    const names = [...this.indices.keys()];
    const used = new Set(labels);
    const classNames = sortClassNames(names.filter((_, i) => used.has(i)));
    const place = new Map(classNames.map((name, i) => [name, i]));
    const order = names.map((name) => place.get(name) ?? -1);
    return { classNames, labels: labels.map((label) => order[label]) };
  }
}

/** Whole numbers in numeric order, anything else by code units. */
export function sortClassNames(names: readonly string[]): string[] {
  const numeric = names.every((name) => /^-?\d{1,15}$/.test(name));
  return [...names].sort(numeric ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1));
}

/** More padded numbers than this (8 GiB of them) are refused. */
const maxNumbers = 2 ** 30;

/** Allocates [N, T, F], after checking that padding does not blow it up. */
export function allocateInputs(source: string, n: number, t: number, f: number): Float64Array {
  if (n * t * f > maxNumbers) {
    throw new UsageError(
      `${source}: ${n} sequences padded to the longest (${t} steps) of ${f} features are ${n * t * f} numbers; at most ${maxNumbers} fit in memory here, so cut or split the longest sequences.`,
    );
  }
  return new Float64Array(n * t * f);
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

/** SHA-256 over everything training sees: shapes, numbers, lengths, labels, class names. */
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
