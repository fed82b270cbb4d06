import { isStringArray, numbersOf, readNpz, type NpyArray } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import type { LoadOptions } from './load-options';
import { Malformed } from './malformed';
import { allocateInputs, LabelTable, type SequenceData } from './sequences';

/** Reads `inputs` [N, T, F], `labels` [N] (whole numbers or text) and, optional, `lengths` [N] from a .npz archive. */
export async function readArchive(file: string, options: LoadOptions): Promise<SequenceData> {
  const arrays = await readNpz(file);
  const unknown = [...arrays.keys()].filter((name) => !['inputs', 'labels', 'lengths'].includes(name));
  if (unknown.length > 0)
    throw new UsageError(
      `${file} holds ${unknown.join(', ')}; inputs, labels and lengths are read, so rename or remove the others.`,
    );
  const inputs = numbersOf(arrays, 'inputs', 3, file);
  const [n, t, f] = inputs.shape;
  if (n * t * f === 0)
    throw new UsageError(
      `${file}: inputs has shape [${n}, ${t}, ${f}]; every axis needs at least one element.`,
    );
  const lengthsGiven = arrays.has('lengths');
  const given = lengthsGiven ? numbersOf(arrays, 'lengths', 1, file).data : new Float64Array(n).fill(t);
  if (given.length !== n)
    throw new UsageError(`${file}: lengths has ${given.length} elements for ${n} sequences; give one each.`);
  const malformed = new Malformed(file, options.onMalformed ?? 'fail', options.onReport);
  const table = new LabelTable();
  const texts = labelTexts(arrays, n, file, options.needLabels ?? true);
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
  const data = allocateInputs(file, kept.length, steps, f);
  kept.forEach((i, place) => {
    const from = i * t * f;
    data.set(inputs.data.subarray(from, from + lengths[place] * f), place * steps * f);
  });
  const labels = texts === undefined ? undefined : Int32Array.from(kept, (i) => table.index(texts[i]));
  return {
    source: file,
    inputs: { data, shape: [kept.length, steps, f] },
    lengths,
    ...(labels === undefined ? { classNames: [] } : table.sorted(labels)),
    skipped: n - kept.length,
  };
}

function labelTexts(
  arrays: ReadonlyMap<string, NpyArray>,
  n: number,
  file: string,
  needed: boolean,
): readonly string[] | undefined {
  const labels = arrays.get('labels');
  if (labels === undefined && !needed) return undefined;
  const texts =
    labels !== undefined && isStringArray(labels)
      ? labels.data
      : Array.from(numbersOf(arrays, 'labels', 1, file).data, String);
  if (labels?.shape.length !== 1 || texts.length !== n)
    throw new UsageError(
      `${file}: labels has shape [${labels?.shape.join(', ') ?? ''}] for ${n} sequences; give one each.`,
    );
  return texts;
}

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
  if (label === '') return 'its label is empty';
  // Numbers that are no whole numbers arrive as "1.5" or "NaN".
  if (label !== undefined && /^-?(\d+\.\d|\d.*e|NaN|Infinity)/.test(label))
    return `its label is ${label}; a whole number or text was expected`;
  for (let i = example * t * f; i < (example * t + length) * f; i++) {
    if (!Number.isFinite(data[i])) {
      const step = Math.floor((i - example * t * f) / f);
      return `inputs[${example}, ${step}, ${i % f}] is ${data[i]}; a finite number was expected`;
    }
  }
  return undefined;
}
