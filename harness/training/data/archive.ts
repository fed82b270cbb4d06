import { isStringArray, numbersOf, readNpz, type NpyArray } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import { labelExpected, LabelTable, oneHotIndex } from './labels';
import type { LoadOptions } from './load-options';
import { Malformed } from './malformed';
import type { Notes } from './notes';
import type { SequenceData } from './sequences';

/**
 * Reads `inputs` [N, T, F], `labels` [N] (whole numbers or text) or [N, C] (one-hot) and, optional, `lengths` [N] from a .npz archive.
 * The numbers stay where the archive was decoded to: what is left out is closed up in place.
 */
export async function readArchive(file: string, options: LoadOptions, notes: Notes): Promise<SequenceData> {
  const arrays = await readNpz(file);
  const unknown = [...arrays.keys()].filter((name) => !['inputs', 'labels', 'lengths'].includes(name));
  if (unknown.length > 0)
    throw new UsageError(
      `${file} holds ${unknown.join(', ')}; inputs, labels and lengths are read, so rename or remove the others: np.savez(file, inputs=x, labels=y).`,
    );
  const array = arrays.get('inputs');
  if (array?.shape.length === 2)
    throw new UsageError(
      `${file}: inputs has shape [${array.shape.join(', ')}]; [N, T, F] was expected: inputs[:, :, None] for one feature a step, inputs[None] for one sequence.`,
    );
  const inputs = numbersOf(arrays, 'inputs', 3, file);
  const [n, t, f] = inputs.shape;
  if (n * t * f === 0)
    throw new UsageError(
      `${file}: inputs has shape [${n}, ${t}, ${f}]; every axis needs at least one element.`,
    );
  const lengthsType = arrays.get('lengths')?.dtype;
  if (lengthsType?.endsWith('b1') === true)
    throw new UsageError(
      `${file}: lengths is of bool (${lengthsType}), as a mask is; give the number of real steps of each sequence: lengths=mask.sum(axis=1).`,
    );
  const given = arrays.has('lengths')
    ? numbersOf(arrays, 'lengths', 1, file).data
    : new Float64Array(n).fill(t);
  if (given.length !== n)
    throw new UsageError(`${file}: lengths has ${given.length} elements for ${n} sequences; give one each.`);
  const malformed = new Malformed(file, options.onMalformed ?? 'fail', options.onReport);
  const table = new LabelTable(file, 'labels');
  const texts = labelTexts(arrays.get('labels'), n, file, options.needLabels ?? true, notes);
  const kept: number[] = [];
  for (let i = 0; i < n; i++) {
    const reason = faultOf(inputs.data, i, t, f, given[i], texts?.[i]);
    if (reason === undefined) kept.push(i);
    else malformed.add(`example ${i}`, reason);
  }
  malformed.settle();
  if (kept.length === 0) throw new UsageError(`${file} holds no usable sequence.`);
  const lengths = Int32Array.from(kept, (i) => given[i]);
  const steps = lengths.reduce((most, length) => Math.max(most, length), 0);
  closeUp(inputs.data, kept, lengths, [t, steps, f]);
  const labels = texts && Int32Array.from(kept, (i) => table.index(texts[i], `example ${i}`));
  return {
    source: file,
    inputs: { data: inputs.data.subarray(0, kept.length * steps * f), shape: [kept.length, steps, f] },
    lengths,
    ...(labels === undefined ? { classNames: [] } : table.sorted(labels, notes)),
    skipped: n - kept.length,
  };
}

/** Moves the kept sequences to the front, `steps` instead of `t` steps apart, and fills their padding with 0. Nothing moves backwards. */
function closeUp(
  data: Float64Array,
  kept: readonly number[],
  lengths: Int32Array,
  [t, steps, f]: readonly [number, number, number],
): void {
  kept.forEach((i, place) => {
    const to = place * steps * f;
    data.copyWithin(to, i * t * f, i * t * f + lengths[place] * f);
    data.fill(0, to + lengths[place] * f, to + steps * f);
  });
}

/** The labels as text, one a sequence; absent when there are none and none are needed. */
function labelTexts(
  labels: NpyArray | undefined,
  n: number,
  file: string,
  needed: boolean,
  notes: Notes,
): readonly string[] | undefined {
  if (labels === undefined) {
    if (needed) throw new UsageError(`${file} has no array "labels"; add one label a sequence: labels=y.`);
    return undefined;
  }
  const [rows, columns = 1, ...more] = labels.shape;
  const wrong = (how: string): UsageError =>
    new UsageError(`${file}: labels has shape [${labels.shape.join(', ')}] for ${n} sequences; ${how}`);
  if (labels.shape.length === 0 || rows !== n || more.length > 0)
    throw wrong('give one label each, as whole numbers or text [N], or one-hot [N, C].');
  if (columns === 1) {
    if (labels.shape.length === 2) notes.say('labels of shape [N, 1] are taken as [N]');
    return isStringArray(labels) ? labels.data : Array.from(labels.data, numberLabel);
  }
  if (isStringArray(labels)) throw wrong('give one text each, [N].');
  return Array.from({ length: n }, (_, i) => {
    const row = labels.data.subarray(i * columns, (i + 1) * columns);
    const index = oneHotIndex(row);
    if (index === undefined)
      throw wrong(
        `row ${i} is [${row.slice(0, 8).join(', ')}${columns > 8 ? ', ...' : ''}], not one 1 among zeros, so the class is not clear; give labels.argmax(axis=1) if the columns are classes, and one label a sequence if they are time steps.`,
      );
    notes.say(`one-hot labels [N, ${columns}] are taken as the index of their 1`);
    return String(index);
  });
}

/** A number as a label. What cannot be one keeps a mark that no text has, for `faultOf`. */
const numberLabel = (value: number): string => (Number.isInteger(value) ? '' : noLabel) + String(value);
const noLabel = '\0';

function faultOf(
  data: Float64Array,
  example: number,
  t: number,
  f: number,
  length: number,
  label: string | undefined,
): string | undefined {
  if (!Number.isInteger(length) || length < 1 || length > t)
    return `its length is ${length}; 1 to ${t} was expected`;
  if (label?.trim() === '') return 'its label is empty';
  if (label?.startsWith(noLabel) === true)
    return `its label is ${label.slice(noLabel.length)}; ${labelExpected}`;
  for (let i = example * t * f; i < (example * t + length) * f; i++) {
    if (!Number.isFinite(data[i])) {
      const step = Math.floor((i - example * t * f) / f);
      return `inputs[${example}, ${step}, ${i % f}] is ${data[i]}; a finite number was expected`;
    }
  }
  return undefined;
}
