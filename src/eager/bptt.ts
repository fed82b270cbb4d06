import type * as Tf from '@tensorflow/tfjs';
import { kernelsOf } from './kernels';

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
  /** [F + 1, T·B]: all of them side by side, transposed */ readonly transposedInputs: Tf.Tensor;
  /** [B, U] */ readonly initialState: Tf.Tensor;
  /** whether initialState is zero, so that the first step can do without its product */
  readonly fromZero: boolean;
}

/** [kernel; bias]. @returns [F + 1, U] */
function stackBias(tf: typeof Tf, { kernel, bias }: RecurrentWeights): Tf.Tensor {
  return kernelsOf(tf).concat([kernel, tf.reshape(bias, [1, -1])]);
}

/**
 *     z_t = [x_t, 1] · [kernel; bias] + h_{t-1} · recurrentKernel
 *     h_t = tanh(z_t);             masked: h_t = h_{t-1}
 *
 * @returns h_0 .. h_T, each [B, U]
 */
export function forward(
  tf: typeof Tf,
  { inputs, mask, initialState, fromZero }: Steps,
  weights: RecurrentWeights,
): Tf.Tensor[] {
  const { add, matMul, multiply, tanh } = kernelsOf(tf);
  const kernelAndBias = stackBias(tf, weights);
  const states = [initialState];
  inputs.forEach((x, t) => {
    const before = states[t];
    let preActivation: Tf.Tensor = matMul(x, kernelAndBias);
    if (t > 0 || !fromZero) {
      const fromInputs = preActivation;
      const fromState = matMul(before, weights.recurrentKernel);
      preActivation = add(fromInputs, fromState);
      fromInputs.dispose();
      fromState.dispose();
    }
    let state: Tf.Tensor = tanh(preActivation);
    preActivation.dispose();
    const masked = mask[t];
    if (masked !== undefined) state = add(multiply(state, masked.counts), multiply(before, masked.skips));
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
  const { add, matMul, multiply, square, subtract, transpose } = kernelsOf(tf);
  const transposed = transpose(recurrentKernel);
  const one = tf.scalar(1);
  const dPreActivation: Tf.Tensor[] = [];
  let fromAfter: Tf.Tensor | undefined;

  for (let t = states.length - 1; t >= 1; t--) {
    const fromAbove = above[t - 1];
    const dState =
      fromAbove && fromAfter ? add(fromAbove, fromAfter) : ((fromAbove ?? fromAfter) as Tf.Tensor);
    const squared = square(states[t]);
    const slope = subtract(one, squared);
    let dz: Tf.Tensor = multiply(dState, slope);
    const masked = mask[t - 1];
    if (masked !== undefined) dz = multiply(dz, masked.counts);
    dPreActivation[t - 1] = dz;
    squared.dispose();
    slope.dispose();
    fromAfter = undefined;
    if (t > 1 || toTheStart) {
      fromAfter = matMul(dz, transposed);
      if (masked !== undefined) fromAfter = add(fromAfter, multiply(dState, masked.skips));
    }
  }
  return { dPreActivation, dInitialState: fromAfter };
}

/**
 *     [dKernel; dBias] = Σ_t [x_t, 1]ᵀ · dz_t
 *     dRecurrentKernel = Σ_t h_{t-1}ᵀ  · dz_t
 *
 * The steps stand below each other, [T·B, ..], so that each sum over time is part of one product.
 *
 * @param transposedInputs [F + 1, T·B]
 * @param states h_0 .. h_T
 */
export function weightGradients(
  tf: typeof Tf,
  transposedInputs: Tf.Tensor,
  states: readonly Tf.Tensor[],
  dPreActivation: readonly Tf.Tensor[],
): Tf.Tensor[] {
  const { concat, matMul, transpose } = kernelsOf(tf);
  const dz = concat(dPreActivation);
  const h = concat(states.slice(0, -1));
  const dKernelAndBias = matMul(transposedInputs, dz);
  const dRecurrentKernel = matMul(transpose(h), dz);
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
  const { matMul, transpose } = kernelsOf(tf);
  const transposed = transpose(stackBias(tf, weights));
  return dPreActivation.map((dz) => matMul(dz, transposed));
}
