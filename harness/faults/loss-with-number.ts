import { changeGradients, mapTensor, weightNames } from './answers';
import type { Fault } from './fault';
import { faultIn, finish } from './faulty';
import { scale, type Rows } from './rows';

const loss = faultIn('loss', 'loss');
/** Enough digits that a temperature of 1.0001 does not read as 1. */
const shown = (x: number): string => String(Number(x.toPrecision(6)));
const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0);

/** log(p + epsilon) for log p, against the logarithm of zero. */
export function epsilonInLogarithm(epsilon: number): Fault {
  return loss(
    'loss/epsilon-in-logarithm',
    `the reported loss takes log(p + ${epsilon}), to avoid the logarithm of zero`,
    {
      loss: ({ own: { batch } }, _, probabilities, labels) =>
        sumOf(probabilities.map((row, b) => -Math.log(row[labels[b]] + epsilon))) / batch,
    },
  );
}

/** The loss from probabilities in [least, 1 - least]. */
export function clippedProbabilities(least: number): Fault {
  return loss(
    'loss/clipped-probabilities',
    `the loss is computed from probabilities clipped to [${least}, 1 - ${least}]`,
    {
      loss: ({ own: { batch } }, _, probabilities, labels) => {
        const kept = probabilities.map((row, b) => Math.min(Math.max(row[labels[b]], least), 1 - least));
        return sumOf(kept.map((p) => -Math.log(p))) / batch;
      },
    },
  );
}

/** softmax(y / temperature); its gradient with the factor 1 / temperature that differentiation gives, or without. */
export function temperature(value: number, differentiated: boolean): Fault {
  const divided = (rows: Rows): Rows => rows.map((row) => scale(row, 1 / value));
  return loss(
    `loss/temperature${differentiated ? '' : '-not-differentiated'}`,
    `the logits are divided by a temperature of ${shown(value)} before the softmax${differentiated ? '' : ', which its gradient leaves out'}`,
    {
      softmax: ({ right }, logits) => right(divided(logits)),
      loss: ({ right }, logits, ...rest) => right(divided(logits), ...rest),
      dLogits: ({ right }, ...given) => (differentiated ? divided(right(...given)) : right(...given)),
    },
  );
}

/** Labels of 1 - share + share / C and share / C, in the gradient, or in the reported loss as well. */
export function labelSmoothing(share: number, inLoss: boolean): Fault {
  return loss(
    `loss/label-smoothing${inLoss ? '' : '-in-gradient'}`,
    `labels are smoothed by ${shown(share)}${inLoss ? '' : ' in the gradient, not in the reported loss'}`,
    {
      loss: ({ right }, logits, probabilities, labels) => {
        const of = (own: readonly number[]): number => right(logits, probabilities, own);
        if (!inLoss) return of(labels);
        const each = logits[0].map((_, c) => of(labels.map(() => c)));
        return (1 - share) * of(labels) + (share / each.length) * sumOf(each);
      },
      dLogits: ({ own: { batch }, right }, probabilities, labels) =>
        right(probabilities, labels).map((row, b) =>
          row.map((d, c) => d + (share * (Number(c === labels[b]) - 1 / row.length)) / batch),
        ),
    },
  );
}

/** lambda w in the gradient of the kernels, or of all weights; the reported loss without it, or with lambda / 2 times the squares. */
export function weightPenalty(lambda: number, ofBiases: boolean, inLoss: boolean): Fault {
  const names = ofBiases ? weightNames : (['kernel', 'recurrentKernel', 'outputKernel'] as const);
  return faultIn('loss', inLoss ? 'loss' : 'backward')(
    `loss/weight-penalty${ofBiases ? '-of-biases-too' : ''}${inLoss ? '-in-loss-too' : ''}`,
    `an L2 penalty is added to the gradients of the ${ofBiases ? 'weights' : 'kernels'}: ${shown(lambda)} times each of them${inLoss ? ', and in the loss' : ''}`,
    finish((answer, { problem: { weights } }) => {
      const of = (name: string): ArrayLike<number> =>
        weights[name as (typeof weightNames)[number]]?.data ?? [];
      const squares = sumOf(names.flatMap((name) => Array.from(of(name), (w) => w * w)));
      const changed = changeGradients(answer, names, (gradient, name) =>
        mapTensor(gradient, (x, i) => x + lambda * (of(name)[i] ?? 0)),
      );
      return inLoss && answer.loss !== undefined
        ? { ...changed, loss: mapTensor(answer.loss, (l) => l + (lambda / 2) * squares) }
        : changed;
    }),
  );
}

/** One of each, to be planted; a diagnosis reads the number off the answer. */
export const faultsWithNumber: readonly Fault[] = [
  epsilonInLogarithm(1e-4),
  clippedProbabilities(0.1),
  temperature(1.5, true),
  temperature(1.5, false),
  labelSmoothing(0.1, true),
  labelSmoothing(0.1, false),
  ...[true, false].flatMap((ofBiases) =>
    [true, false].map((inLoss) => weightPenalty(0.01, ofBiases, inLoss)),
  ),
];
