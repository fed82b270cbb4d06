import type * as Tf from '@tensorflow/tfjs';

/**
 * Softmax followed by cross-entropy, the mean over the batch, differentiable by tfjs.
 *
 *     logp = (logits - max) - log Σ_k exp(logits_k - max)
 *     loss = -(1/B) Σ_b logp_label
 *
 * `tf.losses.softmaxCrossEntropy` subtracts log Σ exp(logits), a number as large as the logits, from the logits: at
 * logits of 1e6 its loss is off by up to 0.06, the distance of float32 numbers there. `tf.logSoftmax` subtracts the
 * maximum first and is exact to the size of the differences. Its gradient is a formula of its own, dy - Σdy · softmax.
 *
 * @param logits [B, C]
 * @param oneHotLabels [B, C]
 * @returns the loss in nats, a scalar
 */
export function softmaxCrossEntropy(
  tf: typeof Tf,
  logits: Tf.Tensor2D,
  oneHotLabels: Tf.Tensor2D,
): Tf.Scalar {
  const logProbabilities = tf.logSoftmax(logits);
  return tf.neg(tf.mean(tf.sum(tf.mul(oneHotLabels, logProbabilities), 1)));
}

/** One row per label: 1 at the label's class, else 0. The caller owns it. @returns [B, C] */
export function oneHot(tf: typeof Tf, labels: Int32Array, classes: number): Tf.Tensor2D {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, b) => (rows[b * classes + label] = 1));
  return tf.tensor2d(rows, [labels.length, classes]);
}
