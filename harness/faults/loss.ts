import { HandNetwork } from './hand-network';
import type { Precision, Problem } from '../base/problem';
import { changeGradients, mapTensor } from './answers';
import { scale, times, transpose, type Row, type Rows } from './rows';
import type { Fault } from './fault';

const mean = { family: 'batch-mean', phase: 'loss' } as const;
const loss = { family: 'loss', phase: 'loss' } as const;
/** Faults of the softmax cross-entropy, and of the mean over the batch. */
export const lossFaults: readonly Fault[] = [
  {
    name: 'loss/sum-for-mean',
    words: '1/B is missing in the gradient: it is the gradient of the sum, not of the mean',
    ...mean,
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(probabilities, labels).map((row) => scale(row, this.batch));
      }
    },
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
  },
  {
    name: 'loss/layer-means-too',
    words: "the layer averages its weights' gradients over the batch, although the loss already does",
    family: 'batch-mean',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override finish(answer: ReturnType<HandNetwork['evaluate']>) {
        return changeGradients(answer, ['kernel', 'recurrentKernel', 'bias'], (tensor) =>
          mapTensor(tensor, (x) => x / this.batch),
        );
      }
    },
  },
  {
    name: 'loss/sum-for-mean-throughout',
    words:
      "the sum over the batch is taken instead of the mean (reduction='sum'): loss and gradients are B times as large",
    ...mean,
    network: class extends HandNetwork {
      protected override loss(logits: Rows, probabilities: Rows, labels: Row): number {
        return super.loss(logits, probabilities, labels) * this.batch;
      }
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(probabilities, labels).map((row) => scale(row, this.batch));
      }
    },
  },
  {
    name: 'loss/sum-reported',
    words: 'the reported loss is the sum over the batch, not the mean; its gradient is correct',
    ...mean,
    network: class extends HandNetwork {
      protected override loss(logits: Rows, probabilities: Rows, labels: Row): number {
        return super.loss(logits, probabilities, labels) * this.batch;
      }
    },
  },
  {
    name: 'loss/softmax-over-batch',
    words: 'the softmax runs over the examples instead of the classes',
    ...loss,
    network: class extends HandNetwork {
      protected override softmax(logits: Rows): Rows {
        const columns = super.softmax(logits[0].map((_, c) => logits.map((row) => row[c])));
        return logits.map((row, b) => row.map((_, c) => columns[c][b]));
      }
    },
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
  },
  ...[1, -1].map((shift): Fault => ({
    name: `loss/label-of-${shift > 0 ? 'next' : 'previous'}-example`,
    words: `labels are shifted by one: each example is held to the label of the ${shift > 0 ? 'next' : 'previous'} one`,
    ...loss,
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        const { labels } = problem;
        return labels === undefined
          ? problem
          : { ...problem, labels: labels.map((_, b) => labels[(b + shift + labels.length) % labels.length]) };
      }
    },
  })),
  {
    name: 'loss/classes-counted-from-one',
    words: 'labels are counted from 1: the class after the correct one is used',
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
  },
  {
    name: 'loss/label-forgotten',
    words: 'p / B instead of (p - onehot) / B: the label is not subtracted',
    ...loss,
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(
          probabilities,
          labels.map(() => -1),
        );
      }
    },
  },
  {
    name: 'loss/softmax-derivative-twice',
    words:
      'p - onehot is multiplied by p (1 - p), although it already contains the derivative of the softmax',
    ...loss,
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super
          .dLogits(probabilities, labels)
          .map((row, b) => row.map((d, c) => d * probabilities[b][c] * (1 - probabilities[b][c])));
      }
    },
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
  },
  {
    name: 'loss/base-two-throughout',
    words: 'the logarithm has base 2, in the loss and in its gradient',
    ...loss,
    network: class extends HandNetwork {
      protected override loss(logits: Rows, probabilities: Rows, labels: Row): number {
        return super.loss(logits, probabilities, labels) / Math.LN2;
      }
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(probabilities, labels).map((row) => scale(row, 1 / Math.LN2));
      }
    },
  },
  {
    name: 'loss/last-class-not-computed',
    words: 'a loop ends one iteration too early: the logit of the last class stays zero',
    ...loss,
    network: class extends HandNetwork {
      protected override logits(h: Row): number[] {
        return super.logits(h).map((y, c, all) => (c === all.length - 1 ? 0 : y));
      }
    },
  },
  {
    name: 'loss/last-class-left-out-of-softmax',
    words: 'a loop ends one iteration too early: the softmax leaves out the last class',
    ...loss,
    network: class extends HandNetwork {
      protected override softmax(logits: Rows): Rows {
        return logits.map((row) => [...super.softmax([row.slice(0, -1)])[0], 0]);
      }
    },
  },
  ...ofRange('float64', 2 ** -1074, Math.log(Number.MAX_VALUE)),
  ...ofRange('float32', 2 ** -126, Math.log(3.4028234663852886e38)),
  {
    name: 'transpose/output-kernel',
    words: 'dy outputKernel arrives at the final state instead of dy outputKernel^T',
    family: 'transpose',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override fromOutput(dLogits: Row): Row {
        const { outputKernel = [] } = this;
        const square = outputKernel.length === dLogits.length;
        return times(dLogits, square ? outputKernel : transpose(outputKernel));
      }
    },
  },
];

/** Textbook formulas that fail where numbers leave the range of the precision. */
function ofRange(precision: Precision, smallest: number, largest: number): Fault[] {
  const suffix = precision === 'float32' ? '-in-float32' : '';
  return [
    {
      name: `loss/logarithm-of-softmax${suffix}`,
      words: `the loss is -log(p) of the probability p, which is 0 in ${precision} where the logits are more than ${Math.floor(-Math.log(smallest))} apart: the loss is infinite there; take log(sum exp y) - y_label`,
      ...loss,
      precision,
      network: class extends HandNetwork {
        protected override loss(_: Rows, probabilities: Rows, labels: Row): number {
          const each = probabilities.map(
            (row, b) => -Math.log(row[labels[b]] < smallest ? 0 : row[labels[b]]),
          );
          return each.reduce((sum, l) => sum + l, 0) / this.batch;
        }
      },
    },
    {
      name: `loss/softmax-without-shift${suffix}`,
      words: `e^y is computed from the unshifted logits and overflows in ${precision} above y = ${Math.floor(largest)}: probabilities are NaN there; subtract the largest logit first`,
      ...loss,
      precision,
      network: class extends HandNetwork {
        protected override softmax(logits: Rows): Rows {
          const overflows = (row: Row): boolean => row.some((y) => y > largest);
          return super.softmax(logits).map((row, b) => {
            if (!overflows(logits[b])) return row;
            return logits[b].map((y) => (y > largest ? NaN : 0));
          });
        }
        protected override loss(logits: Rows, probabilities: Rows, labels: Row): number {
          const isHit = logits.some((row) => row.some((y) => y > largest));
          if (!isHit) return super.loss(logits, probabilities, labels);
          const each = probabilities.map((row, b) => -Math.log(row[labels[b]]));
          return each.reduce((sum, l) => sum + l, 0) / this.batch;
        }
      },
    },
  ];
}
