import type { SequenceOptions } from './classifier-interface';
import type { Tensor, TensorLike } from './tensor';

/** Checked examples, axis 0 of every tensor counts them. */
export interface Examples {
  /** [N, ...] */ readonly inputs: Tensor;
  /** [N]: class indices; or [N, ...] */
  readonly labels: { readonly data: Int32Array | Float64Array; readonly shape: readonly number[] };
  /** [N, T] */ readonly mask?: Tensor | undefined;
}

/** Examples as a user gives them. */
export interface GivenExamples {
  readonly inputs: TensorLike;
  readonly labels: ArrayLike<number> | TensorLike;
  readonly mask?: TensorLike;
}

/** Copies the examples of one batch side by side, into arrays that every batch shares. */
export function gatherer({ inputs, labels, mask }: Examples, batchSize: number) {
  const [someInputs, someLabels] = [rowGatherer(inputs, batchSize), rowGatherer(labels, batchSize)];
  const someMask = mask && rowGatherer(mask, batchSize);
  return (indices: Int32Array) => ({
    inputs: someInputs(indices),
    labels: labelsOf(someLabels(indices)),
    options: someMask ? { mask: someMask(indices) } : {},
  });
}

/** Fetches rows of a tensor by their indices, into an array that every call uses. */
function rowGatherer<T extends Int32Array | Float64Array>(
  { data, shape: [rows, ...rest] }: { readonly data: T; readonly shape: readonly number[] },
  batchSize: number,
) {
  const width = data.length / rows;
  const some = data.slice(0, batchSize * width) as T;
  return (indices: Int32Array) => {
    indices.forEach((from, to) => {
      for (let i = 0; i < width; i++) some[to * width + i] = data[from * width + i];
    });
    return { data: some.subarray(0, indices.length * width) as T, shape: [indices.length, ...rest] };
  };
}

/** One label an example is a plain array of them. */
export function labelsOf({ data, shape }: Examples['labels']): ArrayLike<number> | TensorLike {
  return shape.length === 1 ? data : { data, shape };
}

/** The mask as `evaluate` takes it. */
export function maskOf({ mask }: Examples): Pick<SequenceOptions, 'mask'> {
  return mask ? { mask } : {};
}
