import { weightNames, type ClassifierWeights, type Tensor } from '../../scratch/index';
import { isStringArray, type ArrayToWrite, type NpyArray } from '../base/files/index';
import { UsageError } from '../base/outcome';
import { configArray } from './keras/write-npz';
import { matchLayers, matchOrder, type NamesInFile } from './layer-names';
import { checkRunnable, refuseGates } from './runnable';

/** Names of the five weights in TensorFlow.js's LayersModel files and in Keras. */
const layersNames = {
  kernel: 'simple_rnn/kernel',
  recurrentKernel: 'simple_rnn/recurrent_kernel',
  bias: 'simple_rnn/bias',
  outputKernel: 'dense/kernel',
  outputBias: 'dense/bias',
} as const satisfies Record<keyof ClassifierWeights, string>;

/** Whose names and layout an archive of weights has. */
export const layoutNames = ['notebook', 'pytorch', 'keras', 'rnn-parity'] as const;
export type LayoutName = (typeof layoutNames)[number];

export interface Layout {
  /** archive entries of the five weights */ write(weights: ClassifierWeights): Record<string, ArrayToWrite>;
  /** the five weights, and what was converted on the way */
  read(arrays: ReadonlyMap<string, NpyArray>, where: string): { weights: ClassifierWeights; notes: string[] };
  /** the archive looks like this layout */ fits(names: readonly string[]): boolean;
}

const as64 = ({ data, shape }: Tensor): ArrayToWrite => ({ data, shape, dtype: '<f8' });

/** The tensor of that name. Throws UsageError when it is missing or text. */
function take(arrays: ReadonlyMap<string, NpyArray>, name: string, rank: number, where: string): Tensor {
  const array = arrays.get(name);
  if (array === undefined || isStringArray(array) || array.shape.length !== rank) {
    const found =
      array === undefined
        ? `only ${[...arrays.keys()].join(', ')}`
        : `it with shape [${array.shape.join(', ')}]`;
    throw new UsageError(`${where}: ${name} with ${rank} axes was expected; the archive has ${found}.`);
  }
  return { data: array.data, shape: array.shape };
}

function transpose({ data, shape: [rows, columns] }: Tensor): Tensor {
  return {
    data: data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)]),
    shape: [columns, rows],
  };
}

/** The notebook's attributes: same layout as here. */
const notebook: Layout = {
  write: (weights) => ({
    'rnn.W_x': as64(weights.kernel),
    'rnn.W_h': as64(weights.recurrentKernel),
    'rnn.b': as64(weights.bias),
    'fc.W': as64(weights.outputKernel),
    'fc.b': as64(weights.outputBias),
  }),
  read: (arrays, where) => ({
    weights: {
      kernel: take(arrays, 'rnn.W_x', 2, where),
      recurrentKernel: take(arrays, 'rnn.W_h', 2, where),
      bias: take(arrays, 'rnn.b', 1, where),
      outputKernel: take(arrays, 'fc.W', 2, where),
      outputBias: take(arrays, 'fc.b', 1, where),
    },
    notes: [],
  }),
  fits: (names) => names.includes('rnn.W_x'),
};

/** PyTorch's nn.RNN and nn.Linear: transposed, and two biases that are added anyway. */
const pytorch: Layout = {
  write: (weights) => ({
    'rnn.weight_ih_l0': as64(transpose(weights.kernel)),
    'rnn.weight_hh_l0': as64(transpose(weights.recurrentKernel)),
    'rnn.bias_ih_l0': as64(weights.bias),
    'rnn.bias_hh_l0': as64({ ...weights.bias, data: new Float64Array(weights.bias.data.length) }),
    'fc.weight': as64(transpose(weights.outputKernel)),
    'fc.bias': as64(weights.outputBias),
  }),
  read: (arrays, where) => {
    const prefix = [...arrays.keys()].find((name) => name.endsWith('weight_ih_l0'))?.slice(0, -12) ?? '';
    const deeper = [...arrays.keys()].find((name) => /_l[1-9]|_reverse$/.test(name));
    if (deeper !== undefined)
      throw new UsageError(
        `${where} has ${deeper}; one layer in one direction is read, so export a model of one layer.`,
      );
    const output = [...arrays.keys()].filter(
      (name) => !name.startsWith(`${prefix}weight_`) && name.endsWith('weight'),
    );
    if (output.length !== 1)
      throw new UsageError(
        `${where} has ${output.length === 0 ? 'no output layer' : `several output layers (${output.join(', ')})`}; one nn.Linear was expected, for example fc.weight and fc.bias.`,
      );
    const recurrentKernel = transpose(take(arrays, `${prefix}weight_hh_l0`, 2, where));
    refuseGates(recurrentKernel.shape, where);
    const first = take(arrays, `${prefix}bias_ih_l0`, 1, where);
    const second = take(arrays, `${prefix}bias_hh_l0`, 1, where);
    if (first.data.length !== second.data.length)
      throw new UsageError(
        `${where}: the two biases have ${first.data.length} and ${second.data.length} elements; they must be equal in size.`,
      );
    return {
      weights: {
        kernel: transpose(take(arrays, `${prefix}weight_ih_l0`, 2, where)),
        recurrentKernel,
        bias: { ...first, data: first.data.map((b, i) => b + second.data[i]) },
        outputKernel: transpose(take(arrays, output[0], 2, where)),
        outputBias: take(arrays, `${output[0].slice(0, -6)}bias`, 1, where),
      },
      notes: [
        'weight_ih_l0, weight_hh_l0 and the output weight were transposed: PyTorch keeps [outputs, inputs]',
        'bias_ih_l0 and bias_hh_l0 were added to one bias: only their sum is ever used',
      ],
    };
  },
  fits: (names) => names.some((name) => name.endsWith('weight_ih_l0')),
};

