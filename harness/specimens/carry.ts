import { add, HandNetwork, times } from './hand-network';
import type { Specimen } from './specimen';

type Row = readonly number[];

/** Faults of what one step sends back to the step before it. */
export const carryFaults: readonly Specimen[] = [
  {
    name: 'carry/accumulated',
    fault:
      "the notebook's first mistake: dh_next + dh_t, so that dh_{t+1} itself is carried on beside its carry",
    network: class extends HandNetwork {
      protected override arriving(laterTotal: Row, fromAbove: Row, carried: Row): number[] {
        return add(add(fromAbove, carried), laterTotal);
      }
    },
    shows: ({ inputs }) => inputs.shape[1] > 1,
  },
  {
    name: 'carry/initial-state-gradient-lost',
    fault: "the notebook's second mistake: the gradient of the initial state is returned as zeros",
    network: class extends HandNetwork {
      protected override initialStateGradient(carried: Row): Row {
        return carried.map(() => 0);
      }
    },
  },
  {
    name: 'carry/dropped',
    fault: 'no step sends anything back: gradients stop after one step',
    network: class extends HandNetwork {
      protected override carry(_t: number, dz: Row): Row {
        return dz.map(() => 0);
      }
    },
  },
  {
    name: 'carry/negated',
    fault: 'the carry has the wrong sign',
    network: class extends HandNetwork {
      protected override carry(t: number, dz: Row): Row {
        return super.carry(t, dz).map((x) => -x);
      }
    },
  },
  {
    name: 'carry/not-transposed',
    fault: 'dz_t recurrentKernel in place of dz_t recurrentKernel^T',
    network: class extends HandNetwork {
      protected override carry(_t: number, dz: Row): Row {
        return times(dz, this.recurrentKernel);
      }
    },
    shows: ({ weights }) => weights.bias.shape[0] > 1,
  },
  {
    name: 'carry/truncated',
    fault: 'backpropagation is cut: nothing is carried past the last four steps',
    network: class extends HandNetwork {
      protected override carry(t: number, dz: Row): Row {
        return t === this.timeSteps - 4 ? dz.map(() => 0) : super.carry(t, dz);
      }
    },
    shows: ({ inputs }) => inputs.shape[1] > 4,
  },
];
