import { faultIn, type Fault } from '../faults/index';

const cut = (row: readonly number[]): number[] => row.map((x) => Math.max(x, 0));

/**
 * Mistakes that any problem of the trial would show, and so are not in its catalogue: they ask for negative inputs, or for examples that
 * differ, and for nothing else.
 */
export const moreFaults: readonly Fault[] = [
  faultIn('weights-import', 'forward')(
    'sign/inputs-cut-at-zero',
    'negative inputs are taken for zero, as behind a ReLU',
    { inputAt: ({ right }, b, t) => cut(right(b, t)) },
  ),
  faultIn('weights-import', 'backward')(
    'sign/inputs-cut-at-zero-for-kernel',
    'the gradient of the kernel is summed with negative inputs taken for zero',
    { inputForKernel: ({ right }, b, t) => cut(right(b, t)) },
  ),
  faultIn('memory', 'forward')(
    'batch/inputs-in-another-order',
    'the examples are read in a different order than their labels and initial states',
    { inputAt: ({ own, right }, b, t) => right(own.batch - 1 - b, t) },
  ),
];
