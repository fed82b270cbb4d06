import type * as Tf from '@tensorflow/tfjs';

// Backpropagation through time (Werbos 1990) in tfjs operations. Two things are slow in tfjs's wasm backend, and are
// avoided here. A matMul that transposes an operand leaves XNNPACK for a scalar loop: so operands are transposed first,
// the recurrent kernel once for all steps. A slice, also that of unstack, copies the whole tensor it is cut from: so each
// time step is a tensor from the start. Small networks are bound by the 3 to 15 microseconds that every operation costs
// on any backend: so the steps use few and plain ones.

/** A SimpleRNN's weights as tensors. */
export interface RecurrentWeights {
  /** [F, U] */ readonly kernel: Tf.Tensor;
  /** [U, U] */ readonly recurrentKernel: Tf.Tensor;
  /** [U] */ readonly bias: Tf.Tensor;
}

/** The mask of one time step. */
export interface StepMask {
  /** [B, 1]: 1 where the step counts */ readonly counts: Tf.Tensor;
  /** [B, 1]: 1 where it does not */ readonly skips: Tf.Tensor;
}

/**
 * A SimpleRNN's inputs, one tensor per time step. A column of ones carries the bias: [x_t, 1] · [kernel; bias].
 */
export interface Steps {
  /** T tensors [B, F + 1], the last column ones */ readonly inputs: readonly Tf.Tensor[];
  /** T masks; undefined at a step that counts for all examples */ readonly mask: readonly (
    StepMask | undefined
  )[];
  /** [B, U] */ readonly initialState: Tf.Tensor;
}

/** [kernel; bias]. @returns [F + 1, U] */
function stackBias(tf: typeof Tf, { kernel, bias }: RecurrentWeights): Tf.Tensor {
  return tf.concat([kernel, tf.reshape(bias, [1, -1])], 0);
}

/**
 *     z_t = [x_t, 1] · [kernel; bias] + h_{t-1} · recurrentKernel
 *     h_t = tanh(z_t);             masked: h_t = h_{t-1}
 *
 * @returns h_0 .. h_T, each [B, U]
 */
export function forward(
  tf: typeof Tf,
  { inputs, mask, initialState }: Steps,
  weights: RecurrentWeights,
): Tf.Tensor[] {
  const kernelAndBias = stackBias(tf, weights);
  const states = [initialState];
  inputs.forEach((x, t) => {
    const before = states[t];
    const fromInputs = tf.matMul(x, kernelAndBias);
    const fromState = tf.matMul(before, weights.recurrentKernel);
    const preActivation = tf.add(fromInputs, fromState);
    let state: Tf.Tensor = tf.tanh(preActivation);
    tf.dispose([fromInputs, fromState, preActivation]);
    const masked = mask[t];
    if (masked !== undefined) state = tf.add(tf.mul(state, masked.counts), tf.mul(before, masked.skips));
    states.push(state);
  });
  return states;
}

/**
 * From the last step to the first:
 *
 *     dh_t     = above_t + dz_{t+1} · recurrentKernelᵀ
 *     dz_t     = dh_t ∘ (1 - h_t²)
 *     masked:    dz_t = 0,  dh_{t-1} gets dh_t unchanged
 *
 * @param states h_0 .. h_T
 * @param above what arrives at h_1 .. h_T from outside the layer; nothing where undefined, but something at h_T
 * @param toTheStart whether dh_0 is wanted
 * @returns dz_1 .. dz_T and dh_0, each [B, U]
 */
export function backward(
  tf: typeof Tf,
  states: readonly Tf.Tensor[],
  above: readonly (Tf.Tensor | undefined)[],
  mask: Steps['mask'],
  recurrentKernel: Tf.Tensor,
  toTheStart: boolean,
): { readonly dPreActivation: readonly Tf.Tensor[]; readonly dInitialState: Tf.Tensor | undefined } {
  const transposed = tf.transpose(recurrentKernel);
  const one = tf.scalar(1);
  const dPreActivation: Tf.Tensor[] = [];
  let fromAfter: Tf.Tensor | undefined;

  for (let t = states.length - 1; t >= 1; t--) {
    const fromAbove = above[t - 1];
    const dState =
      fromAbove && fromAfter ? tf.add(fromAbove, fromAfter) : ((fromAbove ?? fromAfter) as Tf.Tensor);
    const square = tf.square(states[t]);
    const slope = tf.sub(one, square);
    let dz: Tf.Tensor = tf.mul(dState, slope);
    const masked = mask[t - 1];
    if (masked !== undefined) dz = tf.mul(dz, masked.counts);
    dPreActivation[t - 1] = dz;
    tf.dispose([square, slope]);
    fromAfter = undefined;
    if (t > 1 || toTheStart) {
      fromAfter = tf.matMul(dz, transposed);
      if (masked !== undefined) fromAfter = tf.add(fromAfter, tf.mul(dState, masked.skips));
    }
  }
  return { dPreActivation, dInitialState: fromAfter };
}

/**
 *     [dKernel; dBias] = Σ_t [x_t, 1]ᵀ · dz_t
 *     dRecurrentKernel = Σ_t h_{t-1}ᵀ  · dz_t
 *
 * The steps stand below each other, [T·B, ..], so that each sum over time is part of one product.
 */
export function weightGradients(
  tf: typeof Tf,
  inputs: readonly Tf.Tensor[],
  states: readonly Tf.Tensor[],
  dPreActivation: readonly Tf.Tensor[],
): Tf.Tensor[] {
  const dz = tf.concat([...dPreActivation], 0);
  const x = tf.concat([...inputs], 0);
  const h = tf.concat(states.slice(0, -1), 0);
  const dKernelAndBias: Tf.Tensor2D = tf.matMul(tf.transpose(x), dz);
  const dRecurrentKernel = tf.matMul(tf.transpose(h), dz);
  const [rows, units] = dKernelAndBias.shape;
  const dKernel = tf.slice(dKernelAndBias, [0, 0], [rows - 1, units]);
  const dBias = tf.reshape(tf.slice(dKernelAndBias, [rows - 1, 0], [1, units]), [units]);
  return [dKernel, dRecurrentKernel, dBias];
}

/** [dx_t, (of the ones)] = dz_t · [kernel; bias]ᵀ */
export function inputGradients(
  tf: typeof Tf,
  dPreActivation: readonly Tf.Tensor[],
  weights: RecurrentWeights,
): Tf.Tensor[] {
  const transposed = tf.transpose(stackBias(tf, weights));
  return dPreActivation.map((dz) => tf.matMul(dz, transposed));
}
