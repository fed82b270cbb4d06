import type { RecurrentConfig, Tensor } from '../../../scratch/index';
import { UsageError } from '../../base/outcome';
import { assemble, shapeLayers } from '../assemble';
import { halfReach, type ModelDescription, type ModelLayerConfig, type StoredAs } from '../description';
import { biasOfTwo, gateOrders, gatesToKeras } from '../gates';
import { inputsOf, type PlannedLayer } from '../keras/topology';
import { inDirection } from '../shapes';
import { names, type StateEntry } from './entry';
import { chainOf, modulesOf, type Module, type RecurrentModule } from './modules';

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

/** A layer with its weights. */
interface Made {
  readonly planned: PlannedLayer;
  readonly weights: Readonly<Record<string, Tensor>>;
  /** weights of fewer bits than float32 */ readonly half?: StateEntry['half'];
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
  const made: Made[] = [];
  const notes = new Set<string>();
  if (modules.length > 1)
    notes.add(
      'the weights do not say which activations stand between the modules and after the last: none is assumed',
    );
  let before = 'input';
  modules.forEach((module, i) => {
    const isLast = i === modules.length - 1;
    for (const one of layersOf(module, { isFirst: i === 0, isLast }, options, notes)) {
      made.push({ ...one, planned: { ...one.planned, reads: { of: before } } });
      before = one.planned.name;
    }
  });
  const [first] = modules;
  const shape = first.kind === 'nn.Embedding' ? [null] : [null, first.inputs];
  const hasTime = modules.some(({ kind }) => kind in cells);
  if (!hasTime)
    throw new UsageError(
      `${where} has no nn.RNN, nn.LSTM or nn.GRU (weight_ih_l0, weight_hh_l0); its arrays are ${names(entries)}.`,
    );
  const layers = made.map(({ planned }) => planned);
  const inputs = [{ name: 'input', shape }];
  const weights = new Map(made.map((one) => [one.planned.name, one.weights]));
  const description = assemble(
    {
      format: 'pytorch',
      writtenBy: 'PyTorch (state_dict)',
      inputs: inputsOf({ inputs, layers }),
      outputs: [{ of: before }],
      notes: [...notes],
      shaped: shapeLayers({ inputs, layers }, where),
    },
    weights,
    where,
  );
  const storage = made.flatMap(({ planned, weights: own, half }) =>
    half === undefined
      ? []
      : Object.keys(own).map((name): [string, StoredAs] => [
          `${planned.name}.${name}`,
          { dtype: half, reach: halfReach[half] },
        ]),
  );
  return storage.length === 0 ? description : { ...description, storage: Object.fromEntries(storage) };
}

const cells = { 'nn.RNN': 'simpleRNN', 'nn.LSTM': 'lstm', 'nn.GRU': 'gru' } as const;

function layersOf(
  module: Module,
  { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
  options: StateOptions,
  notes: Set<string>,
): Made[] {
  const layer = (
    config: ModelLayerConfig,
    weights: Made['weights'],
    parts: readonly (StateEntry | undefined)[],
    name = module.name,
  ): Made => {
    const half = parts.find((part) => part?.half !== undefined)?.half;
    return {
      planned: {
        ...{ name, kind: module.kind, config, reads: { of: '' }, softmax: false, returnState: false },
        ...{ inner: [], notes: [] },
      },
      weights,
      ...(half !== undefined && { half }),
    };
  };
  switch (module.kind) {
    case 'nn.Embedding': {
      const [inputDim, outputDim] = module.weight.shape;
      noteSquare(module, notes);
      return [
        layer({ layer: 'embedding', inputDim, outputDim }, { embeddings: module.weight.read() }, [
          module.weight,
        ]),
      ];
    }
    case 'nn.Linear': {
      const { weight, bias } = module;
      const [units] = weight.shape;
      if (isFirst && bias === undefined) noteSquare(module, notes);
      const kernel = gatesToKeras(weight.read(), [0]);
      return [
        layer(
          { layer: 'dense', units, useBias: bias !== undefined },
          { kernel, ...(bias && { bias: bias.read() }) },
          [weight, bias],
        ),
      ];
    }
    case 'nn.BatchNorm1d': {
      const { weight, bias, mean, variance } = module;
      notes.add("the weights do not say the epsilon of nn.BatchNorm1d: PyTorch's default 1e-5 is assumed");
      return [
        layer(
          {
            layer: 'batchNormalization',
            epsilon: 1e-5,
            center: bias !== undefined,
            scale: weight !== undefined,
          },
          {
            ...(weight && { gamma: weight.read() }),
            ...(bias && { beta: bias.read() }),
            movingMean: mean.read(),
            movingVariance: variance.read(),
          },
          [weight, bias, mean, variance],
        ),
      ];
    }
    default: {
      const steps = options.steps ?? (isLast ? 'all' : 'final');
      if (module.kind === 'nn.RNN' && options.nonlinearity === undefined)
        notes.add('the weights do not say the nonlinearity of nn.RNN: tanh is assumed (--nonlinearity relu)');
      if (!isLast && options.steps === undefined)
        notes.add(
          `the weights do not say what the module after ${module.name} reads: its final states are assumed (--steps last: outputs[:, -1]; --steps all: every step)`,
        );
      const isBoth = module.layers.some((one) => one.length > 1);
      const isLastRow = steps === 'last' && isBoth;
      const own = module.layers.map((directions, i, all) =>
        recurrentLayer(module, directions, i < all.length - 1 || steps === 'all' || isLastRow, options),
      );
      const made = own.map(({ config, weights, parts }, i) =>
        layer(config, weights, parts, own.length === 1 ? module.name : `${module.name}.l${i}`),
      );
      return isLastRow ? [...made, layer({ layer: 'lastStep' }, {}, [], `${module.name}:last`)] : made;
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
  const read = (entry: StateEntry): Tensor => gatesToKeras(entry.read(), order);
  const weightsOf = ({ weightIh, weightHh, biasIh, biasHh }: (typeof directions)[number]) => ({
    kernel: read(weightIh),
    recurrentKernel: read(weightHh),
    ...(biasIh && biasHh && { bias: biasOfTwo(read(biasIh), read(biasHh), cell === 'gru') }),
  });
  const parts = directions.flatMap(({ weightIh, weightHh, biasIh, biasHh }) => [
    weightIh,
    weightHh,
    biasIh,
    biasHh,
  ]);
  if (directions.length === 1) return { config, weights: weightsOf(directions[0]), parts };
  const weights = Object.fromEntries(
    directions.flatMap((one, d) =>
      Object.entries(weightsOf(one)).map(([name, tensor]) => [
        inDirection(d === 0 ? 'forward' : 'backward', name),
        tensor,
      ]),
    ),
  );
  return {
    config: { layer: 'bidirectional', wrapped: config, mergeMode: 'concat' } as const,
    weights,
    parts,
  };
}
