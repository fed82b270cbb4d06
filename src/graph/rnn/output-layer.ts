import type { GraphTensor, Ops } from '../builder/index';

/** The output layer on the final state, with softmax cross-entropy as its loss; C classes. */
export interface OutputWeights {
  /** [U, C] */ readonly outputKernel: GraphTensor;
  /** [C] */ readonly outputBias: GraphTensor;
}

/** logits [B, C] = finalState outputKernel + outputBias. */
export function logitsOf(
  g: Ops,
  { outputKernel, outputBias }: OutputWeights,
  finalState: GraphTensor,
): GraphTensor {
  return g.scope('output', () => g.biasAdd(g.matMul(finalState, outputKernel), outputBias));
}

export interface Loss {
  /** [B]: each example's, nats */ readonly losses: GraphTensor;
  /** scalar: mean over the batch, nats */ readonly loss: GraphTensor;
  /** [B, C] = (softmax(logits) - oneHot(labels)) / B */ readonly dLogits: GraphTensor;
}

/** Mean over the batch of -log softmax(logits)[label]. */
export function softmaxCrossEntropy(g: Ops, logits: GraphTensor, labels: GraphTensor<'int32'>): Loss {
  return g.scope('loss', () => {
    const perExample = g.sparseSoftmaxCrossEntropy(logits, labels);
    const batch = g.cast(g.size(labels), 'float32');
    const { losses } = perExample;
    return { losses, loss: g.mean(losses, [0]), dLogits: g.div(perExample.dLogits, batch) };
  });
}

export interface OutputGradients extends OutputWeights {
  /** [B, U] */ readonly finalState: GraphTensor;
}

/**
 *     dOutputKernel = finalState^T dLogits
 *     dOutputBias   = sum_b dLogits
 *     dFinalState   = dLogits outputKernel^T
 */
export function outputBackward(
  g: Ops,
  { outputKernel }: OutputWeights,
  finalState: GraphTensor,
  dLogits: GraphTensor,
): OutputGradients {
  return g.scope('outputBackward', () => ({
    outputKernel: g.matMul(finalState, dLogits, { transposeA: true }),
    outputBias: g.sum(dLogits, [0]),
    finalState: g.matMul(dLogits, outputKernel, { transposeB: true }),
  }));
}
