import { UsageError } from '../../base/outcome';
import type { StoredTensor } from '../assemble';

/** A named array of a state_dict, before its numbers are read. */
export interface StateEntry {
  readonly name: string;
  readonly shape: readonly number[];
  read(): StoredTensor;
}

/** Arrays for a message. */
export const names = (entries: readonly StateEntry[]): string =>
  entries
    .slice(0, 40)
    .map(({ name, shape }) => `${name} [${shape.join(', ')}]`)
    .join(', ');

/** One layer of a recurrent module in one direction. */
interface Direction {
  readonly weightIh: StateEntry;
  readonly weightHh: StateEntry;
  readonly biasIh?: StateEntry | undefined;
  readonly biasHh?: StateEntry | undefined;
}

interface Widths {
  readonly name: string;
  /** columns that it reads */ readonly inputs: number;
  readonly outputs: number;
}

export interface RecurrentModule extends Widths {
  readonly kind: 'nn.RNN' | 'nn.LSTM' | 'nn.GRU';
  readonly units: number;
  readonly useBias: boolean;
  /** by layer, then by direction */ readonly layers: readonly (readonly Direction[])[];
}

export type Module =
  | RecurrentModule
  | (Widths & { readonly kind: 'nn.Embedding'; readonly weight: StateEntry })
  | (Widths & {
      readonly kind: 'nn.Linear';
      readonly weight: StateEntry;
      readonly bias?: StateEntry | undefined;
    })
  | (Widths & {
      readonly kind: 'nn.BatchNorm1d';
      readonly weight?: StateEntry | undefined;
      readonly bias?: StateEntry | undefined;
      readonly mean: StateEntry;
      readonly variance: StateEntry;
    });

const kinds = { 1: 'nn.RNN', 3: 'nn.GRU', 4: 'nn.LSTM' } as const;
const readKinds = 'nn.Embedding, nn.RNN, nn.LSTM, nn.GRU, nn.Linear and nn.BatchNorm1d';

/**
 * The modules that a state_dict has weights of, in the order of the file.
 *
 * @throws UsageError that names an array which belongs to no module that is read
 */
export function modulesOf(entries: readonly StateEntry[], where: string): Module[] {
  const groups = new Map<string, Map<string, StateEntry>>();
  for (const entry of entries) {
    const at = entry.name.lastIndexOf('.');
    const [prefix, last] = [entry.name.slice(0, Math.max(at, 0)), entry.name.slice(at + 1)];
    const group = groups.get(prefix) ?? new Map<string, StateEntry>();
    groups.set(prefix, group.set(last, entry));
  }
  return [...groups].map(([prefix, group]) => moduleOf(prefix || 'model', group, where));
}

function moduleOf(name: string, group: ReadonlyMap<string, StateEntry>, where: string): Module {
  const refuse = (what: string): UsageError =>
    new UsageError(`${where}: ${name} ${what}; read are ${readKinds}. It has ${names([...group.values()])}.`);
  const rank = (key: string): number => group.get(key)?.shape.length ?? -1;
  const only = (...keys: readonly string[]): void => {
    const extra = [...group.keys()].find((key) => !keys.includes(key));
    if (extra !== undefined) throw refuse(`has ${extra}, which is no weight of such a module`);
  };
  if ([...group.keys()].some((key) => /^(weight|bias)_(ih|hh|hr)_l\d/.test(key)))
    return recurrentModule(name, group, refuse);
  if (group.has('weight_ih')) throw refuse('is a single cell (nn.RNNCell, nn.LSTMCell, nn.GRUCell)');
  const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((key) =>
    group.get(key),
  );
  if (mean !== undefined && variance !== undefined && rank('running_mean') === 1) {
    only('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked');
    const [width] = mean.shape;
    return { kind: 'nn.BatchNorm1d', name, inputs: width, outputs: width, weight, bias, mean, variance };
  }
  if (weight === undefined || weight.shape.length !== 2)
    throw refuse(
      `is no module that is read${weight === undefined ? '' : ` (its weight has ${weight.shape.length} axes)`}`,
    );
  only('weight', 'bias');
  const [rows, columns] = weight.shape;
  return { kind: 'nn.Linear', name, inputs: columns, outputs: rows, weight, bias };
}

