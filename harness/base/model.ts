import type { BidirectionalConfig, LayerConfig, NetworkConfig, RecurrentConfig } from '../../scratch/index';

/** A recurrent cell as its formulas: what a user writes (`defineCell` of harness/equations reads it). */
export interface CellText {
  readonly name: string;
  /** what a step hands on to the next, each [B, U]; the first is the layer's output */ readonly carries: readonly string[];
  /**
   * the axes of every weight: `'F, U'` is a matrix with F rows and U columns, `'U, i f c o'` one with U rows and four blocks of U
   * columns, `'i f c o'` a vector that is used element by element
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

export type LayerName = LayerConfig['layer'];
const everyLayer: Readonly<Record<LayerName, true>> = {
  simpleRNN: true,
  lstm: true,
  gru: true,
  bidirectional: true,
  dense: true,
  timeDistributed: true,
  embedding: true,
};

/** The layers that networks are made of, in the order in which messages list them. */
export const layerNames = Object.keys(everyLayer) as readonly LayerName[];

/** Whether a layer of any kind of model is one that networks are made of. */
export function isLayerConfig(config: { readonly layer: string }): config is LayerConfig {
  return Object.hasOwn(everyLayer, config.layer);
}

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
  /**
   * the sizes that lie side by side along the axis, by name: `example`, `timeStep`, `feature`, `integer`, and `layer2` for the units of
   * layer 2, four times for the columns of an LSTM; absent where the axis has a size of its own (the two biases of a GRU)
   */
  readonly ranges?: readonly string[];
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
  readonly output: LayerOutput;
}

interface LayerOutput {
  readonly width: number;
  readonly hasTime: boolean;
  /** as `Axis.ranges` */ readonly ranges: readonly string[];
}

/** The layers of a model, each with its weights and states; what it reads is the output of the layer before. */
export function partsOfLayers(model: Model): LayerParts[] {
  let input: Input = { axis: 'feature', width: model.features ?? 1, hasTime: true, ranges: ['feature'] };
  return model.layers.map((layer, i) => {
    const name = `layer${i + 1}`;
    const made = partsOfLayer(layer, input, name);
    input = { axis: 'fromUnit', ...made.output };
    return { name, words: `layer ${i + 1} ${wordOf(layer)}`, ...made };
  });
}

/** The gates of the cells in the order of Keras; undefined where there is one block. */
export const gates = { simpleRNN: undefined, lstm: ['i', 'f', 'c', 'o'], gru: ['z', 'r', 'h'] } as const;

/** What a layer reads. */
interface Input extends LayerOutput {
  readonly axis: 'feature' | 'fromUnit';
}

type Parts = Omit<LayerParts, 'name' | 'words'>;

/** `lstm`, `bidirectional gru`, or the name of a user's own cell */
export function wordOf(layer: ModelLayer): string {
  if (layer.layer === 'cell') return layer.cell.name;
  return 'wrapped' in layer ? `${layer.layer} ${layer.wrapped.layer}` : layer.layer;
}

/** U of a layer, of each direction. */
export function unitsOf(layer: ModelLayer): number {
  if ('wrapped' in layer) return layer.wrapped.units;
  return layer.layer === 'embedding' ? layer.outputDim : layer.units;
}

/** The layer with another number of units. */
export function withUnits(layer: ModelLayer, units: number): ModelLayer {
  if (layer.layer === 'embedding') return { ...layer, outputDim: units };
  if (layer.layer === 'bidirectional') return { ...layer, wrapped: { ...layer.wrapped, units } };
  if (layer.layer === 'timeDistributed') return { ...layer, wrapped: { ...layer.wrapped, units } };
  return { ...layer, units };
}

