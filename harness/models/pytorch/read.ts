import type { RecurrentConfig } from '../../../scratch/index';
import { UsageError } from '../../base/outcome';
import { assemble, type PlannedLayer, type StoredTensor } from '../assemble';
import type { ModelDescription } from '../description';
import { biasOfTwo, gateOrders, gatesToKeras, weightsOfDirections } from '../gates';
import { chainOf, modulesOf, names, type Module, type RecurrentModule, type StateEntry } from './modules';

/** What a state_dict does not say. */
export interface StateOptions {
  /** of nn.RNN; default tanh */ readonly nonlinearity?: 'tanh' | 'relu' | undefined;
  /**
   * what the module after an nn.RNN, nn.LSTM or nn.GRU reads: `final` its final states (h_n), `last` the last row of its outputs
   * (`outputs[:, -1]`, which in a bidirectional module is the first step of the second direction), `all` every step; default `final`, and
   * `all` where nothing follows
   */
  readonly steps?: 'final' | 'last' | 'all' | undefined;
}

/** A layer with its weights, read below. */
interface Made extends Pick<PlannedLayer, 'name' | 'config'> {
  readonly weights: Readonly<Record<string, StoredTensor>>;
}

/**
 * A state_dict of PyTorch: nn.Embedding, nn.RNN, nn.LSTM, nn.GRU, nn.Linear, nn.BatchNorm1d one after the other. The names of the weights
 * say which modules there are; the order is that in which their widths fit. Inputs are [B, T, F], whatever `batch_first` was.
 *
 * @param isOrdered whether the entries are in the order of the model (a .npz), or sorted by name (safetensors)
 * @throws UsageError that names what is no weight of these modules, or lists the modules where they do not fit each other
 */
export function readStateDict(
  entries: readonly StateEntry[],
  where: string,
  isOrdered: boolean,
  options: StateOptions = {},
): ModelDescription {
  const modules = chainOf(modulesOf(entries, where), isOrdered, where);
  const weights = new Map<string, Made['weights']>();
  const layers: PlannedLayer[] = [];
  const notes = new Set<string>();
  if (modules.length > 1)
    notes.add(
      'the weights do not say which activations stand between the modules and after the last: none is assumed',
    );
  let before = 'input';
  modules.forEach((module, i) => {
    const isLast = i === modules.length - 1;
    for (const made of layersOf(module, { isFirst: i === 0, isLast }, options, notes)) {
      const { name, config } = made;
      layers.push({ name, kind: module.kind, config, reads: { of: before } });
      weights.set(name, made.weights);
      before = name;
    }
  });
  if (!modules.some(({ kind }) => kind in cells))
    throw new UsageError(
      `${where} has no nn.RNN, nn.LSTM or nn.GRU (weight_ih_l0, weight_hh_l0); its arrays are ${names(entries)}.`,
    );
  const [first] = modules;
  const inputs = [{ name: 'input', shape: first.kind === 'nn.Embedding' ? [null] : [null, first.inputs] }];
  return assemble(
    { format: 'pytorch', writtenBy: 'PyTorch (state_dict)', notes: [...notes] },
    { inputs, layers, outputs: [{ of: before }] },
    weights,
    where,
  );
}

const cells = { 'nn.RNN': 'simpleRNN', 'nn.LSTM': 'lstm', 'nn.GRU': 'gru' } as const;

function layersOf(
  module: Module,
  { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
  options: StateOptions,
  notes: Set<string>,
): Made[] {
  const { name } = module;
  switch (module.kind) {
    case 'nn.Embedding': {
      const [inputDim, outputDim] = module.weight.shape;
      noteSquare(module, notes);
      const config = { layer: 'embedding', inputDim, outputDim } as const;
      return [{ name, config, weights: { embeddings: module.weight.read() } }];
    }
    case 'nn.Linear': {
      const { weight, bias } = module;
      if (isFirst && bias === undefined) noteSquare(module, notes);
      const config = { layer: 'dense', units: weight.shape[0], useBias: bias !== undefined } as const;
      const kernel = gatesToKeras(weight.read(), [0]);
      return [{ name, config, weights: { kernel, ...(bias && { bias: bias.read() }) } }];
    }
    case 'nn.BatchNorm1d': {
      const { weight: gamma, bias: beta, mean, variance } = module;
      notes.add("the weights do not say the epsilon of nn.BatchNorm1d: PyTorch's default 1e-5 is assumed");
      const [center, scale] = [beta !== undefined, gamma !== undefined];
      const weights = {
        ...(gamma && { gamma: gamma.read() }),
        ...(beta && { beta: beta.read() }),
        ...{ movingMean: mean.read(), movingVariance: variance.read() },
      };
      return [{ name, config: { layer: 'batchNormalization', epsilon: 1e-5, center, scale }, weights }];
    }
    default: {
      const steps = options.steps ?? (isLast ? 'all' : 'final');
      if (module.kind === 'nn.RNN' && options.nonlinearity === undefined)
        notes.add('the weights do not say the nonlinearity of nn.RNN: tanh is assumed (--nonlinearity relu)');
      if (!isLast && options.steps === undefined)
        notes.add(
          `the weights do not say what the module after ${name} reads: its final states are assumed (--steps last: outputs[:, -1]; --steps all: every step)`,
        );
      const isLastRow = steps === 'last' && module.layers.some((one) => one.length > 1);
      const made = module.layers.map((directions, i, all): Made => {
        const own = all.length === 1 ? name : `${name}.l${i}`;
        const givesSteps = i < all.length - 1 || steps === 'all' || isLastRow;
        return { name: own, ...recurrentLayer(module, directions, givesSteps, options) };
      });
      return isLastRow
        ? [...made, { name: `${name}:last`, config: { layer: 'lastStep' }, weights: {} }]
        : made;
    }
  }
}

/** A square matrix without a bias can be either; the widths of the other modules do not tell. */
function noteSquare(
  { kind, name, weight }: Module & { readonly weight?: StateEntry },
  notes: Set<string>,
): void {
  if (weight === undefined || weight.shape[0] !== weight.shape[1]) return;
  notes.add(
    `${name}.weight [${weight.shape.join(', ')}] without a bias can be nn.Linear or nn.Embedding: ${kind} is assumed, by the name of the module`,
  );
}

/** PyTorch has gates in an order of its own, transposed, and two biases; a GRU resets after the product. */
function recurrentLayer(
  { kind, units, useBias }: RecurrentModule,
  directions: RecurrentModule['layers'][number],
  returnSequences: boolean,
  { nonlinearity = 'tanh' }: StateOptions,
) {
  const cell = cells[kind];
  const order = gateOrders.pytorch[cell];
  const common = { units, useBias, returnSequences };
  const config: RecurrentConfig =
    cell === 'simpleRNN'
      ? { layer: cell, ...common, activation: nonlinearity }
      : cell === 'lstm'
        ? { layer: cell, ...common, recurrentActivation: 'sigmoid' }
        : { layer: cell, ...common, recurrentActivation: 'sigmoid', resetAfter: true };
  const read = (entry: StateEntry): StoredTensor => gatesToKeras(entry.read(), order);
  const weights = directions.map(({ weightIh, weightHh, biasIh, biasHh }) => ({
    kernel: read(weightIh),
    recurrentKernel: read(weightHh),
    ...(biasIh && biasHh && { bias: biasOfTwo(read(biasIh), read(biasHh), cell === 'gru') }),
  }));
  return {
    config:
      directions.length === 1
        ? config
        : ({ layer: 'bidirectional', wrapped: config, mergeMode: 'concat' } as const),
    weights: weightsOfDirections<StoredTensor>(weights),
  };
}
