import {
  checkClassifierWeights,
  weightNames,
  type ClassifierWeights,
  type Tensor,
} from '../../scratch/index';
import { numbersOf, type ArrayToWrite, type NpyArray } from '../base/files/index';
import { asUsage, UsageError } from '../base/outcome';
import { gatesFromKeras, gatesToKeras } from './gates';
import { configArray } from './keras/write';
import { matchLayers, matchOrder, refuseGates, type NamesInFile } from './layer-names';
import { checkSingle } from './networks';

/** Names of the five weights in each layout; an archive of PyTorch has a second bias, and its modules may have other names. */
const layouts = {
  notebook: {
    kernel: 'rnn.W_x',
    recurrentKernel: 'rnn.W_h',
    bias: 'rnn.b',
    outputKernel: 'fc.W',
    outputBias: 'fc.b',
  },
  pytorch: {
    kernel: 'rnn.weight_ih_l0',
    recurrentKernel: 'rnn.weight_hh_l0',
    bias: 'rnn.bias_ih_l0',
    outputKernel: 'fc.weight',
    outputBias: 'fc.bias',
  },
  keras: {
    kernel: 'simple_rnn/kernel',
    recurrentKernel: 'simple_rnn/recurrent_kernel',
    bias: 'simple_rnn/bias',
    outputKernel: 'dense/kernel',
    outputBias: 'dense/bias',
  },
  'rnn-parity': Object.fromEntries(weightNames.map((name) => [name, name])) as unknown as NamesInFile,
} as const satisfies Readonly<Record<string, NamesInFile>>;

/** Whose names and layout an archive of weights has. */
export const layoutNames = ['notebook', 'pytorch', 'keras', 'rnn-parity'] as const;
export type LayoutName = (typeof layoutNames)[number];

/** By which names of an archive a layout is known. */
const marks: Readonly<Record<LayoutName, RegExp>> = {
  notebook: /^rnn\.W_x$/,
  pytorch: /weight_ih_l0$/,
  keras: /(^|[/._])recurrent_kernel|^arr_0$|\/vars\/0/,
  'rnn-parity': /^recurrentKernel$/,
};

/** What archives of weights do not say. */
const activationNote =
  'the weights do not say which activation they were trained with: tanh is assumed, and nn.RNN(nonlinearity="relu") would predict otherwise (--activation tanh confirms it)';

type Arrays = ReadonlyMap<string, NpyArray>;

/**
 * Whether an archive describes a network of its own: written by `convert --to npz`, or the state_dict of another network than one nn.RNN
 * in one direction. `readSavedModel` reads these.
 */
export function describesLayers(arrays: Arrays): boolean {
  const recurrent = [...arrays].filter(([name]) => /(^|\.)weight_hh_l\d/.test(name));
  return (
    arrays.has(configArray) ||
    recurrent.length > 1 ||
    recurrent.some(([, { shape }]) => shape.length === 2 && shape[0] !== shape[1])
  );
}

/** Weights as the entries of an archive in someone else's layout. PyTorch's are transposed, and its second bias is zero. */
export function writeLayout(name: LayoutName, weights: ClassifierWeights): Record<string, ArrayToWrite> {
  const entries = weightNames.flatMap((weight): (readonly [string, Tensor])[] => {
    const one = weights[weight];
    if (name !== 'pytorch') return [[layouts[name][weight], one]];
    const own = [layouts.pytorch[weight], gatesFromKeras(one, [0])] as const;
    const none = { ...one, data: new Float64Array(one.data.length) };
    return weight === 'bias' ? [own, ['rnn.bias_hh_l0', none]] : [own];
  });
  return Object.fromEntries(
    entries.map(([entry, { data, shape }]) => [entry, { data, shape, dtype: '<f8' }]),
  );
}

/**
 * Reads weights in someone's layout; without a name the archive's own names decide.
 *
 * @throws UsageError when names are missing or shapes contradict each other
 */
