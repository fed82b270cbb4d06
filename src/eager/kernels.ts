import type * as Tf from '@tensorflow/tfjs';

/** The operations of a training step. Shapes must fit: nothing is checked or converted. */
export interface Kernels {
  /** [M, K] · [K, N] */ readonly matMul: (a: Tf.Tensor, b: Tf.Tensor) => Tf.Tensor;
  readonly add: (a: Tf.Tensor, b: Tf.Tensor) => Tf.Tensor;
  readonly subtract: (a: Tf.Tensor, b: Tf.Tensor) => Tf.Tensor;
  /** elementwise */ readonly multiply: (a: Tf.Tensor, b: Tf.Tensor) => Tf.Tensor;
  readonly square: (x: Tf.Tensor) => Tf.Tensor;
  readonly tanh: (x: Tf.Tensor) => Tf.Tensor;
  /** [M, N] to [N, M] */ readonly transpose: (x: Tf.Tensor) => Tf.Tensor;
  /** below each other: along axis 0 */ readonly concat: (parts: readonly Tf.Tensor[]) => Tf.Tensor;
}

/**
 * tfjs's kernels called directly: `tf.add` and the like convert their arguments, check shapes and open a scope of their
 * own first, which takes a fifth of a small network's training step.
 */
export function kernelsOf(tf: typeof Tf): Kernels {
  const engine = tf.engine();
  const plain = { transposeA: false, transposeB: false };
  return {
    matMul: (a, b) => engine.runKernel(tf.BatchMatMul, { a, b }, plain),
    add: (a, b) => engine.runKernel(tf.Add, { a, b }),
    subtract: (a, b) => engine.runKernel(tf.Sub, { a, b }),
    multiply: (a, b) => engine.runKernel(tf.Multiply, { a, b }),
    square: (x) => engine.runKernel(tf.Square, { x }),
    tanh: (x) => engine.runKernel(tf.Tanh, { x }),
    transpose: (x) => engine.runKernel(tf.Transpose, { x }, { perm: [1, 0] }),
    // TensorFlow's own takes two tensors at least
    concat: (parts) =>
      parts.length === 1
        ? tf.clone(parts[0])
        : engine.runKernel(tf.Concat, parts as unknown as Tf.NamedTensorMap, { axis: 0 }),
  };
}
