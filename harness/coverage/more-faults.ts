import { HandNetwork, type Fault } from '../faults/index';

type Row = readonly number[];
const cut = (row: Row): number[] => row.map((x) => Math.max(x, 0));

/**
 * Mistakes that any problem of the trial would show, and so are not in its catalogue: they ask for negative inputs, or for examples that
 * differ, and for nothing else.
 */
export const moreFaults: readonly Fault[] = [
  {
    name: 'sign/inputs-cut-at-zero',
    words: 'negative inputs are taken for zero, as behind a ReLU',
    family: 'weights-import',
    phase: 'forward',
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        return cut(super.inputAt(b, t));
      }
    },
  },
  {
    name: 'sign/inputs-cut-at-zero-for-kernel',
    words: 'the gradient of the kernel is summed with negative inputs taken for zero',
    family: 'weights-import',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override inputForKernel(b: number, t: number): Row {
        return cut(super.inputForKernel(b, t));
      }
    },
  },
  {
    name: 'batch/inputs-in-another-order',
    words: 'the examples are read in a different order than their labels and initial states',
    family: 'memory',
    phase: 'forward',
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        return super.inputAt(this.batch - 1 - b, t);
      }
    },
  },
];
