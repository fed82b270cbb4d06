import type { BidirectionalConfig, LayerConfig, NetworkConfig, RecurrentConfig } from '../../scratch/index';

/** A recurrent cell as its formulas: what a user writes (`defineCell` of harness/equations reads it). */
export interface CellText {
  readonly name: string;
  /** what a step hands on to the next, each [B, U]; the first is the layer's output */ readonly carries: readonly string[];
  /**
   * the axes of every weight: `'F, U'` is a matrix with F rows and U columns, `'U, i f g o'` one with U rows and four blocks of U
   * columns, `'i f g o'` a vector that is used element by element
   */
  readonly weights: Readonly<Record<string, string>>;
  /** one formula a line, in the order of the computation */ readonly equations: string;
}

/** A recurrent layer of a user's own cell. */
export interface OwnCellConfig {
  readonly layer: 'cell';
  readonly cell: CellText;
  /** U */ readonly units: number;
  /** default false: the output is h_T [B, U]; true: h_1 .. h_T [B, T, U] */ readonly returnSequences?: boolean;
}

export type ModelLayer = LayerConfig | OwnCellConfig;

/** Layers and a loss as plain data: a NetworkConfig, in which a layer may also be a user's own cell. */
export interface Model extends Omit<NetworkConfig, 'layers'> {
  readonly layers: readonly ModelLayer[];
}

/** What an axis of a tensor counts, in words of the reports; fromUnit is a row of a matrix that is multiplied by units. */
export type AxisName =
  | 'example'
  | 'timeStep'
  | 'feature'
  | 'unit'
  | 'fromUnit'
  | 'class'
  /** of a network of layers: a column of its outputs */
  | 'output'
  /** what an embedding reads */
  | 'integer'
  /** which of the two biases of a GRU */
  | 'bias';

/** One axis of a tensor. */
export interface Axis {
  readonly counts: AxisName;
  readonly size: number;
  /** gates whose blocks of equal size lie side by side along the axis, in their order */ readonly gates?: readonly string[];
}

/** What a layer of a model is made of. */
export interface LayerParts {
  /** `layer1`, as in dotted names */ readonly name: string;
  /** `layer 1 lstm`, as in texts */ readonly words: string;
  /** axes of every weight, in the order of Keras */ readonly weights: Readonly<
    Record<string, readonly Axis[]>
  >;
  /** how many units each carried state has: h, or h and c; of a bidirectional layer forwardH, forwardC, backwardH, backwardC */
  readonly states: Readonly<Record<string, number>>;
  /** the states of which there is a sequence [B, T, U]: what its walks through time give out */ readonly outputs: readonly string[];
  readonly output: { readonly width: number; readonly hasTime: boolean };
}

/** The layers of a model, each with its weights and states; what it reads is the output of the layer before. */
export function partsOfLayers(model: Model): LayerParts[] {
  let input: Input = { axis: 'feature', width: model.features ?? 1, hasTime: true };
  return model.layers.map((layer, i) => {
    const made = partsOfLayer(layer, input);
    input = { axis: 'fromUnit', ...made.output };
    return { name: `layer${i + 1}`, words: `layer ${i + 1} ${wordOf(layer)}`, ...made };
  });
}

/** The gates of the cells in the order of Keras. */
const gates = { simpleRNN: undefined, lstm: ['i', 'f', 'c', 'o'], gru: ['z', 'r', 'h'] } as const;

interface Input {
  readonly axis: 'feature' | 'fromUnit';
  readonly width: number;
  readonly hasTime: boolean;
}

function wordOf(layer: ModelLayer): string {
  if (layer.layer === 'cell') return layer.cell.name;
  return 'wrapped' in layer ? `${layer.layer} ${layer.wrapped.layer}` : layer.layer;
}

