import type * as Tf from '@tensorflow/tfjs';

/** The operations of a training step. Shapes must fit: nothing is checked or converted. */
export interface Kernels {
  /** [M, K] · [K, N] */ readonly matMul: (a: Tf.Tensor, b: Tf.Tensor) => Tf.Tensor;
  readonly add: (a: Tf.Tensor, b: Tf.Tensor) => Tf.Tensor;
  readonly subtract: (a: Tf.Tensor, b: Tf.Tensor) => Tf.Tensor;
  /** elementwise */ readonly multiply: (a: Tf.Tensor, b: Tf.Tensor) => Tf.Tensor;
  readonly square: (x: Tf.Tensor) => Tf.Tensor;
  readonly tanh: (x: Tf.Tensor) => Tf.Tensor;
  readonly sigmoid: (x: Tf.Tensor) => Tf.Tensor;
  readonly relu: (x: Tf.Tensor) => Tf.Tensor;
  /** 1 where x > 0, else 0 */ readonly step: (x: Tf.Tensor) => Tf.Tensor;
  /** [M, N] to [N, M] */ readonly transpose: (x: Tf.Tensor) => Tf.Tensor;
  /** below each other: along axis 0 */ readonly concat: (parts: readonly Tf.Tensor[]) => Tf.Tensor;
  /** side by side: along axis 1 */ readonly sideBySide: (parts: readonly Tf.Tensor[]) => Tf.Tensor;
  /** the way back, into parts of these widths */ readonly split: (
    x: Tf.Tensor,
    widths: readonly number[],
  ) => Tf.Tensor[];
}

/**
 * tfjs's kernels called directly: `tf.add` and the like convert their arguments, check shapes and open a scope of their
 * own first, which takes a fifth of a small network's training step.
 */
export function kernelsOf(tf: typeof Tf): Kernels {
  const engine = tf.engine();
  const plain = { transposeA: false, transposeB: false };
  // TensorFlow's own takes two tensors at least
  const concat = (parts: readonly Tf.Tensor[], axis: number): Tf.Tensor =>
    parts.length === 1
      ? tf.clone(parts[0])
      : engine.runKernel(tf.Concat, parts as unknown as Tf.NamedTensorMap, { axis });
  return {
    matMul: (a, b) => engine.runKernel(tf.BatchMatMul, { a, b }, plain),
    add: (a, b) => engine.runKernel(tf.Add, { a, b }),
    subtract: (a, b) => engine.runKernel(tf.Sub, { a, b }),
    multiply: (a, b) => engine.runKernel(tf.Multiply, { a, b }),
    square: (x) => engine.runKernel(tf.Square, { x }),
    tanh: (x) => engine.runKernel(tf.Tanh, { x }),
    sigmoid: (x) => engine.runKernel(tf.Sigmoid, { x }),
    relu: (x) => engine.runKernel(tf.Relu, { x }),
    step: (x) => engine.runKernel(tf.Step, { x }, { alpha: 0 }),
    transpose: (x) => engine.runKernel(tf.Transpose, { x }, { perm: [1, 0] }),
    concat: (parts) => concat(parts, 0),
    sideBySide: (parts) => concat(parts, 1),
    split: (x, widths) =>
      engine.runKernel<Tf.Tensor[]>(tf.SplitV, { x }, { numOrSizeSplits: [...widths], axis: 1 }),
  };
}
