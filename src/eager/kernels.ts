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
  /** [M, N] to [N] */ readonly sumOfRows: (x: Tf.Tensor) => Tf.Tensor;
  /** below each other: along axis 0 */ readonly concat: (parts: readonly Tf.Tensor[]) => Tf.Tensor;
  /** side by side: along axis 1 */ readonly sideBySide: (parts: readonly Tf.Tensor[]) => Tf.Tensor;
  /** the way back, into parts of these widths */ readonly split: (
    x: Tf.Tensor,
    widths: readonly number[],
  ) => Tf.Tensor[];
  /** any other operations */ readonly other: (compute: () => Tf.Tensor) => Tf.Tensor;
}

const known = new WeakMap<typeof Tf, Kernels>();

/**
 * tfjs's kernels called directly: `tf.add` and the like convert their arguments, check shapes and open a scope of their
 * own first, which takes a fifth of a small network's training step.
 */
export function kernelsOf(tf: typeof Tf): Kernels {
  const kernels = known.get(tf) ?? makeKernels(tf);
  known.set(tf, kernels);
  return kernels;
}

function makeKernels(tf: typeof Tf): Kernels {
  const engine = tf.engine();
  const plain = { transposeA: false, transposeB: false };
  // TensorFlow's own takes two tensors at least
  const concat = (parts: readonly Tf.Tensor[], axis: number): Tf.Tensor =>
    parts.length === 1
      ? parts[0]
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
    sumOfRows: (x) => engine.runKernel(tf.Sum, { x }, { axis: [0], keepDims: false }),
    concat: (parts) => concat(parts, 0),
    sideBySide: (parts) => concat(parts, 1),
    split: (x, widths) =>
      engine.runKernel<Tf.Tensor[]>(tf.SplitV, { x }, { numOrSizeSplits: [...widths], axis: 1 }),
    other: (compute) => tf.tidy(compute),
  };
}

/** Kernels that remember what they made during a step, to release it at the step's end. */
export interface SteppedKernels {
  readonly kernels: Kernels;
  /**
   * A `tf.tidy` without the search for tensors in what is returned, which takes a tenth of a small network's training step.
   *
   * @param needed the tensors of the result that are needed afterwards
   */
  readonly runStep: <T>(step: () => T, needed: (result: T) => readonly (Tf.Tensor | undefined)[]) => T;
}

export function steppedKernels(tf: typeof Tf): SteppedKernels {
  const made: Tf.Tensor[] = [];
  const remember = <T extends Tf.Tensor>(tensor: T): T => {
    made.push(tensor);
    return tensor;
  };
  const { concat, sideBySide, split, other, ...plain } = kernelsOf(tf);
  const remembering = Object.entries(plain).map(([name, kernel]) => [
    name,
    (a: Tf.Tensor, b: Tf.Tensor) => remember(kernel(a, b)),
  ]);
  return {
    kernels: {
      ...(Object.fromEntries(remembering) as unknown as typeof plain),
      // a single part is the result
      concat: (parts) => (parts.length === 1 ? parts[0] : remember(concat(parts))),
      sideBySide: (parts) => (parts.length === 1 ? parts[0] : remember(sideBySide(parts))),
      split: (x, widths) => split(x, widths).map(remember),
      other: (compute) => remember(other(compute)),
    },
    runStep: (step, needed) => {
      made.length = 0;
      const result = step();
      const alive = needed(result);
      for (const tensor of made) if (!alive.includes(tensor)) tensor.dispose();
      return result;
    },
  };
}
