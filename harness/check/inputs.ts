import { createRandom, describe, makeTensor, type Tensor } from '../../scratch/index';
import { numbersOf, readNpz } from '../base/files/index';
import { UsageError } from '../base/outcome';
import { mapRecord } from '../base/process/index';
import { countParameters, type ModelDescription, type ModelInput } from '../models/index';
import type { ModelInputs } from './reference';

/**
 * Inputs in the range of the first layer: float32 numbers from -2 to 2, integers of the vocabulary, in 4 examples (2 for a model of more
 * than half a million parameters) of 10 steps where the model leaves their number open. Where steps are masked, the last
 * steps of the first example, one step in the middle of the second, and the first step of the third are (of two examples, of the second).
 */
export function generateInputs(model: ModelDescription, { seed }: { readonly seed: number }): ModelInputs {
  const random = createRandom(seed);
  const parameters = model.layers.reduce((sum, layer) => sum + countParameters(layer), 0);
  const batch = parameters > 500_000 ? 2 : 4;
  return Object.fromEntries(
    model.inputs.map((input) => {
      const shape = [batch, ...input.shape.map((n) => n ?? 10)];
      const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
        input.vocabulary === undefined
          ? Math.fround(4 * random.uniform() - 2)
          : random.integer(input.vocabulary),
      );
      padSteps(model, input, data, shape);
      return [input.name, { data, shape }];
    }),
  );
}

function padSteps(
  { layers }: ModelDescription,
  { name }: ModelInput,
  data: Float64Array,
  [batch, steps, width = 1]: readonly number[],
): void {
  const masks = layers.find(
    ({ reads, config }) =>
      reads.of === name &&
      (config.layer === 'masking' || (config.layer === 'embedding' && config.maskZero === true)),
  );
  if (masks === undefined || steps < 4) return;
  const value = masks.config.layer === 'masking' ? masks.config.maskValue : 0;
  const pad = (b: number, t: number): unknown =>
    data.fill(value, (b * steps + t) * width, (b * steps + t + 1) * width);
  pad(0, steps - 1);
  pad(0, steps - 2);
  if (batch > 1) {
    pad(1, Math.floor(steps / 2));
    // Keras pads in front by default
    pad(Math.min(2, batch - 1), 0);
  }
}

/**
 * Inputs of a file: `inputs`, or one array by the name of each input; and, where the file has them, `outputs` (`outputs/1`, ... of the
 * further ones).
 *
 * @throws UsageError when an array is missing or has another shape than the model takes
 */
export async function readInputs(
  file: string,
  model: ModelDescription,
): Promise<{ inputs: ModelInputs; outputs: Tensor[] | undefined }> {
  const arrays = await readNpz(file);
  const take = (
    names: readonly string[],
    what: string,
  ): { readonly name: string; readonly tensor: Tensor } => {
    const name = names.find((one) => arrays.has(one));
    if (name === undefined)
      throw new UsageError(
        `${file} has no array ${names.join(' or ')} for ${what}; it holds ${[...arrays.keys()].join(', ')}.`,
      );
    return { name, tensor: numbersOf(arrays, name, arrays.get(name)?.shape.length ?? 0, file) };
  };
  const inputs = model.inputs.map((input, i): [string, Tensor] => {
    const { name, tensor } = take(
      [input.name, ...(i === 0 ? ['inputs'] : []), `inputs/${i}`],
      `the input ${input.name}`,
    );
    checkInput(tensor, input, `${file}: ${name}`);
    return [input.name, tensor];
  });
  checkBatches(inputs, file);
  return { inputs: Object.fromEntries(inputs), outputs: outputsIn(arrays, model, file) };
}

/**
 * Inputs that a program passed for a model.
 *
 * @throws UsageError when one is missing, has another shape than the model takes, or belongs to no input; TypeError for one that is no tensor
 */
export function checkInputs(inputs: ModelInputs, model: ModelDescription, where: string): void {
  const names = model.inputs.map(({ name }) => name);
  if (typeof inputs !== 'object' || (inputs as object | null) === null)
    throw new TypeError(
      `${where} is ${describe(inputs)}; pass an object with a tensor for ${names.join(', ')}.`,
    );
  const unknown = Object.keys(inputs).filter((name) => !names.includes(name));
  const missing = names.filter((name) => !Object.hasOwn(inputs, name));
  if (unknown.length > 0 || missing.length > 0)
    throw new UsageError(
      `${where} has ${Object.keys(inputs).join(', ') || 'no tensors'}; the model takes ${names.join(', ')}.`,
    );
  for (const input of model.inputs) {
    const name = `${where}: ${input.name}`;
    checkInput(checkTensor(inputs[input.name], name), input, name);
  }
  checkBatches(Object.entries(inputs), where);
}

