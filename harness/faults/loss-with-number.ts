import type { Evaluation } from '../base/problem';
import { changeGradients, mapTensor, weightNames } from './answers';
import { HandNetwork } from './hand-network';
import type { Fault } from './fault';
import { scale, type Row, type Rows } from './rows';

const loss = { family: 'loss', phase: 'loss' } as const;
/** Enough digits that a temperature of 1.0001 does not read as 1. */
const shown = (x: number): string => String(Number(x.toPrecision(6)));

/** log(p + epsilon) for log p, against the logarithm of zero. */
export function epsilonInLogarithm(epsilon: number): Fault {
  return {
    name: 'loss/epsilon-in-logarithm',
    words: `the reported loss takes log(p + ${epsilon}), to avoid the logarithm of zero`,
    ...loss,
    network: class extends HandNetwork {
      protected override loss(_: Rows, probabilities: Rows, labels: Row): number {
        return (
          probabilities.reduce((sum, row, b) => sum - Math.log(row[labels[b]] + epsilon), 0) / this.batch
        );
      }
    },
  };
}

/** The loss from probabilities in [least, 1 - least]. */
export function clippedProbabilities(least: number): Fault {
  return {
    name: 'loss/clipped-probabilities',
    words: `the loss is computed from probabilities clipped to [${least}, 1 - ${least}]`,
    ...loss,
    network: class extends HandNetwork {
      protected override loss(_: Rows, probabilities: Rows, labels: Row): number {
        const kept = probabilities.map((row, b) => Math.min(Math.max(row[labels[b]], least), 1 - least));
        return kept.reduce((sum, p) => sum - Math.log(p), 0) / this.batch;
      }
    },
  };
}

/** softmax(y / temperature); its gradient with the factor 1 / temperature that differentiation gives, or without. */
export function temperature(value: number, differentiated: boolean): Fault {
  return {
    name: `loss/temperature${differentiated ? '' : '-not-differentiated'}`,
    words: `the logits are divided by a temperature of ${shown(value)} before the softmax${differentiated ? '' : ', which its gradient leaves out'}`,
    ...loss,
    network: class extends HandNetwork {
      private divided(logits: Rows): Rows {
        return logits.map((row) => scale(row, 1 / value));
      }
      protected override softmax(logits: Rows): Rows {
        return super.softmax(this.divided(logits));
      }
      protected override loss(logits: Rows, probabilities: Rows, labels: Row): number {
        return super.loss(this.divided(logits), probabilities, labels);
      }
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        const rows = super.dLogits(probabilities, labels);
        return differentiated ? this.divided(rows) : rows;
      }
    },
  };
}

/** Labels of 1 - share + share / C and share / C, in the gradient, or in the reported loss as well. */
export function labelSmoothing(share: number, inLoss: boolean): Fault {
  return {
    name: `loss/label-smoothing${inLoss ? '' : '-in-gradient'}`,
    words: `labels are smoothed by ${shown(share)}${inLoss ? '' : ' in the gradient, not in the reported loss'}`,
    ...loss,
    network: class extends HandNetwork {
      protected override loss(logits: Rows, probabilities: Rows, labels: Row): number {
        const hard = super.loss(logits, probabilities, labels);
        if (!inLoss) return hard;
        const [{ length: classes }] = logits;
        const each = logits[0].map((_, c) =>
          super.loss(
            logits,
            probabilities,
            labels.map(() => c),
          ),
        );
        return (1 - share) * hard + (share / classes) * each.reduce((sum, l) => sum + l, 0);
      }
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super
          .dLogits(probabilities, labels)
          .map((row, b) =>
            row.map((d, c) => d + (share * (Number(c === labels[b]) - 1 / row.length)) / this.batch),
          );
      }
    },
  };
}

/** lambda w in the gradient of the kernels, or of all weights; the reported loss without it, or with lambda / 2 times the squares. */
export function weightPenalty(lambda: number, ofBiases: boolean, inLoss: boolean): Fault {
  const names = ofBiases ? weightNames : (['kernel', 'recurrentKernel', 'outputKernel'] as const);
  return {
    name: `loss/weight-penalty${ofBiases ? '-of-biases-too' : ''}${inLoss ? '-in-loss-too' : ''}`,
    words: `an L2 penalty is added to the gradients of the ${ofBiases ? 'weights' : 'kernels'}: ${shown(lambda)} times each of them${inLoss ? ', and in the loss' : ''}`,
    family: 'loss',
    phase: inLoss ? 'loss' : 'backward',
    network: class extends HandNetwork {
      protected override finish(answer: Evaluation): Evaluation {
        const { weights } = this.problem;
        const squares = names.reduce(
          (sum, name) => (weights[name]?.data ?? new Float64Array()).reduce((s, w) => s + w * w, sum),
          0,
        );
        const changed = changeGradients(answer, names, (gradient, name) =>
          mapTensor(
            gradient,
            (x, i) => x + lambda * (weights[name as (typeof weightNames)[number]]?.data[i] ?? 0),
          ),
        );
        return inLoss && answer.loss !== undefined
          ? { ...changed, loss: mapTensor(answer.loss, (l) => l + (lambda / 2) * squares) }
          : changed;
      }
    },
  };
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
