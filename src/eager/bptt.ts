import type * as Tf from '@tensorflow/tfjs';

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

/** A SimpleRNN's inputs, one tensor per time step. */
export interface Steps {
  /** T tensors [B, F] */ readonly inputs: readonly Tf.Tensor[];
  /** T masks; undefined at a step that counts for all examples */ readonly mask: readonly (
    StepMask | undefined
  )[];
  /** [B, U] */ readonly initialState: Tf.Tensor;
}

/**
 * SimpleRNN as one differentiable operation (tf.customGrad): the forward formula, and backpropagation through time
 * (Werbos 1990) as its gradient, in place of a tape of every small operation.
 *
 * Two things are slow in tfjs's wasm backend, and are avoided here. A matMul that transposes an operand leaves XNNPACK
 * for a scalar loop: so operands are transposed first, the recurrent kernel once for all steps. A slice, also that of
 * unstack, copies the whole tensor it is cut from: so each time step is a tensor from the start.
 *
 * @param wanted finalState: the last state, [B, U]; states: all of them, [B, T, U]
 * @param differentiateInputs whether gradients by `steps.inputs` and `steps.initialState` are wanted as well
 */
export function simpleRNN(
  tf: typeof Tf,
  steps: Steps,
  weights: RecurrentWeights,
  wanted: 'finalState' | 'states',
  differentiateInputs: boolean,
): Tf.Tensor {
  const { inputs, mask, initialState } = steps;
  const { kernel, recurrentKernel, bias } = weights;
  const operands = [kernel, recurrentKernel, bias];
  if (differentiateInputs) operands.push(initialState, ...inputs);

  return tf.customGrad((...args) => {
    const save = args[args.length - 1] as unknown as Tf.GradSaveFunc;
    const states = forward(tf, steps, weights);
    save(states);
    const last = states.length - 1;
    const value = wanted === 'states' ? tf.stack(states.slice(1), 1) : tf.clone(states[last]);

    const gradFunc = (dValue: Tf.Tensor, saved: Tf.Tensor[]): Tf.Tensor[] => {
      const above = wanted === 'states' ? tf.unstack(dValue, 1) : [];
      if (wanted === 'finalState') above[last - 1] = dValue;
      const { dPreActivation, dInitialState } = backward(tf, saved, above, mask, recurrentKernel);
      const dWeights = weightGradients(tf, inputs, saved, dPreActivation);
      return differentiateInputs
        ? [...dWeights, dInitialState, ...inputGradients(tf, dPreActivation, kernel)]
        : dWeights;
    };
    return { value, gradFunc };
  })(...operands);
}

/**
 *     z_t = x_t · kernel + bias + h_{t-1} · recurrentKernel
 *     h_t = tanh(z_t);             masked: h_t = h_{t-1}
 *
 * @returns h_0 .. h_T, each [B, U]
 */
function forward(
  tf: typeof Tf,
  { inputs, mask, initialState }: Steps,
  { kernel, recurrentKernel, bias }: RecurrentWeights,
): Tf.Tensor[] {
  const states = [initialState];
  inputs.forEach((x, t) => {
    states.push(
      tf.tidy(() => {
        const projected = tf.fused.matMul({ a: x, b: kernel, bias });
        const recurrent = tf.matMul(states[t], recurrentKernel);
        const state = tf.tanh(tf.add(projected, recurrent));
        const masked = mask[t];
        if (masked === undefined) return state;
        return tf.add(tf.mul(state, masked.counts), tf.mul(states[t], masked.skips));
      }),
    );
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
 * @returns dz_1 .. dz_T and dh_0, each [B, U]
 */
function backward(
  tf: typeof Tf,
  states: readonly Tf.Tensor[],
  above: readonly (Tf.Tensor | undefined)[],
  mask: Steps['mask'],
  recurrentKernel: Tf.Tensor,
): { dPreActivation: Tf.Tensor[]; dInitialState: Tf.Tensor } {
  const transposed = tf.transpose(recurrentKernel);
  const one = tf.scalar(1);
  const dPreActivation: Tf.Tensor[] = [];
  let dBefore: Tf.Tensor | undefined;

  for (let t = states.length - 1; t >= 1; t--) {
    const [dz, dNext]: Tf.Tensor[] = tf.tidy((): Tf.Tensor[] => {
      const fromAbove = above[t - 1];
      const dState =
        fromAbove && dBefore ? tf.add(fromAbove, dBefore) : ((fromAbove ?? dBefore) as Tf.Tensor);
      const slope = tf.sub(one, tf.square(states[t]));
      const dz = tf.mul(dState, slope);
      const masked = mask[t - 1];
      if (masked === undefined) return [dz, tf.matMul(dz, transposed)];
      const dCounted = tf.mul(dz, masked.counts);
      return [dCounted, tf.add(tf.matMul(dCounted, transposed), tf.mul(dState, masked.skips))];
    });
    dPreActivation[t - 1] = dz;
    dBefore?.dispose();
    dBefore = dNext;
  }
  return { dPreActivation, dInitialState: dBefore as Tf.Tensor };
}

/**
 *     dKernel          = Σ_t x_tᵀ     · dz_t
 *     dRecurrentKernel = Σ_t h_{t-1}ᵀ · dz_t
 *     dBias            = Σ_t Σ_b dz_t
 *
 * The steps stand below each other, [T·B, ..], so that each sum over time is part of one product.
 */
function weightGradients(
  tf: typeof Tf,
  inputs: readonly Tf.Tensor[],
  states: readonly Tf.Tensor[],
  dPreActivation: readonly Tf.Tensor[],
): Tf.Tensor[] {
  const dz = tf.concat([...dPreActivation], 0);
  const x = tf.concat([...inputs], 0);
  const h = tf.concat(states.slice(0, -1), 0);
  return [tf.matMul(tf.transpose(x), dz), tf.matMul(tf.transpose(h), dz), tf.sum(dz, 0)];
}

/** dx_t = dz_t · kernelᵀ */
function inputGradients(tf: typeof Tf, dPreActivation: readonly Tf.Tensor[], kernel: Tf.Tensor): Tf.Tensor[] {
  const transposed = tf.transpose(kernel);
  return dPreActivation.map((dz) => tf.matMul(dz, transposed));
}
