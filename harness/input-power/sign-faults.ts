import { HandNetwork, type Specimen } from '../specimens/index';

type Row = readonly number[];
const cut = (row: Row): number[] => row.map((x) => Math.max(x, 0));

/** Mistakes of the sign: they ask for negative numbers, and for nothing else, and so are not in the catalogue of the trial. */
export const signFaults: readonly Specimen[] = [
  {
    name: 'sign/inputs-cut-at-zero',
    fault: 'negative inputs are taken for zero, as behind a ReLU',
    family: 'weights-import',
    phase: 'forward',
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        return cut(super.inputAt(b, t));
      }
    },
    shows: ({ inputs }) => inputs.data.some((x) => x < 0),
    equivalent: 'no input is negative',
  },
  {
    name: 'sign/inputs-cut-at-zero-for-kernel',
    fault: 'the gradient of the kernel is summed with negative inputs taken for zero',
    family: 'weights-import',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override inputForKernel(b: number, t: number): Row {
        return cut(super.inputForKernel(b, t));
      }
    },
    shows: ({ inputs, labels, upstream }) =>
      (labels ?? upstream) !== undefined && inputs.data.some((x) => x < 0),
    equivalent: 'no input is negative',
  },
];
