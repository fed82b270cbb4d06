import type { Precision } from '../base/problem';
import type { Fault } from './fault';
import { asked, faultIn, quantity, sentBackBy, type Given, type Way } from './faulty';
import { lossChanged, sumOf, type Row, type Rows } from './loss-ways';
import { isSquare, transposed } from './weights';

const mean = faultIn('batch-mean', 'loss');
const loss = faultIn('loss', 'loss');

/** Each example's label replaced. */
function relabelled(label: (labels: Row, b: number, given: Given) => number): Way {
  return asked(({ labels, ...rest }, given) =>
    labels === undefined ? undefined : { ...rest, labels: labels.map((_, b) => label(labels, b, given)) },
  );
}

/** Faults of the softmax cross-entropy, and of the mean over the batch. */
export const lossFaults: readonly Fault[] = [
  mean(
    'loss/sum-reported',
    'the reported loss is the sum over the batch, not the mean; its gradient is correct',
    lossChanged(({ loss: own }, { batch }) => ({ loss: batch * own })),
  ),
  loss(
    'loss/softmax-over-batch',
    'the softmax runs over the examples instead of the classes',
    lossChanged(({ logits }) => ({ p: transpose(softmax(transpose(logits))) })),
  ),
  loss(
    'loss/labels-shifted',
    'the label of the next example is used in the gradient',
    lossChanged(({ p, labels, residual }) => ({ dLogits: residual(p, [...labels.slice(1), labels[0]]) })),
  ),
  ...[1, -1].map((shift) =>
    loss(
      `loss/label-of-${shift > 0 ? 'next' : 'previous'}-example`,
      `labels are shifted by one: each example is held to the label of the ${shift > 0 ? 'next' : 'previous'} one`,
      relabelled((labels, b) => labels[(b + shift + labels.length) % labels.length]),
    ),
  ),
  loss(
    'loss/classes-counted-from-one',
    'labels are counted from 1: the class after the correct one is used',
    relabelled((labels, b, { classes }) => (labels[b] + 1) % classes),
  ),
  loss(
    'loss/clipped-probabilities',
    'the loss is computed from probabilities clipped to [0.1, 1 - 0.1]',
    lossChanged(({ p, labels }) => {
      const kept = p.map((row, b) => Math.min(Math.max(row[labels[b]], 0.1), 1 - 0.1));
      return { loss: sumOf(kept.map((x) => -Math.log(x))) / p.length };
    }),
  ),
  loss(
    'loss/last-class-not-computed',
    'a loop ends one iteration too early: the logit of the last class stays zero',
    quantity('logits', (y, i, { classes }) => (i % classes === classes - 1 ? 0 : y)),
  ),
  loss(
    'loss/last-class-left-out-of-softmax',
    'a loop ends one iteration too early: the softmax leaves out the last class',
    lossChanged(({ logits }) => ({
      p: softmax(logits.map((row) => row.slice(0, -1))).map((row) => [...row, 0]),
    })),
  ),
  ...ofRange('float64', 2 ** -1074, Math.log(Number.MAX_VALUE)),
  ...ofRange('float32', 2 ** -126, Math.log(3.4028234663852886e38)),
  faultIn('transpose', 'backward')(
    'transpose/output-kernel',
    'dy outputKernel arrives at the final state instead of dy outputKernel^T',
    ({ problem }) => {
      const kernel = 'head' in problem.weights ? problem.weights['head']['kernel'] : undefined;
      return isSquare(kernel) ? sentBackBy('head', 'kernel', transposed(kernel)) : undefined;
    },
  ),
];

function transpose(rows: Rows): Rows {
  return rows[0].map((_, j) => rows.map((row) => row[j]));
}

function softmax(rows: Rows): Rows {
  return rows.map((row) => {
    const exps = row.map((y) => Math.exp(y - Math.max(...row)));
    return exps.map((e) => e / sumOf(exps));
  });
}

/** Textbook formulas that fail where numbers leave the range of the precision. */
function ofRange(precision: Precision, smallest: number, largest: number): Fault[] {
  const suffix = precision === 'float32' ? '-in-float32' : '';
  const logarithms = (p: Rows, labels: Row): number =>
    sumOf(p.map((row, b) => -Math.log(row[labels[b]] < smallest ? 0 : row[labels[b]]))) / p.length;
  return [
    loss(
      `loss/logarithm-of-softmax${suffix}`,
      `the loss is -log(p) of the probability p, which is 0 in ${precision} where the logits are more than ${Math.floor(-Math.log(smallest))} apart: the loss is infinite there; take log(sum exp y) - y_label`,
      lossChanged(({ p, labels }) => ({ loss: logarithms(p, labels) })),
      { precision },
    ),
    loss(
      `loss/softmax-without-shift${suffix}`,
      `e^y is computed from the unshifted logits and overflows in ${precision} above y = ${Math.floor(largest)}: probabilities are NaN there; subtract the largest logit first`,
      lossChanged(({ p, logits, labels }) => {
        const overflows = (row: Row): boolean => row.some((y) => y > largest);
        if (!logits.some(overflows)) return {};
        const made = p.map((row, b) =>
          overflows(logits[b]) ? logits[b].map((y) => (y > largest ? NaN : 0)) : row,
        );
        return { p: made, loss: sumOf(made.map((row, b) => -Math.log(row[labels[b]]))) / p.length };
      }),
      { precision },
    ),
  ];
}