function recurrentModule(
  name: string,
  group: ReadonlyMap<string, StateEntry>,
  refuse: (what: string) => UsageError,
): RecurrentModule {
  if ([...group.keys()].some((key) => key.startsWith('weight_hr_')))
    throw refuse('has a projection (proj_size), which Keras and TensorFlow.js have not either');
  const used = new Set<string>();
  const take = (key: string): StateEntry | undefined => {
    used.add(key);
    return group.get(key);
  };
  const layers: Direction[][] = [];
  while (group.has(`weight_ih_l${layers.length}`) || group.has(`weight_hh_l${layers.length}`)) {
    const i = layers.length;
    const directions = ['', '_reverse'].flatMap((suffix): Direction[] => {
      const [weightIh, weightHh, biasIh, biasHh] = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map(
        (key) => take(`${key}_l${i}${suffix}`),
      );
      if (weightIh === undefined && weightHh === undefined && suffix !== '') return [];
      if (
        weightIh === undefined ||
        weightHh === undefined ||
        (biasIh === undefined) !== (biasHh === undefined)
      )
        throw refuse(`lacks a weight of layer ${i}${suffix}`);
      return [{ weightIh, weightHh, biasIh, biasHh }];
    });
    layers.push(directions);
  }
  const extra = [...group.keys()].find((key) => !used.has(key));
  if (extra !== undefined) throw refuse(`has ${extra}, which fits no layer`);
  const [[first]] = layers;
  const [rows, units = 0] = first.weightHh.shape;
  const kind = kinds[(rows / units) as 1];
  if (first.weightHh.shape.length !== 2 || (kind as string | undefined) === undefined)
    throw refuse(
      `has weight_hh_l0 [${first.weightHh.shape.join(', ')}], where [U, U], [3 U, U] or [4 U, U] was expected`,
    );
  const directions = layers[0].length;
  const useBias = first.biasIh !== undefined;
  const inputs = first.weightIh.shape[1] ?? 0;
  layers.forEach((layer, i) => {
    const width = i === 0 ? inputs : units * directions;
    const isWhole =
      layer.length === directions &&
      layer.every(
        ({ weightIh, weightHh, biasIh, biasHh }) =>
          weightIh.shape.join() === [rows, width].join() &&
          weightHh.shape.join() === [rows, units].join() &&
          (biasIh !== undefined) === useBias &&
          [biasIh, biasHh].every((bias) => bias === undefined || bias.shape.join() === String(rows)),
      );
    if (!isWhole) throw refuse(`has weights of layer ${i} whose shapes do not fit each other`);
  });
  return { kind, name, inputs, outputs: units * directions, units, useBias, layers };
}

/**
 * The modules in an order in which each reads as many columns as the one before it gives.
 *
 * @param isOrdered whether the file has the order of the model: then that one is taken
 * @throws UsageError where no order fits, or more than one does
 */
export function chainOf(modules: readonly Module[], isOrdered: boolean, where: string): Module[] {
  const list = modules
    .map(({ name, kind, inputs, outputs }) => `${name} (${kind}, ${inputs} -> ${outputs})`)
    .join(', ');
  if (modules.length === 0 || modules.length > 12)
    throw new UsageError(`${where} has ${modules.length} modules, where 1 to 12 were expected.`);
  const given = withEmbedding(modules);
  if (isOrdered && fits(given)) return given;
  const found: Module[][] = [];
  let tried = 0;
  const extend = (chain: Module[], left: readonly Module[]): void => {
    if (found.length > 1 || ++tried > 20_000) return;
    if (left.length === 0) {
      found.push(chain);
      return;
    }
    for (const module of left) {
      const options = chain.length === 0 ? [module, asEmbedding(module)] : [module];
      for (const one of options)
        if (one !== undefined && (chain.length === 0 || chain[chain.length - 1].outputs === one.inputs))
          extend(
            [...chain, one],
            left.filter((other) => other !== module),
          );
    }
  };
  extend([], modules);
  const withName = found.filter((chain) => chain[0].kind === 'nn.Embedding' && /emb/i.test(chain[0].name));
  const chosen = found.length === 1 ? found : withName;
  if (chosen.length === 1 && tried <= 20_000) return chosen[0];
  throw new UsageError(
    `${where} has the modules ${list}; ${found.length === 0 ? 'in no order does each read what the one before it gives' : 'more than one order fits'}. A chain of modules is read: save its state_dict as .npz, in the order of the model, np.savez(file, **{k: v.numpy() for k, v in model.state_dict().items()}).`,
  );
}

const fits = (chain: readonly Module[]): boolean =>
  chain.every(({ inputs }, i) => i === 0 || chain[i - 1].outputs === inputs);

/** A Linear without bias may be an Embedding: rows are then integers, and columns what it gives. */
function asEmbedding(module: Module): Module | undefined {
  if (module.kind !== 'nn.Linear' || module.bias !== undefined) return undefined;
  const { name, weight } = module;
  return { kind: 'nn.Embedding', name, inputs: 1, outputs: weight.shape[1], weight };
}

/** The modules of the file, the first one an embedding where it has no bias and its columns are what the next one reads. */
function withEmbedding([first, ...rest]: readonly Module[]): Module[] {
  const embedding = asEmbedding(first);
  const [next] = rest as readonly (Module | undefined)[];
  const isEmbedding =
    embedding !== undefined &&
    next?.inputs === embedding.outputs &&
    (first.outputs !== next.inputs || /emb/i.test(first.name));
  return [isEmbedding ? embedding : first, ...rest];
}
