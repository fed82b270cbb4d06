import { mapProblem, type Problem } from '../problem';
import { add, HandNetwork } from './hand-network';
import type { Specimen } from './specimen';

type Row = readonly number[];

/** Faults of how weights are used, imported or kept. */
export const weightFaults: readonly Specimen[] = [
  {
    name: 'weights/bias-twice',
    fault: 'the bias is added twice',
    network: class extends HandNetwork {
      protected override preActivation(x: Row, before: Row): number[] {
        return add(super.preActivation(x, before), this.bias);
      }
    },
  },
  {
    name: 'weights/bias-gradient-of-first-example',
    fault: 'the bias gradient is not summed over the batch',
    network: class extends HandNetwork {
      protected override biasGradient(b: number, dz: Row): Row {
        return b === 0 ? dz : dz.map(() => 0);
      }
    },
    shows: ({ inputs }) => inputs.shape[0] > 1,
  },
  ...[0.01, 0.001, 0.0001].map((share): Specimen => ({
    name: `weights/one-weight-off-by-${100 * share}-percent`,
    fault: `one element of the recurrent kernel is ${100 * share} % too large`,
    network: class extends HandNetwork {
      constructor(problem: Problem) {
        const copy = mapProblem(problem, (x) => x);
        copy.weights.recurrentKernel.data[0] *= 1 + share;
        super(copy);
      }
    },
  })),
];