function partsOfLayer(layer: ModelLayer, input: Input): Omit<LayerParts, 'name' | 'words'> {
  switch (layer.layer) {
    case 'simpleRNN':
    case 'lstm':
    case 'gru':
      return recurrentParts(layer, input);
    case 'bidirectional':
      return bidirectionalParts(layer, input);
    case 'timeDistributed':
      return partsOfLayer(layer.wrapped, input);
    case 'dense': {
      const unit: Axis = { counts: 'unit', size: layer.units };
      return {
        weights: {
          kernel: [{ counts: input.axis, size: input.width }, unit],
          ...((layer.useBias ?? true) && { bias: [unit] }),
        },
        states: {},
        outputs: [],
        output: { width: layer.units, hasTime: input.hasTime },
      };
    }
    case 'embedding': {
      const { inputDim, outputDim } = layer;
      return {
        weights: {
          embeddings: [
            { counts: 'integer', size: inputDim },
            { counts: 'unit', size: outputDim },
          ],
        },
        states: {},
        outputs: [],
        output: { width: outputDim, hasTime: true },
      };
    }
    case 'cell':
      return ownParts(layer, input);
  }
}

function recurrentParts(layer: RecurrentConfig, input: Input): Omit<LayerParts, 'name' | 'words'> {
  const { units, useBias = true, returnSequences = false } = layer;
  const blocks = gates[layer.layer];
  const column: Axis = {
    counts: 'unit',
    size: units * (blocks?.length ?? 1),
    ...(blocks && { gates: blocks }),
  };
  const isDouble = layer.layer === 'gru' && (layer.resetAfter ?? true) && (layer.biases ?? 2) === 2;
  return {
    weights: {
      kernel: [{ counts: input.axis, size: input.width }, column],
      recurrentKernel: [{ counts: 'fromUnit', size: units }, column],
      ...(useBias && { bias: isDouble ? [{ counts: 'bias', size: 2 }, column] : [column] }),
    },
    states: layer.layer === 'lstm' ? { h: units, c: units } : { h: units },
    outputs: ['h'],
    output: { width: units, hasTime: returnSequences },
  };
}

function bidirectionalParts(
  { wrapped, mergeMode = 'concat' }: BidirectionalConfig,
  input: Input,
): Omit<LayerParts, 'name' | 'words'> {
  const { weights, states, output } = recurrentParts(wrapped, input);
  return {
    weights: inBothDirections(weights),
    states: inBothDirections(states),
    outputs: directions.map((direction) => nameIn(direction, 'h')),
    output: { ...output, width: output.width * (mergeMode === 'concat' ? 2 : 1) },
  };
}

/** `kernel` as `forwardKernel` and `backwardKernel`. */
function inBothDirections<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(
    directions.flatMap((direction) =>
      Object.entries(record).map(([name, value]) => [nameIn(direction, name), value]),
    ),
  );
}

export const directions = ['forward', 'backward'] as const;

/** `forwardKernel`: how a bidirectional layer calls what its layer in that direction calls `kernel` */
export function nameIn(direction: (typeof directions)[number], name: string): string {
  return `${direction}${name[0].toUpperCase()}${name.slice(1)}`;
}

function ownParts(
  { cell, units, returnSequences = false }: OwnCellConfig,
  input: Input,
): Omit<LayerParts, 'name' | 'words'> {
  const axisOf = (text: string, isRow: boolean): Axis => {
    const blocks = text.trim().split(/\s+/);
    if (blocks.length === 1 && blocks[0] === 'F') return { counts: input.axis, size: input.width };
    const size = blocks.reduce((sum, block) => sum + (block === 'F' ? input.width : units), 0);
    const isGated = blocks.length > 1 && !blocks.includes('F');
    return { counts: isRow ? 'fromUnit' : 'unit', size, ...(isGated && { gates: blocks }) };
  };
  return {
    weights: Object.fromEntries(
      Object.entries(cell.weights).map(([name, text]) => {
        const axes = text.split(',');
        return [name, axes.map((one, i) => axisOf(one, i < axes.length - 1))];
      }),
    ),
    states: Object.fromEntries(cell.carries.map((carry) => [carry, units])),
    outputs: cell.carries.slice(0, 1),
    output: { width: units, hasTime: returnSequences },
  };
}

/** The description as scratch and the TensorFlow.js networks build it; undefined where a layer is a user's own cell. */
export function networkConfigOf({ layers, ...model }: Model): NetworkConfig | undefined {
  const known = layers.filter((layer) => layer.layer !== 'cell');
  return known.length === layers.length ? { ...model, layers: known } : undefined;
}
