import type { LayerConfig, RecurrentConfig, Tensor } from '../../scratch/index';
import {
  activationSymbols,
  defineCell,
  gru,
  gruResetAfter,
  lstm,
  simpleRnn,
  type Cell,
  type Network,
  type NetworkProblem,
} from '../equations/index';

type Weights = Readonly<Record<string, Tensor>>;

/** A layer by itself as formulas: what bounds its rounding errors. */
export interface OneLayer {
  readonly network: Network;
  readonly weights: NetworkProblem['weights'];
  /** layer and carry of every state, in the order of scratch/ */ readonly carries: readonly (readonly [
    string,
    string,
  ])[];
  /** the layer whose sequence is the output */ readonly last: string;
}

/** A layer of scratch/ as a network of formulas; undefined for an embedding, which rounds nothing. */
export function asFormulas(
  config: Exclude<LayerConfig, { layer: 'embedding' }>,
  weights: Weights,
  features: number,
): OneLayer {
  switch (config.layer) {
    case 'timeDistributed':
      return asFormulas(config.wrapped, weights, features);
    case 'dense': {
      const { units, activation = 'linear' } = config;
      const cell = denseCell(activationSymbols[activation]);
      return {
        network: { features, layers: [{ name: 'layer', cell, units, reads: 'inputs' }] },
        weights: { layer: withBiases(cell, weights, units) },
        carries: [],
        last: 'layer',
      };
    }
    case 'simpleRNN':
    case 'lstm':
    case 'gru': {
      const cell = cellOf(config);
      const { units, goBackwards = false } = config;
      return {
        network: {
          features,
          layers: [{ name: 'layer', cell, units, reads: 'inputs', reversed: goBackwards }],
        },
        weights: { layer: withBiases(cell, weights, units) },
        carries: cell.carries.map((carry) => ['layer', carry]),
        last: 'layer',
      };
    }
    case 'bidirectional': {
      const { wrapped, mergeMode = 'concat' } = config;
      const cell = cellOf(wrapped);
      const { units } = wrapped;
      const part = (direction: string): Weights =>
        Object.fromEntries(
          Object.entries(weights).flatMap(([name, tensor]) => {
            if (!name.startsWith(direction)) return [];
            const own = name.slice(direction.length);
            return [[own[0].toLowerCase() + own.slice(1), tensor]];
          }),
        );
      const directions = ['forward', 'backward'] as const;
      return {
        network: {
          features,
          layers: [
            ...directions.map((name) => ({
              name,
              cell,
              units,
              reads: 'inputs',
              reversed: name === 'backward',
            })),
            { name: 'merged', merge: mergeMode, of: directions },
          ],
        },
        weights: Object.fromEntries(directions.map((name) => [name, withBiases(cell, part(name), units)])),
        carries: directions.flatMap((name) => cell.carries.map((carry) => [name, carry] as const)),
        last: 'merged',
      };
    }
  }
}

/** y = f(x · kernel + bias), a cell that carries nothing on. */
function denseCell(f: string): Cell {
  return defineCell({
    name: 'dense',
    carries: ['h'],
    weights: { kernel: 'F, U', bias: 'U' },
    equations: `
      z_t = x_t · kernel + bias
      h_t = ${f}(z_t)
    `,
  });
}

function cellOf(config: RecurrentConfig): Cell {
  const activation = activationSymbols[config.activation ?? 'tanh'];
  if (config.layer === 'simpleRNN') return simpleRnn({ activation });
  const options = {
    activation,
    recurrentActivation: activationSymbols[config.recurrentActivation ?? 'sigmoid'],
  };
  if (config.layer === 'lstm') return lstm(options);
  return config.resetAfter === false ? gru(options) : gruResetAfter(options);
}

/** The two rows of a GRU's bias as two weights; zeros where there is no bias: adding zero rounds nothing. */
function withBiases(cell: Cell, weights: Weights, units: number): Record<string, Tensor> {
  const columns = cell.weights['bias'].columns.length * units;
  const { bias } = weights as { readonly bias?: Tensor };
  const row = (i: number): Tensor => ({
    data:
      bias === undefined || i * columns >= bias.data.length
        ? new Float64Array(columns)
        : bias.data.slice(i * columns, (i + 1) * columns),
    shape: [columns],
  });
  return {
    ...weights,
    bias: row(0),
    ...('recurrentBias' in cell.weights && { recurrentBias: row(1) }),
  };
}
