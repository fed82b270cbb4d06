import { HandNetwork } from './hand-network';
import type { Problem } from '../problem';
import type { Specimen } from './specimen';

type Row = readonly number[];
type Rows = readonly Row[];

const withLabels = ({ labels }: Problem): boolean => labels !== undefined;
const withBatch = ({ labels, inputs }: Problem): boolean => labels !== undefined && inputs.shape[0] > 1;

/** Faults of the softmax cross-entropy. */
export const lossFaults: readonly Specimen[] = [
  {
    name: 'loss/sum-for-mean',
    fault: '1/B is missing in the gradient: that of the sum, not of the mean',
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(probabilities, labels).map((row) => row.map((d) => d * this.batch));
      }
    },
    shows: withBatch,
  },
  {
    name: 'loss/divided-by-steps',
    fault: '1/T is inserted into the gradient',
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(probabilities, labels).map((row) => row.map((d) => d / this.timeSteps));
      }
    },
    shows: ({ labels, inputs }) => labels !== undefined && inputs.shape[1] > 1,
  },
  {
    name: 'loss/softmax-over-batch',
    fault: 'the softmax runs over the examples in place of the classes',
    network: class extends HandNetwork {
      protected override softmax(logits: Rows): Rows {
        const columns = super.softmax(logits[0].map((_, c) => logits.map((row) => row[c])));
        return logits.map((row, b) => row.map((_, c) => columns[c][b]));
      }
    },
    shows: withLabels,
  },
  {
    name: 'loss/labels-shifted',
    fault: 'the label of the next example is used in the gradient',
    network: class extends HandNetwork {
      protected override dLogits(probabilities: Rows, labels: Row): Rows {
        return super.dLogits(probabilities, [...labels.slice(1), labels[0]]);
      }
    },
    shows: ({ labels }) => labels !== undefined && new Set(labels).size > 1,
  },
  {
    name: 'loss/epsilon-in-logarithm',
    fault: 'log(p + 1e-4) in the reported loss, against the logarithm of zero',
    network: class extends HandNetwork {
      protected override loss(_: Rows, probabilities: Rows, labels: Row): number {
        return probabilities.reduce((sum, row, b) => sum - Math.log(row[labels[b]] + 1e-4), 0) / this.batch;
      }
    },
    shows: withLabels,
  },
];
