import { askedForward, faultIn, formula, mapTensor, type Fault } from '../faults/index';

/**
 * Mistakes that any problem of the trial would show, and so are not in its catalogue: they ask for negative inputs, or for examples that
 * differ, and for nothing else.
 */
export const moreFaults: readonly Fault[] = [
  faultIn('weights-import', 'forward')(
    'sign/inputs-cut-at-zero',
    'negative inputs are taken for zero, as behind a ReLU',
    askedForward((problem) => ({ ...problem, inputs: mapTensor(problem.inputs, (x) => Math.max(x, 0)) })),
  ),
  faultIn('weights-import', 'backward')(
    'sign/inputs-cut-at-zero-for-kernel',
    'the gradient of the kernel is summed with negative inputs taken for zero',
    formula({ kernel: 'relu(x_t); dz_t' }),
  ),
  faultIn('memory', 'forward')(
    'batch/inputs-in-another-order',
    'the examples are read in a different order than their labels and initial states',
    askedForward((problem, { batch }) => {
      const { data, shape } = problem.inputs;
      const size = data.length / batch;
      const inputs = {
        shape,
        data: data.map((_, i) => data[data.length - size * (Math.floor(i / size) + 1) + (i % size)]),
      };
      return { ...problem, inputs };
    }),
  ),
];
