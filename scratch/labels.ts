import { describe, shown } from './options';

/**
 * The boundary check of labels: one class index per example.
 *
 * @throws RangeError on a wrong count, or a label that is not an integer in 0..classes-1
 */
export function checkLabels(
  labels: ArrayLike<number>,
  name: string,
  batch: number,
  classes: number,
): Int32Array {
  const given: unknown = labels;
  if (typeof given !== 'object' || given === null || !('length' in given)) {
    throw new TypeError(`${name} is ${describe(given)}; pass an array with one class index per example.`);
  }
  if (labels.length !== batch) {
    throw new RangeError(
      `${name} has ${labels.length} elements for ${batch} examples; pass one class index per example.`,
    );
  }
  const checked = new Int32Array(batch);
  for (let b = 0; b < batch; b++) {
    const label = labels[b];
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new RangeError(
        `${name} holds ${shown(label)} at [${b}]; a label is an integer from 0 to ${classes - 1}, so number the classes from 0 and build the network with enough of them.`,
      );
    }
    checked[b] = label;
  }
  return checked;
}
