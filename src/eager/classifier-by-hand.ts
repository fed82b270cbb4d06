import type * as Tf from '@tensorflow/tfjs';
import type { ClassifierWeights } from '../../scratch/index';
import { backward, forward, inputGradients, weightGradients } from './bptt';
import { joinSteps, uploadSteps } from './bptt-pass';
import type { DifferentiateBatch } from './classifier-step';
import { read } from '../to-tensors';
import { kernelsOf } from './kernels';

/**
 * The loss and its gradients by the chain rule written out, in tfjs operations without a tape. Softmax and loss are the
 * exception: they concern B · C numbers, which are read for the accuracy anyway, so they are computed here in JavaScript;
 * as a dozen tfjs operations they would take a tenth of a small network's step.
 */
export function differentiateByHand(
  tf: typeof Tf,
  weights: Readonly<Record<keyof ClassifierWeights, Tf.Tensor>>,
): DifferentiateBatch {
  const [units, classes] = weights.outputKernel.shape;
  const { add, matMul, transpose } = kernelsOf(tf);
  return (given, labels, name, differentiateInputs) => {
    const { batch, timeSteps } = given;
    const steps = uploadSteps(tf, given, units, name);
    const states = forward(tf, steps, weights);
    const finalState = states[timeSteps];

    // logits = h_T · outputKernel + outputBias
    const logits = add(matMul(finalState, weights.outputKernel), weights.outputBias);
    const scores = logits.dataSync<'float32'>().slice();
    const output = softmaxCrossEntropy(scores, labels, classes);
    const dLogits = tf.tensor2d(output.dLogits, [batch, classes]);
    // dOutputKernel = h_Tᵀ · dlogits,  dOutputBias = Σ_b dlogits,  dh_T = dlogits · outputKernelᵀ
    const dOutputKernel = matMul(transpose(finalState), dLogits);
    const dOutputBias = tf.tensor1d(output.dBias);
    const dFinalState = matMul(dLogits, transpose(weights.outputKernel));

    const above: Tf.Tensor[] = [];
    above[timeSteps - 1] = dFinalState;
    const { dPreActivation, dInitialState } = backward(
      tf,
      states,
      above,
      steps.mask,
      weights.recurrentKernel,
      differentiateInputs,
    );
    return {
      loss: output.loss,
      logits: scores,
      gradients: [
        ...weightGradients(tf, steps.transposedInputs, states, dPreActivation),
        dOutputKernel,
        dOutputBias,
      ],
      readInputGradients: () => ({
        inputs: joinSteps(inputGradients(tf, dPreActivation, weights), given.inputs.shape),
        initialState: read(dInitialState as Tf.Tensor),
      }),
    };
  };
}

/**
 *     loss    = (1/B) Σ_b log Σ_k exp(logits_k - max) - (logits_label - max)
 *     dlogits = (exp(logits - max) / Σ_k exp(logits_k - max) - one-hot label) / B
 *     dbias   = Σ_b dlogits
 *
 * @param logits [B, C]
 */
function softmaxCrossEntropy(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
): { readonly loss: number; readonly dLogits: Float32Array; readonly dBias: Float32Array } {
  const batch = labels.length;
  const dLogits = new Float32Array(logits.length);
  const dBias = new Float64Array(classes);
  let loss = 0;
  for (let b = 0; b < batch; b++) {
    const row = b * classes;
    let max = -Infinity;
    for (let c = 0; c < classes; c++) max = Math.max(max, logits[row + c]);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(logits[row + c] - max);
    loss += Math.log(sum) - (logits[row + labels[b]] - max);
    for (let c = 0; c < classes; c++) {
      const probability = Math.exp(logits[row + c] - max) / sum;
      const d = (probability - (c === labels[b] ? 1 : 0)) / batch;
      dLogits[row + c] = d;
      dBias[c] += d;
    }
  }
  return { loss: loss / batch, dLogits, dBias: Float32Array.from(dBias) };
}