/** @throws TypeError for what is no tensor of numbers, RangeError where the numbers do not fill its shape */
export function checkTensor(given: unknown, name: string): Tensor {
  const { data, shape } = (given ?? {}) as Partial<Tensor>;
  if (data === undefined || !Array.isArray(shape) || !Array.from(data).every((x) => typeof x === 'number'))
    throw new TypeError(`${name} is not a tensor of numbers; pass { data, shape }.`);
  return makeTensor(data, shape);
}

function checkBatches(inputs: readonly (readonly [string, Tensor])[], where: string): void {
  const batches = new Set(inputs.map(([, { shape }]) => shape[0]));
  if (batches.size > 1)
    throw new UsageError(
      `${where}: the inputs have ${[...batches].join(' and ')} examples; all need the same number.`,
    );
}

/** Expected outputs of a file: `outputs` or `outputs/0`, `outputs/1`, ... */
export async function readOutputs(file: string, model: ModelDescription): Promise<Tensor[]> {
  const found = outputsIn(await readNpz(file), model, file);
  if (found === undefined)
    throw new UsageError(`${file} has no array outputs; save what the other program gives as outputs=.`);
  return found;
}

function outputsIn(
  arrays: Awaited<ReturnType<typeof readNpz>>,
  model: ModelDescription,
  file: string,
): Tensor[] | undefined {
  const names = model.outputs.map((source, i) =>
    [source.of, `outputs/${i}`, ...(i === 0 ? ['outputs'] : [])].find((name) => arrays.has(name)),
  );
  if (names.every((name) => name === undefined)) return undefined;
  const beyond = [...arrays.keys()].find(
    (name) =>
      /^(in|out)puts\/\d+$/.test(name) &&
      !names.includes(name) &&
      Number(name.split('/')[1]) >= (name.startsWith('in') ? model.inputs : model.outputs).length,
  );
  if (beyond !== undefined)
    throw new UsageError(
      `${file} holds ${beyond}, and the model has ${model.inputs.length} inputs and ${model.outputs.length} outputs (counted from 0); take it out.`,
    );
  return names.map((name, i) => {
    if (name === undefined)
      throw new UsageError(`${file} has no array outputs/${i} for output ${i + 1} of ${names.length}.`);
    return numbersOf(arrays, name, arrays.get(name)?.shape.length ?? 0, file);
  });
}

function checkInput(
  { data, shape }: Tensor,
  { name, shape: wanted, vocabulary }: ModelInput,
  where: string,
): void {
  const [, ...one] = shape;
  const fits =
    one.length === wanted.length &&
    wanted.every((n, i) => n === null || n === one[i]) &&
    shape.every((n) => n > 0);
  const text = ['B', ...wanted.map((n, i) => n ?? (i === 0 && wanted.length > 0 ? 'T' : 'F'))].join(', ');
  if (!fits)
    throw new UsageError(
      `${where} has shape [${shape.join(', ')}]; the input ${name} takes [${text}]${shape.includes(0) ? ', with at least one example and one step' : ''}.`,
    );
  const at = data.findIndex(
    (x) =>
      !Number.isFinite(Math.fround(x)) ||
      (vocabulary !== undefined && !(Number.isInteger(x) && x >= 0 && x < vocabulary)),
  );
  if (at >= 0)
    throw new UsageError(
      `${where} holds ${data[at]} at position ${at}; ${vocabulary === undefined ? 'finite float32 numbers' : `integers from 0 to ${vocabulary - 1}`} were expected.`,
    );
}

/** The sides hold weights and inputs in float32; so does the reference then. */
export function inSinglePrecision(
  model: ModelDescription,
  inputs: ModelInputs,
): {
  readonly model: ModelDescription;
  readonly inputs: ModelInputs;
  readonly notes: readonly string[];
} {
  const changed = { weights: 0, 'numbers of the inputs': 0 };
  const rounded = ({ data, shape }: Tensor, what: keyof typeof changed): Tensor => ({
    data: Float64Array.from(data, (x) => {
      const single = Math.fround(x);
      if (single !== x) changed[what]++;
      return single;
    }),
    shape,
  });
  const layers = model.layers.map((layer) => ({
    ...layer,
    weights: mapRecord(layer.weights, (tensor) => rounded(tensor, 'weights')),
  }));
  const single = mapRecord(inputs, (tensor) => rounded(tensor, 'numbers of the inputs'));
  const notes = Object.entries(changed).flatMap(([what, n]) =>
    n === 0 ? [] : [`${n} ${what} are not exact in float32 and were rounded, as every side does`],
  );
  return { model: { ...model, layers }, inputs: single, notes };
}
