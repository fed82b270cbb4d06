import type * as Tf from '@tensorflow/tfjs';
import { kernelsOf } from '../kernels';
import type { NamedTensors } from '../method';
import type { Signal } from './signal';

/** [kernel; bias], to be multiplied by rows that end with 1; zeros where there is no bias. A second row of biases is left out. */
export function kernelAndBias(tf: typeof Tf, weights: NamedTensors): Tf.Tensor {
  const { kernel } = weights;
  return kernelsOf(tf).concat([kernel, biasRow(tf, weights, 0) ?? tf.zeros([1, kernel.shape[1]!])]);
}

/** One row of biases as [1, N]; undefined where there is none. @param bias [N], or [2, N] */
export function biasRow(tf: typeof Tf, weights: NamedTensors, row: 0 | 1): Tf.Tensor | undefined {
  if (!('bias' in weights)) return undefined;
  const { bias } = weights;
  if (bias.shape.length === 1) return row === 0 ? tf.reshape(bias, [1, -1]) : undefined;
  return tf.slice(bias, [row, 0], [1, bias.shape[1]!]);
}

/**
 * The gradients of kernel and bias, one product for all steps:
 *
 *     [dKernel; dBias] = Σ_t [x_t, 1]ᵀ · dz_t
 *
 * @param dz of all steps of the signal, below each other
 */
export function affineGradients(
  tf: typeof Tf,
  signal: Signal,
  dz: Tf.Tensor,
): { readonly kernel: Tf.Tensor; readonly bias: Tf.Tensor } {
  const both = kernelsOf(tf).matMul(signal.rowsTransposed(), dz);
  const [rows, columns] = both.shape as [number, number];
  return {
    kernel: tf.slice(both, [0, 0], [rows - 1, columns]),
    bias: tf.slice(both, [rows - 1, 0], [1, columns]),
  };
}

/** dx_t = dz_t · kernelᵀ, for every step. */
export function affineInputGradients(
  tf: typeof Tf,
  { kernel }: NamedTensors,
  dz: readonly Tf.Tensor[],
): Tf.Tensor[] {
  const { matMul, transpose } = kernelsOf(tf);
  const transposed = transpose(kernel);
  return dz.map((rows) => matMul(rows, transposed));
}