/** Keras and TensorFlow.js: same layout as here, names by layer, or none at all. */
const keras: Layout = {
  write: (weights) => Object.fromEntries(weightNames.map((name) => [layersNames[name], as64(weights[name])])),
  read: (arrays, where) => {
    const entries = [...arrays].map(([name, { shape }]) => ({ name, shape }));
    const inOrder = matchOrder(entries, where);
    const names = inOrder ?? matchLayers(entries, where);
    if (names === undefined)
      throw new UsageError(`${where} has ${list(arrays)}: no kernel, recurrent_kernel, bias.`);
    return {
      weights: taken(arrays, names, where),
      notes: inOrder ? ["arr_0 to arr_4 were taken in the order of Keras's get_weights()"] : [],
    };
  },
  fits: (names) => names.some((name) => /(^|[/._])recurrent_kernel|^arr_0$|\/vars\/0/.test(name)),
};

/** The product's own weights.npz. */
const own: Layout = {
  write: (weights) => Object.fromEntries(weightNames.map((name) => [name, as64(weights[name])])),
  read: (arrays, where) => ({
    weights: taken(
      arrays,
      Object.fromEntries(weightNames.map((name) => [name, name])) as unknown as NamesInFile,
      where,
    ),
    notes: [],
  }),
  fits: (names) => names.includes('recurrentKernel'),
};

const list = (arrays: ReadonlyMap<string, NpyArray>): string => [...arrays.keys()].join(', ');

function taken(arrays: ReadonlyMap<string, NpyArray>, names: NamesInFile, where: string): ClassifierWeights {
  const rank = (name: string): number => (/bias/i.test(name) ? 1 : 2);
  const entries = weightNames.map((name) => [name, take(arrays, names[name], rank(name), where)] as const);
  return Object.fromEntries(entries) as unknown as ClassifierWeights;
}

const layouts: Record<LayoutName, Layout> = { notebook, pytorch, keras, 'rnn-parity': own };

/** What archives of weights do not say. */
const activationNote =
  'the weights do not say which activation they were trained with: tanh is assumed, and nn.RNN(nonlinearity="relu") would predict otherwise (--activation tanh confirms it)';

/**
 * Whether an archive describes a network of its own: written by `convert --to npz`, or the state_dict of another network than one nn.RNN
 * in one direction. `readSavedModel` reads these.
 */
export function describesLayers(arrays: ReadonlyMap<string, NpyArray>): boolean {
  const recurrent = [...arrays].filter(([name]) => /(^|\.)weight_hh_l\d/.test(name));
  return (
    arrays.has(configArray) ||
    recurrent.length > 1 ||
    recurrent.some(([, { shape }]) => shape.length === 2 && shape[0] !== shape[1])
  );
}

/** Weights as the entries of an archive in someone else's layout. */
export function writeLayout(name: LayoutName, weights: ClassifierWeights): Record<string, ArrayToWrite> {
  return layouts[name].write(weights);
}

/**
 * Reads weights in someone's layout; without a name the archive's own names decide.
 *
 * @throws UsageError when names are missing or shapes contradict each other
 */
export function readLayout(
  arrays: ReadonlyMap<string, NpyArray>,
  where: string,
  name?: LayoutName,
): { layout: LayoutName; weights: ClassifierWeights; notes: string[] } {
  const layout = name ?? layoutNames.find((one) => layouts[one].fits([...arrays.keys()]));
  if (layout === undefined) {
    throw new UsageError(
      `${where} has ${list(arrays)}: no layout that is known; rnn.W_x (notebook), weight_ih_l0 (pytorch), ${layersNames.recurrentKernel} (keras) or recurrentKernel (rnn-parity) was expected.`,
    );
  }
  const { weights, notes } = layouts[layout].read(arrays, where);
  const assumed = layout === 'pytorch' || layout === 'keras' ? [activationNote] : [];
  return { layout, notes: [...notes, ...assumed], weights: checkRunnable(weights, where) };
}
