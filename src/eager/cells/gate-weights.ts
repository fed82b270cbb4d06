import type * as Tf from '@tensorflow/tfjs';
import type { Kernels } from '../kernels';

/** A product with the blocks of several gates: one tensor of all blocks side by side, or one tensor a gate. */
export type Blocks = readonly Tf.Tensor[];

/** A matrix whose blocks of columns are gates, in tensors that its products are made from. */
export interface GateWeights {
  /** v · matrix */ readonly product: (v: Tf.Tensor) => Blocks;
}

/**
 * How products with the gates are computed. One product for all gates, cut into blocks afterwards, is best where a call
 * costs more than its numbers. In wasm it is the other way round: cutting [32, 512] into four costs 65 microseconds,
 * as the whole is copied for every piece, while four products take no longer than one. There the matrix is cut once per
 * batch, and every gate has products of its own.
 */
export interface GateProducts {
  /** @param matrix [N, G·U] */ weights(matrix: Tf.Tensor, gates: number): GateWeights;
  /** The sum of two products, block by block. */
  add(one: Blocks, other: Blocks): Blocks;
  /** One tensor [B, U] a gate. */
  gates(blocks: Blocks, gates: number): readonly Tf.Tensor[];
}

/** @param apart whether every gate has products of its own */
export function gateProducts({ add, matMul, split }: Kernels, apart: boolean): GateProducts {
  const cut = (x: Tf.Tensor, gates: number): Tf.Tensor[] =>
    split(x, new Array<number>(gates).fill(x.shape[1]! / gates));
  return {
    weights: (matrix, gates) => {
      const parts = apart && gates > 1 ? cut(matrix, gates) : [matrix];
      return { product: (v) => parts.map((part) => matMul(v, part)) };
    },
    add: (one, other) => one.map((block, i) => add(block, other[i])),
    gates: (blocks, gates) => (blocks.length === gates ? blocks : cut(blocks[0], gates)),
  };
}
