import type * as Tf from '@tensorflow/tfjs';
import type { Tensor } from '../../scratch/index';

/**
 * Softmax followed by cross-entropy, the mean over the rows, differentiable by tfjs.
 *
 *     logp = (logits - max) - log Σ_k exp(logits_k - max)
 *     loss = -(1/N) Σ_n logp_label
 *
 * `tf.losses.softmaxCrossEntropy` subtracts log Σ exp(logits), a number as large as the logits, from the logits: at
 * logits of 1e6 its loss is off by up to 0.06, the distance of float32 numbers there. `tf.logSoftmax` subtracts the
 * maximum first and is exact to the size of the differences. Its gradient is a formula of its own, dy - Σdy · softmax.
 *
 * @param logits [N, C]
 * @param oneHotLabels [N, C], zeros in rows that do not exist
 * @param count how many rows exist, where some do not
 * @returns the loss in nats, a scalar
 */
export function softmaxCrossEntropy(
  tf: typeof Tf,
  logits: Tf.Tensor2D,
  oneHotLabels: Tf.Tensor2D,
  count?: number,
): Tf.Scalar {
  const rows = tf.sum(tf.mul(oneHotLabels, tf.logSoftmax(logits)), 1);
  return tf.neg(count === undefined ? tf.mean(rows) : tf.div(tf.sum(rows), count));
}

/** One row per label: 1 at the label's class, else 0; zeros where the mask is 0. The caller owns it. @returns [N, C] */
export function oneHot(tf: typeof Tf, labels: Int32Array, classes: number, mask?: Tensor): Tf.Tensor2D {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, n) => (rows[n * classes + label] = mask?.data[n] ?? 1));
  return tf.tensor2d(rows, [labels.length, classes]);
}
