import {
  sizeOf,
  type LayerConfig,
  type NetworkPlan,
  type StackWeights,
  type Tensor,
} from '../../scratch/index';
import type { GraphTensor, Ops } from './builder/index';
import { cellOf, type Tensors } from './cells/index';

// All weights in one vector [P], layer after layer. One vector is one feed, one fetch and one update, however many weights
// there are; and a step that returns the next vector instead of writing into variables leaves the old weights untouched until
// the caller has seen that the loss is finite. The gates lie in the order of the cells: weights are put into that order when
// they come from outside and back when they are read, so that no step does it.

interface Entry {
  readonly layer: number;
  readonly name: string;
  readonly shape: readonly number[];
  readonly from: number;
  readonly size: number;
  /** for each block of columns, Keras's block that lies there; undefined: the same order */
  readonly order: readonly number[] | undefined;
}

/** Where each weight of a network lies in the vector. */
export class PackedWeights {
  /** P */ readonly size: number;
  private readonly entries: readonly Entry[];
  private readonly layers: number;

  constructor({ config, layers }: Pick<NetworkPlan, 'config' | 'layers'>) {
    let from = 0;
    this.layers = layers.length;
    this.entries = layers.flatMap(({ shapes }, layer) => {
      const order = orderOf(config.layers[layer]);
      return Object.entries(shapes).map(([name, shape]) => {
        const entry = { layer, name, shape, from, size: sizeOf(shape), order };
        from += entry.size;
        return entry;
      });
    });
    this.size = from;
  }

  /** Rows and columns of every weight, one after the other; a vector is one row: what `unpackInGraph` may be fed. */
  get sizes(): number[] {
    return this.entries.flatMap(({ shape }) => (shape.length === 1 ? [1, ...shape] : shape));
  }

  /**
   * The vector's parts in their shapes, by layer.
   *
   * @param sizes of the weights, where the graph serves networks of any sizes
   */
  unpackInGraph(g: Ops, packed: GraphTensor, sizes?: GraphTensor<'int32'>): Tensors[] {
    const count = this.entries.length;
    const shapes = sizes && g.split(sizes, count, 0);
    const lengths = shapes
      ? g.concat(
          shapes.map((shape) => g.mul(g.slice(shape, [0], [1]), g.slice(shape, [1], [1]))),
          0,
        )
      : g.int(this.entries.map(({ size }) => size));
    const parts = count === 1 ? [packed] : g.splitSizes(packed, lengths, count, 0);
    return this.byLayer(({ shape }, i) =>
      shape.length === 1 ? parts[i] : g.reshape(parts[i], shapes?.[i] ?? g.int(shape)),
    );
  }

  packInGraph(g: Ops, weights: readonly Tensors[]): GraphTensor {
    const parts = this.entries.map(({ layer, name, shape }) =>
      shape.length === 1 ? weights[layer][name] : g.reshape(weights[layer][name], g.int([-1])),
    );
    return g.concat(parts, 0);
  }

  packArrays(weights: StackWeights): Tensor {
    const data = new Float64Array(this.size);
    for (const { layer, name, from, size, shape, order } of this.entries) {
      moveBlocks(weights[layer][name].data, data.subarray(from, from + size), shape, order, false);
    }
    return { data, shape: [this.size] };
  }

  unpackArrays(packed: ArrayLike<number>): StackWeights {
    const all = Float64Array.from(packed);
    return this.byLayer(({ from, size, shape, order }) => {
      const data = new Float64Array(size);
      moveBlocks(all.subarray(from, from + size), data, shape, order, true);
      return { data, shape };
    });
  }

  private byLayer<T>(make: (entry: Entry, i: number) => T): Record<string, T>[] {
    const layers = Array.from({ length: this.layers }, (): Record<string, T> => ({}));
    this.entries.forEach((entry, i) => (layers[entry.layer][entry.name] = make(entry, i)));
    return layers;
  }
}

function orderOf(config: LayerConfig): readonly number[] | undefined {
  if (config.layer === 'bidirectional') return orderOf(config.wrapped);
  if (config.layer !== 'simpleRNN' && config.layer !== 'lstm' && config.layer !== 'gru') return undefined;
  const { gateOrder } = cellOf(config);
  return gateOrder.every((gate, i) => gate === i) ? undefined : gateOrder;
}

/** Copies rows; block k of the columns of one side is block order[k] of the other, Keras's. */
function moveBlocks(
  from: Float64Array,
  to: Float64Array,
  shape: readonly number[],
  order: readonly number[] | undefined,
  toKeras: boolean,
): void {
  if (order === undefined) {
    to.set(from);
    return;
  }
  const columns = shape[shape.length - 1];
  const width = columns / order.length;
  for (let row = 0; row < from.length; row += columns) {
    order.forEach((theirs, ours) => {
      const [source, target] = toKeras ? [ours, theirs] : [theirs, ours];
      to.set(from.subarray(row + source * width, row + (source + 1) * width), row + target * width);
    });
  }
}
