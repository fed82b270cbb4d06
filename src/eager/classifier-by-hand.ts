import type * as Tf from '@tensorflow/tfjs';
import type { ClassifierWeights } from '../../scratch/index';
import { backward, forward, inputGradients, weightGradients } from './bptt';
import { joinSteps, uploadSteps } from './bptt-pass';
import type { DifferentiateBatch } from './classifier-step';
import { read } from './float32';
import { oneHot } from './softmax-cross-entropy';

/** The loss and its gradients by the chain rule written out, in tfjs operations without a tape. */
export function differentiateByHand(
  tf: typeof Tf,
  weights: Readonly<Record<keyof ClassifierWeights, Tf.Tensor>>,
): DifferentiateBatch {
  const [units, classes] = weights.outputKernel.shape;
  return (given, labels, name, differentiateInputs) => {
    const steps = uploadSteps(tf, given, units, name);
    const states = forward(tf, steps, weights);
    const finalState = states[given.timeSteps];

    // logits = h_T · outputKernel + outputBias
    const logits: Tf.Tensor = tf.add(tf.matMul(finalState, weights.outputKernel), weights.outputBias);
    const { loss, dLogits } = softmaxCrossEntropy(tf, logits, oneHot(tf, labels, classes));
    // dOutputKernel = h_Tᵀ · dlogits,  dOutputBias = Σ_b dlogits,  dh_T = dlogits · outputKernelᵀ
    const dOutputKernel: Tf.Tensor = tf.matMul(tf.transpose(finalState), dLogits);
    const dOutputBias: Tf.Tensor = tf.sum(dLogits, 0);
    const dFinalState: Tf.Tensor = tf.matMul(dLogits, tf.transpose(weights.outputKernel));

    const above: Tf.Tensor[] = [];
    above[given.timeSteps - 1] = dFinalState;
    const { dPreActivation, dInitialState } = backward(
      tf,
      states,
      above,
      steps.mask,
      weights.recurrentKernel,
      differentiateInputs,
    );
    return {
      loss: loss.dataSync()[0],
      logits: logits.dataSync<'float32'>().slice(),
      gradients: [...weightGradients(tf, steps.inputs, states, dPreActivation), dOutputKernel, dOutputBias],
      readInputGradients: () => ({
        inputs: joinSteps(inputGradients(tf, dPreActivation, weights), given.inputs.shape),
        initialState: read(dInitialState as Tf.Tensor),
      }),
    };
  };
}

/**
 *     logp    = (logits - max) - log Σ_k exp(logits_k - max)
 *     loss    = -(1/B) Σ_b logp_label
 *     dlogits = (softmax - one-hot labels) / B
 *
 * @param logits [B, C]
 * @param oneHotLabels [B, C]
 */
function softmaxCrossEntropy(
  tf: typeof Tf,
  logits: Tf.Tensor,
  oneHotLabels: Tf.Tensor,
): { readonly loss: Tf.Scalar; readonly dLogits: Tf.Tensor } {
  const batch = logits.shape[0];
  const shifted = tf.sub(logits, tf.max(logits, 1, true));
  const exponentials = tf.exp(shifted);
  const sums = tf.sum(exponentials, 1, true);
  const ofLabel = tf.sum(tf.mul(shifted, oneHotLabels), 1, true);
  const loss: Tf.Scalar = tf.mean(tf.sub(tf.log(sums), ofLabel));
  const probabilities = tf.div(exponentials, sums);
  return { loss, dLogits: tf.div(tf.sub(probabilities, oneHotLabels), batch) };
}
