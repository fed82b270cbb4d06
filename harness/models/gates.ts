import type { ActivationName, RecurrentConfig, Tensor } from '../../scratch/index';
import { directions, nameIn } from '../base/model';
import type { StoredTensor } from './assemble';

/**
 * Gates of other programs, as numbers of Keras's blocks (LSTM i f c o, GRU z r h):
 * ONNX has i o f c and z r h; PyTorch i f g o and r z n.
 */
export const gateOrders = {
  onnx: { simpleRNN: [0], lstm: [0, 3, 1, 2], gru: [0, 1, 2] },
  pytorch: { simpleRNN: [0], lstm: [0, 1, 2, 3], gru: [1, 0, 2] },
} as const satisfies Record<string, Record<RecurrentConfig['layer'], readonly number[]>>;

type Order = readonly number[];

/** theirs [gates·U, N] -> Keras's [N, gates·U], or [gates·U] -> [gates·U]: block k of theirs is Keras's block order[k]. */
export function gatesToKeras({ data, shape, stored }: StoredTensor, order: Order): StoredTensor {
  const [rows, columns = 1] = shape;
  const units = rows / order.length;
  const out = new Float64Array(data.length);
  for (let row = 0; row < rows; row++) {
    const at = order[Math.floor(row / units)] * units + (row % units);
    for (let n = 0; n < columns; n++) out[n * rows + at] = data[row * columns + n];
  }
  return { data: out, shape: shape.length === 1 ? [rows] : [columns, rows], stored };
}

/** Keras's [N, gates·U] -> theirs [gates·U, N], or [gates·U] -> [gates·U]. */
export function gatesFromKeras({ data, shape }: Tensor, order: Order): Tensor {
  const columns = shape[shape.length - 1];
  const [rows] = shape.length === 1 ? [1] : shape;
  const units = columns / order.length;
  const out = new Float64Array(data.length);
  for (let column = 0; column < columns; column++) {
    const from = order[Math.floor(column / units)] * units + (column % units);
    for (let n = 0; n < rows; n++) out[column * rows + n] = data[n * columns + from];
  }
  return { data: out, shape: shape.length === 1 ? [columns] : [columns, rows] };
}

/** The input and the recurrent bias of other programs [gates·U] as one: their sum, or both rows [2, gates·U] of a GRU that resets after. */
export function biasOfTwo(input: StoredTensor, recurrent: StoredTensor, isTwo: boolean): StoredTensor {
  const size = input.data.length;
  const stored = input.stored ?? recurrent.stored;
  if (!isTwo) return { data: input.data.map((b, i) => b + recurrent.data[i]), shape: [size], stored };
  const data = new Float64Array(2 * size);
  data.set(input.data);
  data.set(recurrent.data, size);
  return { data, shape: [2, size], stored };
}

/** The weights of one direction, or of both under their names in a bidirectional layer. */
export function weightsOfDirections<T>(weights: readonly Readonly<Record<string, T>>[]): Record<string, T> {
  if (weights.length === 1) return { ...weights[0] };
  const named = weights.flatMap((one, d) =>
    Object.entries(one).map(([name, tensor]) => [nameIn(directions[d], name), tensor] as const),
  );
  return Object.fromEntries(named);
}

/** An activation in ONNX's words; alpha and beta where the function has them. */
export interface OnnxActivation {
  readonly name: string;
  readonly alpha?: number;
  readonly beta?: number;
}

/** x/6 as Keras 3 has it: the float32 number nearest to 1/6 */
const sixth = Math.fround(1 / 6);

export const onnxActivations: Readonly<Record<ActivationName, OnnxActivation>> = {
  tanh: { name: 'Tanh' },
  sigmoid: { name: 'Sigmoid' },
  relu: { name: 'Relu' },
  linear: { name: 'Affine', alpha: 1, beta: 0 },
  hardSigmoid: { name: 'HardSigmoid', alpha: Math.fround(0.2), beta: 0.5 },
  hardSigmoidKeras3: { name: 'HardSigmoid', alpha: sixth, beta: 0.5 },
};