function partsOfLayer(layer: ModelLayer, input: Input, own: string): Parts {
  switch (layer.layer) {
    case 'simpleRNN':
    case 'lstm':
    case 'gru':
      return recurrentParts(layer, input, own);
    case 'bidirectional':
      return bidirectionalParts(layer, input, own);
    case 'timeDistributed':
      return partsOfLayer(layer.wrapped, input, own);
    case 'dense': {
      const unit: Axis = { counts: 'unit', size: layer.units, ranges: [own] };
      return {
        weights: {
          kernel: [rowsFor(input), unit],
          ...((layer.useBias ?? true) && { bias: [unit] }),
        },
        states: {},
        outputs: [],
        output: { width: layer.units, hasTime: input.hasTime, ranges: [own] },
      };
    }
    case 'embedding': {
      const { inputDim, outputDim } = layer;
      return {
        weights: {
          embeddings: [
            { counts: 'integer', size: inputDim, ranges: ['integer'] },
            { counts: 'unit', size: outputDim, ranges: [own] },
          ],
        },
        states: {},
        outputs: [],
        output: { width: outputDim, hasTime: true, ranges: [own] },
      };
    }
    case 'cell':
      return ownParts(layer, input, own);
  }
}

/** The rows of a weight that multiplies what the layer reads. */
function rowsFor({ axis, width, ranges }: Input): Axis {
  return { counts: axis, size: width, ranges };
}

function recurrentParts(layer: RecurrentConfig, input: Input, own: string): Parts {
  const { units, useBias = true, returnSequences = false } = layer;
  const blocks = gates[layer.layer];
  const column: Axis = {
    counts: 'unit',
    size: units * (blocks?.length ?? 1),
    ...(blocks && { gates: blocks }),
    ranges: (blocks ?? ['']).map(() => own),
  };
  const isDouble = layer.layer === 'gru' && (layer.resetAfter ?? true) && (layer.biases ?? 2) === 2;
  return {
    weights: {
      kernel: [rowsFor(input), column],
      recurrentKernel: [{ counts: 'fromUnit', size: units, ranges: [own] }, column],
      ...(useBias && { bias: isDouble ? [{ counts: 'bias', size: 2 }, column] : [column] }),
    },
    states: layer.layer === 'lstm' ? { h: units, c: units } : { h: units },
    outputs: ['h'],
    output: { width: units, hasTime: returnSequences, ranges: [own] },
  };
}

function bidirectionalParts(
  { wrapped, mergeMode = 'concat' }: BidirectionalConfig,
  input: Input,
  own: string,
): Parts {
  const { weights, states, output } = recurrentParts(wrapped, input, own);
  const isBeside = mergeMode === 'concat';
  return {
    weights: inBothDirections(weights),
    states: inBothDirections(states),
    outputs: directions.map((direction) => nameIn(direction, 'h')),
    output: {
      ...output,
      width: output.width * (isBeside ? 2 : 1),
      ranges: isBeside ? [own, own] : [own],
    },
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

function ownParts({ cell, units, returnSequences = false }: OwnCellConfig, input: Input, own: string): Parts {
  const axisOf = (text: string, isRow: boolean): Axis => {
    const blocks = text.trim().split(/\s+/);
    if (blocks.length === 1 && blocks[0] === 'F') return rowsFor(input);
    const size = blocks.reduce((sum, block) => sum + (block === 'F' ? input.width : units), 0);
    const isGated = blocks.length > 1 && !blocks.includes('F');
    const ranges = blocks.flatMap((block) => (block === 'F' ? input.ranges : [own]));
    return { counts: isRow ? 'fromUnit' : 'unit', size, ...(isGated && { gates: blocks }), ranges };
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
    output: { width: units, hasTime: returnSequences, ranges: [own] },
  };
}

/** The description as scratch and the TensorFlow.js networks build it; undefined where a layer is a user's own cell. */
export function networkConfigOf({ layers, ...model }: Model): NetworkConfig | undefined {
  const known = layers.filter((layer) => layer.layer !== 'cell');
  return known.length === layers.length ? { ...model, layers: known } : undefined;
}
