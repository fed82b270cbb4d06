import { HandNetwork } from './hand-network';
import { zerosLike, type Row } from './rows';
import { all, hasGradients, hasInitialState, moreThanOneExample, moreThanOneStep } from './shows';
import type { Fault } from './fault';

const backward = { family: 'wrong-time-step', phase: 'backward' } as const;
const forward = { family: 'wrong-time-step', phase: 'forward' } as const;
const manySteps = { shows: all(hasGradients, moreThanOneStep), equivalent: 'T = 1: there is no other step' };

/** Faults of time: the wrong step is read, or one is left out. */
export const stepFaults: readonly Fault[] = [
  {
    name: 'steps/state-after-for-state-before',
    words: 'dRecurrentKernel is summed with h_t in place of h_{t-1}',
    family: 'previous-state',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override stateForRecurrentKernel(b: number, t: number): Row {
        return this.states[b][t];
      }
    },
  },
  {
    name: 'steps/next-input',
    words: 'dKernel is summed with x_{t+1} in place of x_t (the last step keeps its own)',
    ...backward,
    network: class extends HandNetwork {
      protected override inputForKernel(b: number, t: number): Row {
        return this.inputs[b][Math.min(t + 1, this.timeSteps - 1)];
      }
    },
    ...manySteps,
  },
  {
    name: 'steps/previous-input',
    words: 'dKernel is summed with x_{t-1} in place of x_t (the first step keeps its own)',
    ...backward,
    network: class extends HandNetwork {
      protected override inputForKernel(b: number, t: number): Row {
        return this.inputs[b][Math.max(t - 1, 0)];
      }
    },
    ...manySteps,
  },
  {
    name: 'steps/first-step-skipped',
    words: 'the backward loop ends at the second step',
    ...backward,
    network: class extends HandNetwork {
      protected override backwardSteps(): number[] {
        return super.backwardSteps().slice(0, -1);
      }
    },
  },
  {
    name: 'steps/last-step-skipped',
    words: 'the backward loop begins at the last but one step, with what arrived at the last',
    ...backward,
    network: class extends HandNetwork {
      protected override backwardSteps(): number[] {
        return super.backwardSteps().slice(1);
      }
      protected override fromAbove(b: number, t: number, dFinalState: Row | undefined): number[] {
        return super.fromAbove(b, t === this.timeSteps - 2 ? t + 1 : t, dFinalState);
      }
    },
  },
  {
    name: 'steps/input-gradients-reversed',
    words: 'the gradients of the inputs are stored in the order they are computed in, the last step first',
    ...backward,
    network: class extends HandNetwork {
      protected override inputGradientStep(t: number): number {
        return this.timeSteps - 1 - t;
      }
    },
    ...manySteps,
  },
  {
    name: 'steps/forward-next-input',
    words: 'the forward pass reads x_{t+1} in place of x_t (the last step reads its own)',
    ...forward,
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        return this.inputs[b][Math.min(t + 1, this.timeSteps - 1)];
      }
    },
    shows: moreThanOneStep,
    equivalent: manySteps.equivalent,
  },
  {
    name: 'steps/forward-previous-input',
    words: 'the forward pass reads x_{t-1} in place of x_t (the first step reads its own)',
    ...forward,
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        return this.inputs[b][Math.max(t - 1, 0)];
      }
    },
    shows: moreThanOneStep,
    equivalent: manySteps.equivalent,
  },
  {
    name: 'steps/final-state-is-last-but-one',
    words: 'the loop counts one too few: the final state is h_{T-1}',
    ...forward,
    network: class extends HandNetwork {
      protected override finalState(b: number): Row {
        return this.stateBefore(b, this.timeSteps - 1);
      }
    },
    shows: () => true,
  },
  {
    name: 'initial-state/gradient-lost',
    words: "the notebook's second mistake: the gradient of the initial state is returned as zeros",
    family: 'notebook',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override initialStateGradient(carried: Row): Row {
        return zerosLike(carried);
      }
    },
  },
  {
    name: 'initial-state/gradient-of-first-state',
    words: 'dh_1 is returned as the gradient of the initial state, one step too early',
    family: 'initial-state',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override initialStateGradient(_carried: Row, first: Row): Row {
        return first;
      }
    },
  },
  {
    name: 'initial-state/ignored',
    words: 'the forward pass starts from zeros in place of the given initial state',
    family: 'initial-state',
    phase: 'forward',
    network: class extends HandNetwork {
      protected override initialState(): Row {
        return zerosLike(this.bias);
      }
    },
    shows: hasInitialState,
    equivalent: 'the initial state is zero anyway',
  },
  {
    name: 'initial-state/of-first-example',
    words: 'every example starts from the initial state of the first one',
    family: 'initial-state',
    phase: 'forward',
    network: class extends HandNetwork {
      protected override initialState(): Row {
        return super.initialState(0);
      }
    },
    shows: all(hasInitialState, moreThanOneExample),
    equivalent: 'there is one example, or every example starts from zeros',
  },
  {
    name: 'initial-state/left-out-of-recurrent-kernel',
    words: 'dRecurrentKernel leaves out the first step, as if the initial state were zero',
    family: 'initial-state',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override stateForRecurrentKernel(b: number, t: number): Row {
        return t === 0 ? zerosLike(this.bias) : super.stateForRecurrentKernel(b, t);
      }
    },
    shows: all(hasGradients, hasInitialState),
    equivalent: 'the initial state is zero, so that the first step adds nothing',
  },
];
