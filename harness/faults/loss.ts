import { HandNetwork } from './hand-network';
import type { Problem } from '../base/problem';
import { changeGradients, mapTensor } from './answers';
import { rightAnswer } from './plant';
import { scale, times, transpose, type Row, type Rows } from './rows';
import {
  all,
  hasGradients,
  hasLabels,
  hasOutput,
  moreThanOneExample,
  moreThanOneStep,
  unitsAreClasses,
} from './shows';
import type { Fault } from './fault';

const mean = { family: 'batch-mean', phase: 'loss' } as const;
const loss = { family: 'loss', phase: 'loss' } as const;
const withBatch = {
  shows: all(hasLabels, moreThanOneExample),
  equivalent: 'B = 1, or there is no loss',
};
const withLabels = { shows: hasLabels, equivalent: 'there is no loss' };
/** What a clipped probability may not fall below, or come closer to 1 than. */
const clip = 0.1;

/** Faults of the softmax cross-entropy, and of the mean over the batch. */
export const lossFaults: readonly Fault[] = [
  {
    name: 'loss/sum-for-mean',
    words: '1/B is missing in the gradient: that of the sum, not of the mean',
    ...mean,
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(probabilities, labels).map((row) => scale(row, this.batch));
      }
    },
    ...withBatch,
  },
  {
    name: 'loss/mean-twice',
    words: '1/B is applied twice in the gradient',
    ...mean,
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(probabilities, labels).map((row) => scale(row, 1 / this.batch));
      }
    },
    ...withBatch,
  },
  {
    name: 'loss/divided-by-steps',
    words: '1/T is inserted into the gradient',
    ...mean,
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(probabilities, labels).map((row) => scale(row, 1 / this.timeSteps));
      }
    },
    shows: all(hasLabels, moreThanOneStep),
    equivalent: 'T = 1, or there is no loss',
  },
  {
    name: 'loss/divided-by-classes',
    words: '1/C is inserted into the gradient',
    ...mean,
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(probabilities, labels).map((row) => scale(row, 1 / row.length));
      }
    },
    shows: ({ labels, weights }) => labels !== undefined && (weights.outputBias?.shape[0] ?? 1) > 1,
    equivalent: 'C = 1, or there is no loss',
  },
  {
    name: 'loss/layer-means-too',
    words:
      "the layer takes the mean over the batch in its weights' gradients, which the loss has done already",
    family: 'batch-mean',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override finish(answer: ReturnType<HandNetwork['evaluate']>) {
        return changeGradients(answer, ['kernel', 'recurrentKernel', 'bias'], (tensor) =>
          mapTensor(tensor, (x) => x / this.batch),
        );
      }
    },
    shows: all(hasGradients, moreThanOneExample),
    equivalent: 'B = 1',
  },
  {
    name: 'loss/sum-reported',
    words: 'the reported loss is the sum over the batch, not the mean; its gradient is right',
    ...mean,
    network: class extends HandNetwork {
      protected override loss(logits: Rows, probabilities: Rows, labels: Row): number {
        return super.loss(logits, probabilities, labels) * this.batch;
      }
    },
    ...withBatch,
  },
  {
    name: 'loss/softmax-over-batch',
    words: 'the softmax runs over the examples in place of the classes',
    ...loss,
    network: class extends HandNetwork {
      protected override softmax(logits: Rows): Rows {
        const columns = super.softmax(logits[0].map((_, c) => logits.map((row) => row[c])));
        return logits.map((row, b) => row.map((_, c) => columns[c][b]));
      }
    },
    shows: hasOutput,
    equivalent: 'there is no output layer',
  },
  {
    name: 'loss/labels-shifted',
    words: 'the label of the next example is used in the gradient',
    ...loss,
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(probabilities, [...labels.slice(1), labels[0]]);
      }
    },
    shows: ({ labels }) => labels !== undefined && new Set(labels).size > 1,
    equivalent: 'all labels are the same',
  },
  {
    name: 'loss/classes-counted-from-one',
    words: 'labels are counted from 1: the class after the right one is taken',
    ...loss,
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        const classes = problem.weights.outputBias?.shape[0] ?? 1;
        const { labels, ...rest } = problem;
        return labels === undefined
          ? rest
          : { ...rest, labels: labels.map((label) => (label + 1) % classes) };
      }
    },
    shows: ({ labels, weights }) => labels !== undefined && (weights.outputBias?.shape[0] ?? 1) > 1,
    equivalent: 'C = 1, or there is no loss',
  },
  {
    name: 'loss/label-forgotten',
    words: 'p / B in place of (p - onehot) / B: the label is not subtracted',
    ...loss,
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(
          probabilities,
          labels.map(() => -1),
        );
      }
    },
    ...withLabels,
  },
  {
    name: 'loss/softmax-derivative-twice',
    words: 'p (1 - p) is multiplied to p - onehot, which already holds the derivative of the softmax',
    ...loss,
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super
          .dLogits(probabilities, labels)
          .map((row, b) => row.map((d, c) => d * probabilities[b][c] * (1 - probabilities[b][c])));
      }
    },
    ...withLabels,
  },
  {
    name: 'loss/epsilon-in-logarithm',
    words: 'log(p + 1e-4) in the reported loss, against the logarithm of zero',
    ...loss,
    network: class extends HandNetwork {
      protected override loss(_: Rows, probabilities: Rows, labels: Row): number {
        return probabilities.reduce((sum, row, b) => sum - Math.log(row[labels[b]] + 1e-4), 0) / this.batch;
      }
    },
    ...withLabels,
  },
  {
    name: 'loss/clipped-probabilities',
    words: `the loss is taken from probabilities clipped to [${clip}, ${1 - clip}]`,
    ...loss,
    network: class extends HandNetwork {
      protected override loss(_: Rows, probabilities: Rows, labels: Row): number {
        const kept = probabilities.map((row, b) => Math.min(Math.max(row[labels[b]], clip), 1 - clip));
        return kept.reduce((sum, p) => sum - Math.log(p), 0) / this.batch;
      }
    },
    shows: (problem) => {
      const { probabilities } = rightAnswer(problem);
      const [, classes] = probabilities?.shape ?? [];
      const at = (b: number, label: number): number => probabilities?.data[b * classes + label] ?? 0.5;
      return problem.labels?.some((label, b) => at(b, label) < clip || at(b, label) > 1 - clip) === true;
    },
    equivalent: 'no probability of a label is close to 0 or 1, so that nothing is clipped',
  },
  {
    name: 'loss/base-two',
    words: 'the loss is reported in bits, not in nats: the logarithm has base 2',
    ...loss,
    network: class extends HandNetwork {
      protected override loss(logits: Rows, probabilities: Rows, labels: Row): number {
        return super.loss(logits, probabilities, labels) / Math.LN2;
      }
    },
    ...withLabels,
  },
  {
    name: 'transpose/output-kernel',
    words: 'dy outputKernel arrives at the final state in place of dy outputKernel^T',
    family: 'transpose',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override fromOutput(dLogits: Row): Row {
        const { outputKernel = [] } = this;
        const square = outputKernel.length === dLogits.length;
        return times(dLogits, square ? outputKernel : transpose(outputKernel));
      }
    },
    shows: all(hasLabels, unitsAreClasses),
    equivalent: 'U is not C, so that the shapes would not fit, or there is no loss',
  },
];
