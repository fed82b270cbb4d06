import type { Precision, Problem } from '../base/problem';
import type { Fault } from './fault';
import { changed, faultIn, scaled } from './faulty';
import { times, transpose } from './rows';
import { layerMeans } from './sums';

const mean = faultIn('batch-mean', 'loss');
const loss = faultIn('loss', 'loss');

/** The problem with each example's label replaced. */
function relabelled(label: (labels: readonly number[], b: number, problem: Problem) => number) {
  return (_: unknown, problem: Problem): Problem => {
    const { labels, ...rest } = problem;
    return labels === undefined
      ? rest
      : { ...rest, labels: labels.map((_own, b) => label(labels, b, problem)) };
  };
}

/** Faults of the softmax cross-entropy, and of the mean over the batch. */
export const lossFaults: readonly Fault[] = [
  mean(
    'loss/sum-for-mean',
    '1/B is missing in the gradient: it is the gradient of the sum, not of the mean',
    {
      dLogits: scaled((own) => own.batch),
    },
  ),
  mean('loss/mean-twice', '1/B is applied twice in the gradient', {
    dLogits: scaled((own) => 1 / own.batch),
  }),
  mean('loss/divided-by-steps', '1/T is inserted into the gradient', {
    dLogits: scaled((own) => 1 / own.timeSteps),
  }),
  mean('loss/divided-by-classes', '1/C is inserted into the gradient', {
    dLogits: scaled((own) => 1 / (own.outputBias?.length ?? 1)),
  }),
  faultIn('batch-mean', 'backward')(
    'loss/layer-means-too',
    "the layer averages its weights' gradients over the batch, although the loss already does",
    layerMeans((own) => own.batch),
  ),
  mean(
    'loss/sum-for-mean-throughout',
    "the sum over the batch is taken instead of the mean (reduction='sum'): loss and gradients are B times as large",
    { loss: scaled((own) => own.batch), dLogits: scaled((own) => own.batch) },
  ),
  mean(
    'loss/sum-reported',
    'the reported loss is the sum over the batch, not the mean; its gradient is correct',
    { loss: scaled((own) => own.batch) },
  ),
  loss('loss/softmax-over-batch', 'the softmax runs over the examples instead of the classes', {
    softmax: ({ right }, logits) => transpose(right(transpose(logits))),
  }),
  loss('loss/labels-shifted', 'the label of the next example is used in the gradient', {
    dLogits: ({ right }, probabilities, labels) => right(probabilities, [...labels.slice(1), labels[0]]),
  }),
  ...[1, -1].map((shift) =>
    loss(
      `loss/label-of-${shift > 0 ? 'next' : 'previous'}-example`,
      `labels are shifted by one: each example is held to the label of the ${shift > 0 ? 'next' : 'previous'} one`,
      { imported: relabelled((labels, b) => labels[(b + shift + labels.length) % labels.length]) },
    ),
  ),
  loss(
    'loss/classes-counted-from-one',
    'labels are counted from 1: the class after the correct one is used',
    {
      imported: relabelled((labels, b, { weights }) => (labels[b] + 1) % (weights.outputBias?.shape[0] ?? 1)),
    },
  ),
  loss('loss/label-forgotten', 'p / B instead of (p - onehot) / B: the label is not subtracted', {
    dLogits: ({ right }, probabilities, labels) =>
      right(
        probabilities,
        labels.map(() => -1),
      ),
  }),
  loss(
    'loss/softmax-derivative-twice',
    'p - onehot is multiplied by p (1 - p), although it already contains the derivative of the softmax',
    {
      dLogits: ({ right }, probabilities, labels) =>
        right(probabilities, labels).map((row, b) =>
          row.map((d, c) => d * probabilities[b][c] * (1 - probabilities[b][c])),
        ),
    },
  ),
  loss('loss/base-two', 'the loss is reported in bits, not in nats: the logarithm has base 2', {
    loss: changed((x) => x / Math.LN2),
  }),
  loss('loss/base-two-throughout', 'the logarithm has base 2, in the loss and in its gradient', {
    loss: changed((x) => x / Math.LN2),
    dLogits: scaled(1 / Math.LN2),
  }),
  loss(
    'loss/last-class-not-computed',
    'a loop ends one iteration too early: the logit of the last class stays zero',
    { logits: ({ right }, h) => [...right(h).slice(0, -1), 0] },
  ),
  loss(
    'loss/last-class-left-out-of-softmax',
    'a loop ends one iteration too early: the softmax leaves out the last class',
    { softmax: ({ right }, logits) => logits.map((row) => [...right([row.slice(0, -1)])[0], 0]) },
  ),
  ...ofRange('float64', 2 ** -1074, Math.log(Number.MAX_VALUE)),
  ...ofRange('float32', 2 ** -126, Math.log(3.4028234663852886e38)),
  faultIn('transpose', 'backward')(
    'transpose/output-kernel',
    'dy outputKernel arrives at the final state instead of dy outputKernel^T',
    {
      fromOutput: ({ own: { outputKernel = [] }, right }, dLogits) =>
        outputKernel.length === dLogits.length ? times(dLogits, outputKernel) : right(dLogits),
    },
  ),
];

/** Textbook formulas that fail where numbers leave the range of the precision. */
function ofRange(precision: Precision, smallest: number, largest: number): Fault[] {
  const suffix = precision === 'float32' ? '-in-float32' : '';
  const logarithm = (probabilities: readonly (readonly number[])[], labels: readonly number[]): number =>
    probabilities.reduce((sum, row, b) => sum - Math.log(row[labels[b]] < smallest ? 0 : row[labels[b]]), 0);
  return [
    loss(
      `loss/logarithm-of-softmax${suffix}`,
      `the loss is -log(p) of the probability p, which is 0 in ${precision} where the logits are more than ${Math.floor(-Math.log(smallest))} apart: the loss is infinite there; take log(sum exp y) - y_label`,
      { loss: ({ own }, _, probabilities, labels) => logarithm(probabilities, labels) / own.batch },
      { precision },
    ),
    loss(
      `loss/softmax-without-shift${suffix}`,
      `e^y is computed from the unshifted logits and overflows in ${precision} above y = ${Math.floor(largest)}: probabilities are NaN there; subtract the largest logit first`,
      {
        softmax: ({ right }, logits) =>
          right(logits).map((row, b) =>
            logits[b].some((y) => y > largest) ? logits[b].map((y) => (y > largest ? NaN : 0)) : row,
          ),
        loss: ({ own, right }, logits, probabilities, labels) =>
          logits.flat().some((y) => y > largest)
            ? probabilities.reduce((sum, row, b) => sum - Math.log(row[labels[b]]), 0) / own.batch
            : right(logits, probabilities, labels),
      },
      { precision },
    ),
  ];
}
