import { weightNames, type ClassifierWeights } from '../../scratch/index';
import { UsageError } from '../base/outcome';

/** Name of a weight in a file for each of the five. */
export type NamesInFile = Readonly<Record<keyof ClassifierWeights, string>>;

export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

const parts = ['kernel', 'recurrent_kernel', 'bias'] as const;
type Part = (typeof parts)[number];

const listed = (entries: readonly NamedShape[]): string =>
  entries.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ');

/** @throws UsageError when the recurrent kernel [U, n U] is that of an LSTM or a GRU: n kernels next to each other */
export function refuseGates(shape: readonly number[], where: string): void {
  const [units, width] = shape;
  const cell = shape.length === 2 && units > 0 ? { 3: 'GRU', 4: 'LSTM' }[width / units] : undefined;
  if (cell !== undefined)
    throw new UsageError(
      `${where} has a recurrent kernel [${shape.join(', ')}], ${width / units} kernels of ${units} units: these are ${cell} weights; a SimpleRNN (nn.RNN) with tanh is run, so export such a model.`,
    );
}

/**
 * Which entry of a file by Keras or TensorFlow.js is which weight. Both name a weight by its layer and its part, in many spellings:
 * `simple_rnn/kernel`, `simple_rnn_1/kernel:0`, `sequential/simple_rnn/simple_rnn_cell/kernel`, `kernel_1`,
 * `layers/dense/vars/0`. Entries are grouped by what stands before the part; the group with a recurrent kernel is the SimpleRNN, the
 * other one the output layer.
 *
 * @returns undefined when no entry has such a name
 * @throws UsageError when there are more layers than these two, parts are missing, or it is an LSTM or a GRU
 */
export function matchLayers(entries: readonly NamedShape[], where: string): NamesInFile | undefined {
  const refuse = (what: string): UsageError =>
    new UsageError(
      `${where} ${what}; it holds ${listed(entries)}. One SimpleRNN (kernel, recurrent_kernel, bias) and one Dense (kernel, bias) are run.`,
    );
  const groups = new Map<string, Partial<Record<Part, NamedShape>>>();
  const unknown: string[] = [];
  for (const entry of entries) {
    const { layer, part } = takeApart(entry.name, entries);
    if (part === undefined) unknown.push(entry.name);
    else groups.set(layer, { ...groups.get(layer), [part]: entry });
  }
  if (groups.size === 0) return undefined;
  if (unknown.length > 0) throw refuse(`has ${unknown.join(', ')}, which belongs to neither layer`);
  for (const { recurrent_kernel: kernel } of groups.values()) refuseGates(kernel?.shape ?? [], where);
  /** the names of one of the two layers */
  const layerWith = (what: 'recurrent' | 'output'): ((part: Part) => string) => {
    const found = [...groups].filter(([, own]) => (what === 'recurrent') === 'recurrent_kernel' in own);
    if (found.length === 0) throw refuse(`has no ${what} layer`);
    if (found.length > 1)
      throw refuse(`has ${found.length} ${what} layers (${found.map(([name]) => name).join(', ')})`);
    const [[layer, own]] = found;
    return (part) => {
      const { name } = own[part] ?? {};
      if (name !== undefined) return name;
      const of = layer === '' ? '' : ` of ${layer}`;
      throw refuse(`has no ${part}${of}${part === 'bias' ? ' (use_bias: false)' : ''}`);
    };
  };
  const [recurrent, output] = [layerWith('recurrent'), layerWith('output')];
  return {
    ...{
      kernel: recurrent('kernel'),
      recurrentKernel: recurrent('recurrent_kernel'),
      bias: recurrent('bias'),
    },
    ...{ outputKernel: output('kernel'), outputBias: output('bias') },
  };
}

function takeApart(
  name: string,
  entries: readonly NamedShape[],
): { readonly layer: string; readonly part?: Part | undefined } {
  const plain = name.replace(/:\d+$/, '');
  const [, before = '', part = '', number = ''] =
    /^(?:(.*?)[/._])??(recurrent_kernel|kernel|bias)(?:_(\d+))?$/.exec(plain) ?? [];
  if (part !== '') return { layer: before === '' ? number : before, part: part as Part };
  // Keras 3 numbers the weights of a layer: 0, 1 of Dense, 0, 1, 2 of SimpleRNN's cell
  const [, layer = '', index] = /^(.*\/vars)\/(\d)$/.exec(plain) ?? [];
  if (layer === '') return { layer };
  const isCell = entries.filter((entry) => entry.name.startsWith(`${layer}/`)).length === 3;
  return { layer, part: (isCell ? parts : (['kernel', 'bias'] as const))[Number(index)] };
}

const ranksInOrder = [2, 2, 1, 2, 1];

/** The five weights in the order of Keras's `get_weights()`, as `np.savez(file, *model.get_weights())` names them: arr_0 to arr_4. */
export function matchOrder(entries: readonly NamedShape[], where: string): NamesInFile | undefined {
  if (!entries.every(({ name }) => /^arr_\d+$/.test(name))) return undefined;
  const sorted = [...entries].sort((a, b) => Number(a.name.slice(4)) - Number(b.name.slice(4)));
  if (sorted.length > 1) refuseGates(sorted[1].shape, where);
  if (sorted.length !== 5 || sorted.some(({ shape }, i) => shape.length !== ranksInOrder[i]))
    throw new UsageError(
      `${where} holds ${listed(sorted)}; without names, the five of Keras's get_weights() are read: kernel [F, U], recurrent kernel [U, U], bias [U], output kernel [U, C], output bias [C]. Save others by name: np.savez(file, **{name: array}).`,
    );
  return Object.fromEntries(weightNames.map((name, i) => [name, sorted[i].name])) as unknown as NamesInFile;
}
