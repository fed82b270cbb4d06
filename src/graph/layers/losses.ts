import type { LossName } from '../../../scratch/index';
import type { AnyTensor, GraphTensor, Ops } from '../builder/index';

/** The end of a network, row by row: a row is an example, or a time step of an example. */
export interface RowLosses {
  /** [N]: each row's loss */ readonly losses: GraphTensor;
  /** [N, C]: dLosses/dlogits, before the mean's 1/N */ readonly dLogits: GraphTensor;
}

/**
 * The losses by their names; z are the logits [N, C], and the loss of a batch is the mean over the rows.
 *
 *     softmaxCrossEntropy   p = softmax(z)   -log p_label                        dz_k = p_k - [k = label]
 *     sigmoidCrossEntropy   p = σ(z)         mean_k -(t log p + (1-t) log(1-p))  dz_k = (p_k - t_k) / C
 *     meanSquaredError      y = z            mean_k (y - t)²                     dz_k = 2 (y_k - t_k) / C
 *
 * The logarithms are taken of z, not of p: -(t log σ(z) + (1-t) log(1-σ(z))) = max(z, 0) - t z + log(1 + exp(-|z|)).
 */
export const losses: Readonly<
  Record<
    LossName,
    /** @param targets class indices [N] of int32, or numbers [N, C]; width C, a scalar */
    (g: Ops, z: GraphTensor, targets: AnyTensor, width: () => GraphTensor) => RowLosses
  >
> = {
  softmaxCrossEntropy: (g, z, labels) => g.sparseSoftmaxCrossEntropy(z, labels as GraphTensor<'int32'>),
  sigmoidCrossEntropy(g, z, given, width) {
    const targets = given as GraphTensor;
    const most = g.sub(g.maximum(z, g.float(0)), g.mul(z, targets));
    const each = g.add(most, g.log1p(g.exp(g.neg(g.abs(z)))));
    const difference = g.sub(g.sigmoid(z), targets);
    return { losses: g.mean(each, [1]), dLogits: g.div(difference, width()) };
  },
  meanSquaredError(g, z, targets, width) {
    const difference = g.sub(z, targets as GraphTensor);
    return {
      losses: g.mean(g.square(difference), [1]),
      dLogits: g.div(g.mul(g.float(2), difference), width()),
    };
  },
};
