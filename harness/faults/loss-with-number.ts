import type { Fault } from './fault';
import { answer, faultIn, holderOf, outcomeName, weightNames } from './faulty';
import { lossChanged, sumOf, times } from './loss-ways';

const loss = faultIn('loss', 'loss');
/** Enough digits that a temperature of 1.0001 does not read as 1. */
const shown = (x: number): string => String(Number(x.toPrecision(6)));

/** log(p + epsilon) for log p, against the logarithm of zero. */
export function epsilonInLogarithm(epsilon: number): Fault {
  return loss(
    'loss/epsilon-in-logarithm',
    `the reported loss takes log(p + ${epsilon}), to avoid the logarithm of zero`,
    lossChanged(({ p, labels }) => ({
      loss: sumOf(p.map((row, b) => -Math.log(row[labels[b]] + epsilon))) / p.length,
    })),
  );
}

/** The loss from probabilities in [least, 1 - least]. */
export function clippedProbabilities(least: number): Fault {
  return loss(
    'loss/clipped-probabilities',
    `the loss is computed from probabilities clipped to [${least}, 1 - ${least}]`,
    lossChanged(({ p, labels }) => {
      const kept = p.map((row, b) => Math.min(Math.max(row[labels[b]], least), 1 - least));
      return { loss: sumOf(kept.map((x) => -Math.log(x))) / p.length };
    }),
  );
}

/** softmax(y / temperature); its gradient with the factor 1 / temperature that differentiation gives, or without. */
export function temperature(value: number, differentiated: boolean): Fault {
  return loss(
    `loss/temperature${differentiated ? '' : '-not-differentiated'}`,
    `the logits are divided by a temperature of ${shown(value)} before the softmax${differentiated ? '' : ', which its gradient leaves out'}`,
    lossChanged(({ logits, of, residual }) => {
      const made = of(times(logits, 1 / value));
      return { ...made, dLogits: times(residual(made.p), differentiated ? 1 / value : 1) };
    }),
  );
}

/** Labels of 1 - share + share / C and share / C, in the gradient, or in the reported loss as well. */
export function labelSmoothing(share: number, inLoss: boolean): Fault {
  return loss(
    `loss/label-smoothing${inLoss ? '' : '-in-gradient'}`,
    `labels are smoothed by ${shown(share)}${inLoss ? '' : ' in the gradient, not in the reported loss'}`,
    lossChanged(({ logits, labels, dLogits, loss: own, of }, { batch }) => {
      const each = logits[0].map((_, c) => of(logits, new Array<number>(batch).fill(c)).loss);
      const smoothed = (1 - share) * own + (share / each.length) * sumOf(each);
      return {
        loss: inLoss ? smoothed : own,
        dLogits: dLogits.map((row, b) =>
          row.map((d, c) => d + (share * (Number(c === labels[b]) - 1 / row.length)) / batch),
        ),
      };
    }),
  );
}

/** lambda w in the gradient of the kernels, or of all weights; the reported loss without it, or with lambda / 2 times the squares. */
export function weightPenalty(lambda: number, ofBiases: boolean, inLoss: boolean): Fault {
  const names = weightNames.filter((name) => ofBiases || !/bias/i.test(name));
  return faultIn('loss', inLoss ? 'loss' : 'backward')(
    `loss/weight-penalty${ofBiases ? '-of-biases-too' : ''}${inLoss ? '-in-loss-too' : ''}`,
    `an L2 penalty is added to the gradients of the ${ofBiases ? 'weights' : 'kernels'}: ${shown(lambda)} times each of them${inLoss ? ', and in the loss' : ''}`,
    answer((tensor, given) => {
      const pairs = names.flatMap((name) => {
        const [holder, own] = holderOf(name, given.layer.name);
        const weight = (
          given.problem.weights[holder] as (typeof given.problem.weights)[string] | undefined
        )?.[own];
        return weight === undefined ? [] : [[outcomeName(name, given), weight.data] as const];
      });
      const squares = sumOf(pairs.map(([, data]) => data.reduce((sum, w) => sum + w * w, 0)));
      const value = tensor('loss');
      return {
        ...Object.fromEntries(
          pairs.flatMap(([name, weight]) => {
            const gradient = tensor(name);
            return gradient ? [[name, gradient.data.map((x, i) => x + lambda * weight[i])]] : [];
          }),
        ),
        ...(inLoss && value && { loss: value.data.map((l) => l + (lambda / 2) * squares) }),
      };
    }),
  );
}
