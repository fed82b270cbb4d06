import { checkLabels } from './labels';
import { borrowTensor, zeros, type Tensor, type TensorLike } from './tensor';

export interface SoftmaxCrossEntropy {
  /** mean over the batch, nats */ readonly loss: number;
  /** [B, C] */ readonly probabilities: Tensor;
  /** [B, C]: dLoss/dlogits, the mean's 1/B included */ readonly dLogits: Tensor;
}

/**
 * Softmax followed by cross-entropy against class indices, the mean over the batch, and its gradient.
 *
 *     p_k     = exp(logit_k) / Σ_j exp(logit_j)
 *     loss    = mean over the batch of -log p_label
 *     dlogit_k = (p_k - [k = label]) / B
 *
 * Stable for logits of any size: the row's maximum is subtracted first (Blanchard, Higham & Higham 2021).
 *
 * @param logits [B, C]
 * @param labels B class indices
 * @throws RangeError when a label is not an integer in 0..C-1, their count is not B, or a logit is not finite
 * @example
 * ```ts
 * softmaxCrossEntropy([[0, 0]], [1]).loss === Math.log(2); // => true
 * softmaxCrossEntropy([[1e6, -1e6]], [1]).loss; // => 2000000
 * ```
 */
export function softmaxCrossEntropy(logits: TensorLike, labels: ArrayLike<number>): SoftmaxCrossEntropy {
  const z = borrowTensor(logits, 'softmaxCrossEntropy: logits', ['B', 'C']);
  const [batch, classes] = z.shape;
  const checked = checkLabels(labels, 'softmaxCrossEntropy: labels', batch, classes);
  const probabilities = zeros(batch, classes);
  const dLogits = zeros(batch, classes);
  softmaxInto(z.data, batch, classes, probabilities.data);
  crossEntropyGradient(probabilities.data, checked, classes, dLogits.data);
  return { loss: crossEntropyLoss(z.data, probabilities.data, checked, classes), probabilities, dLogits };
}

/** Softmax of each row. @param logits [B, C] @returns [B, C] */
export function softmax(logits: TensorLike): Tensor {
  const z = borrowTensor(logits, 'softmax: logits', ['B', 'C']);
  const probabilities = zeros(...z.shape);
  softmaxInto(z.data, z.shape[0], z.shape[1], probabilities.data);
  return probabilities;
}

/** The position of each row's largest element, the first of them on a tie. @param matrix [B, C] */
export function argmax(matrix: Tensor): Int32Array {
  const [rows, columns] = matrix.shape;
  return Int32Array.from({ length: rows }, (_, r) => argmaxOfRow(matrix.data, r * columns, columns));
}

/** Position, within the row that starts at `at`, of its largest element. */
export function argmaxOfRow(data: Float64Array, at: number, columns: number): number {
  let best = 0;
  for (let c = 1; c < columns; c++) if (data[at + c] > data[at + best]) best = c;
  return best;
}

/** probabilities[b] = exp(logits[b] - max) / Σ exp(logits[b] - max), row by row. */
export function softmaxInto(
  logits: Float64Array,
  batch: number,
  classes: number,
  probabilities: Float64Array,
): void {
  for (let at = 0; at < batch * classes; at += classes) {
    const max = logits[at + argmaxOfRow(logits, at, classes)];
    let sum = 0;
    for (let c = at; c < at + classes; c++) sum += probabilities[c] = Math.exp(logits[c] - max);
    for (let c = at; c < at + classes; c++) probabilities[c] /= sum;
  }
}

/**
 * loss = mean over the batch of -log p_label, from logits and their softmax:
 *
 *     -log p_label = (max - logit_label) - log p_max,     p_max = 1 - (sum of the other p)
 *
 * log1p of that sum keeps a loss that is close to 0, and the difference of logits one that is large.
 */
export function crossEntropyLoss(
  logits: Float64Array,
  probabilities: Float64Array,
  labels: Int32Array,
  classes: number,
): number {
  let total = 0;
  for (let b = 0; b < labels.length; b++) {
    const at = b * classes;
    const largest = at + argmaxOfRow(logits, at, classes);
    let others = 0;
    for (let c = at; c < at + classes; c++) if (c !== largest) others += probabilities[c];
    total += logits[largest] - logits[at + labels[b]] - Math.log1p(-others);
  }
  return total / labels.length;
}

/**
 * dlogit_k = (p_k - [k = label]) / B, with p_label - 1 computed as -(sum of the other p), which does not cancel.
 */
export function crossEntropyGradient(
  probabilities: Float64Array,
  labels: Int32Array,
  classes: number,
  dLogits: Float64Array,
): void {
  const batch = labels.length;
  for (let b = 0; b < batch; b++) {
    const label = b * classes + labels[b];
    let others = 0;
    for (let c = b * classes; c < (b + 1) * classes; c++) {
      if (c === label) continue;
      others += probabilities[c];
      dLogits[c] = probabilities[c] / batch;
    }
    dLogits[label] = -others / batch;
  }
}
