import type { ActivationName, RecurrentConfig, Tensor } from '../../scratch/index';
import { directions, nameIn } from '../base/model';
import { concatenated, taken, transposed } from '../base/tensor-moves';
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
export function gatesToKeras(tensor: StoredTensor, order: Order): StoredTensor {
  const [rows, columns = 1] = tensor.shape;
  const blocks = { ...tensor, shape: [order.length, rows / order.length, columns] };
  const inverse = order.map((_, block) => order.indexOf(block));
  const moved = transposed(taken(blocks, 0, inverse), [2, 0, 1]);
  return { ...moved, shape: tensor.shape.length === 1 ? [rows] : [columns, rows] };
}

/** Keras's [N, gates·U] -> theirs [gates·U, N], or [gates·U] -> [gates·U]. */
export function gatesFromKeras(tensor: Tensor, order: Order): Tensor {
  const columns = tensor.shape[tensor.shape.length - 1];
  const rows = tensor.data.length / columns;
  const blocks = { ...tensor, shape: [rows, order.length, columns / order.length] };
  const moved = transposed(taken(blocks, 1, order), [1, 2, 0]);
  return { ...moved, shape: tensor.shape.length === 1 ? [columns] : [columns, rows] };
}

/** The input and the recurrent bias of other programs [gates·U] as one: their sum, or both rows [2, gates·U] of a GRU that resets after. */
export function biasOfTwo(input: StoredTensor, recurrent: StoredTensor, isTwo: boolean): StoredTensor {
  if (!isTwo) return { ...input, data: input.data.map((b, i) => b + recurrent.data[i]) };
  return concatenated(
    [input, recurrent].map((one) => ({ ...one, shape: [1, one.data.length] })),
    0,
  );
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