export function readLayout(
  arrays: Arrays,
  where: string,
  name?: LayoutName,
): { layout: LayoutName; weights: ClassifierWeights; notes: string[] } {
  const layout =
    name ?? layoutNames.find((one) => [...arrays.keys()].some((entry) => marks[one].test(entry)));
  if (layout === undefined)
    throw new UsageError(
      `${where} has ${[...arrays.keys()].join(', ')}: no layout that is known; rnn.W_x (notebook), weight_ih_l0 (pytorch), ${layouts.keras.recurrentKernel} (keras) or recurrentKernel (rnn-parity) was expected.`,
    );
  const { names, notes } = namesIn(arrays, where, layout);
  const take = (entry: string, rank: number): Tensor => numbersOf(arrays, entry, rank, where);
  const read = weightNames.map((weight): [string, Tensor] => {
    const given = take(names[weight], /bias/i.test(weight) ? 1 : 2);
    // of one block of columns: a matrix is transposed, and a bias stays
    return [weight, layout === 'pytorch' ? gatesToKeras(given, [0]) : given];
  });
  const weights = Object.fromEntries(read) as unknown as Record<keyof ClassifierWeights, Tensor>;
  refuseGates(weights.recurrentKernel.shape, where);
  if (layout === 'pytorch') {
    const { data } = take(names.bias.replace(/ih_l0$/, 'hh_l0'), 1);
    const { bias } = weights;
    if (data.length !== bias.data.length)
      throw new UsageError(
        `${where}: the two biases have ${bias.data.length} and ${data.length} elements; they must be equal in size.`,
      );
    weights.bias = { data: bias.data.map((b, i) => b + data[i]), shape: bias.shape };
  }
  return { layout, notes, weights: checkRunnable(weights, where) };
}

/** What the archive calls each weight, and what is converted or assumed. */
function namesIn(
  arrays: Arrays,
  where: string,
  layout: LayoutName,
): { readonly names: NamesInFile; readonly notes: string[] } {
  const all = [...arrays.keys()];
  if (layout === 'keras') {
    const entries = [...arrays].map(([name, { shape }]) => ({ name, shape }));
    const inOrder = matchOrder(entries, where);
    const names = inOrder ?? matchLayers(entries, where);
    if (names === undefined)
      throw new UsageError(`${where} has ${all.join(', ')}: no kernel, recurrent_kernel, bias.`);
    const order = inOrder ? ["arr_0 to arr_4 were taken in the order of Keras's get_weights()"] : [];
    return { names, notes: [...order, activationNote] };
  }
  if (layout !== 'pytorch') return { names: layouts[layout], notes: [] };
  const prefix = all.find((name) => name.endsWith('weight_ih_l0'))?.slice(0, -12) ?? '';
  const deeper = all.find((name) => /_l[1-9]|_reverse$/.test(name));
  if (deeper !== undefined)
    throw new UsageError(
      `${where} has ${deeper}; one layer in one direction is read, so export a model of one layer.`,
    );
  const output = all.filter((name) => !name.startsWith(`${prefix}weight_`) && name.endsWith('weight'));
  if (output.length !== 1)
    throw new UsageError(
      `${where} has ${output.length === 0 ? 'no output layer' : `several output layers (${output.join(', ')})`}; one nn.Linear was expected, for example fc.weight and fc.bias.`,
    );
  const own = (name: string): string => `${prefix}${name.slice('rnn.'.length)}`;
  const { kernel, recurrentKernel, bias } = layouts.pytorch;
  return {
    names: {
      ...{ kernel: own(kernel), recurrentKernel: own(recurrentKernel), bias: own(bias) },
      ...{ outputKernel: output[0], outputBias: `${output[0].slice(0, -6)}bias` },
    },
    notes: [
      'weight_ih_l0, weight_hh_l0 and the output weight were transposed: PyTorch keeps [outputs, inputs]',
      'bias_ih_l0 and bias_hh_l0 were added to one bias: only their sum is ever used',
      activationNote,
    ],
  };
}

/** The five weights of a classifier that every side can run and every file can hold: shapes that fit, at least two outputs. */
function checkRunnable(weights: ClassifierWeights, where: string): ClassifierWeights {
  const [features, units] = weights.kernel.shape;
  const [classes] = weights.outputBias.shape;
  if (classes === 1)
    throw new UsageError(
      `${where} has a single output, as a sigmoid for two classes or a regression has; a softmax over at least 2 classes is run, and over one class it is always 1. If it is a sigmoid, save two outputs that give the same: output kernel np.hstack([0 * w, w]), output bias np.hstack([0 * b, b]).`,
    );
  const checked = asUsage(() => checkClassifierWeights(weights, { features, units, classes }, where));
  checkSingle(Object.entries(checked) as [string, Tensor][], where);
  return checked;
}
