import { HandNetwork } from './hand-network';
import type { Specimen } from './specimen';

type Row = readonly number[];

/** Faults of time: the wrong step is read, or one is left out. */
export const stepFaults: readonly Specimen[] = [
  {
    name: 'steps/state-after-for-state-before',
    fault: 'dRecurrentKernel is summed with h_t in place of h_{t-1}',
    network: class extends HandNetwork {
      protected override stateForRecurrentKernel(b: number, t: number): Row {
        return this.states[b][t];
      }
    },
  },
  {
    name: 'steps/next-input',
    fault: 'dKernel is summed with x_{t+1} in place of x_t (the last step keeps its own)',
    network: class extends HandNetwork {
      protected override inputForKernel(b: number, t: number): Row {
        return this.inputs[b][Math.min(t + 1, this.timeSteps - 1)];
      }
    },
    shows: ({ inputs }) => inputs.shape[1] > 1,
  },
  {
    name: 'steps/first-step-skipped',
    fault: 'the backward loop ends at the second step',
    network: class extends HandNetwork {
      protected override backwardSteps(): number[] {
        return super.backwardSteps().slice(0, -1);
      }
    },
    shows: ({ inputs }) => inputs.shape[1] > 1,
  },
  {
    name: 'steps/state-leaks-across-examples',
    fault: 'the state is not reset: an example starts from the last state of the one before it',
    network: class extends HandNetwork {
      protected override initialState(b: number): Row {
        return b === 0 ? super.initialState(b) : this.states[b - 1][this.timeSteps - 1];
      }
    },
    shows: ({ inputs }) => inputs.shape[0] > 1,
  },
];
