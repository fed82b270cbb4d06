import { weightNames, type ClassifierWeights } from '../../scratch/index';
import { UsageError } from '../base/outcome';
import { refuseGates } from './runnable';

/** Name of a weight in a file for each of the five. */
export type NamesInFile = Readonly<Record<keyof ClassifierWeights, string>>;

export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

type Part = 'kernel' | 'recurrent_kernel' | 'bias';
const parts: readonly Part[] = ['kernel', 'recurrent_kernel', 'bias'];

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
  const groups = new Map<string, Map<Part, NamedShape>>();
  const unknown: string[] = [];
  for (const entry of entries) {
    const { layer, part } = takeApart(entry.name, entries);
    if (part === undefined) unknown.push(entry.name);
    else groups.set(layer, (groups.get(layer) ?? new Map<Part, NamedShape>()).set(part, entry));
  }
  if (groups.size === 0) return undefined;
  const listed = entries.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ');
  const refuse = (what: string): UsageError =>
    new UsageError(
      `${where} ${what}; it holds ${listed}. One SimpleRNN (kernel, recurrent_kernel, bias) and one Dense (kernel, bias) are run.`,
    );
  if (unknown.length > 0) throw refuse(`has ${unknown.join(', ')}, which belongs to neither layer`);
  const layers = [...groups];
  const recurrent = layers.filter(([, found]) => found.has('recurrent_kernel'));
  const output = layers.filter(([, found]) => !found.has('recurrent_kernel'));
  for (const [, found] of recurrent) refuseGates(found.get('recurrent_kernel')?.shape ?? [], where);
  if (recurrent.length !== 1)
    throw refuse(
      recurrent.length === 0
        ? 'has no recurrent layer'
        : `has ${recurrent.length} recurrent layers (${namesOf(recurrent)})`,
    );
  if (output.length !== 1)
    throw refuse(
      output.length === 0 ? 'has no output layer' : `has ${output.length} output layers (${namesOf(output)})`,
    );
  const take = ([layer, found]: (typeof layers)[number], part: Part): string => {
    const entry = found.get(part);
    if (entry === undefined)
      throw refuse(
        `has no ${part}${layer === '' ? '' : ` of ${layer}`}${part === 'bias' ? ' (use_bias: false)' : ''}`,
      );
    return entry.name;
  };
  return {
    kernel: take(recurrent[0], 'kernel'),
    recurrentKernel: take(recurrent[0], 'recurrent_kernel'),
    bias: take(recurrent[0], 'bias'),
    outputKernel: take(output[0], 'kernel'),
    outputBias: take(output[0], 'bias'),
  };
}

const namesOf = (layers: readonly (readonly [string, unknown])[]): string =>
  layers.map(([name]) => name).join(', ');

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
      `${where} holds ${sorted.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ')}; without names, the five of Keras's get_weights() are read: kernel [F, U], recurrent kernel [U, U], bias [U], output kernel [U, C], output bias [C]. Save others by name: np.savez(file, **{name: array}).`,
    );
  return Object.fromEntries(weightNames.map((name, i) => [name, sorted[i].name])) as unknown as NamesInFile;
}
