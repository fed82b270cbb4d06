import type * as Tf from '@tensorflow/tfjs';
import {
  backward,
  forward,
  inputGradients,
  weightGradients,
  type RecurrentWeights,
  type Steps,
} from './bptt';

/**
 * SimpleRNN as one differentiable operation (tf.customGrad): the forward formula, and backpropagation through time
 * (Werbos 1990) as its gradient, instead of a tape of every small operation. For use inside
 * tf.grads and its relatives; training calls the formulas themselves.
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
      const { dPreActivation, dInitialState } = backward(
        tf,
        saved,
        above,
        mask,
        recurrentKernel,
        differentiateInputs,
      );
      const dWeights = weightGradients(tf, steps.transposedInputs, saved, dPreActivation);
      if (dInitialState === undefined) return dWeights;
      return [...dWeights, dInitialState, ...inputGradients(tf, dPreActivation, weights)];
    };
    return { value, gradFunc };
  })(...operands);
}
