import { changeGradients, mapTensor } from './answers';
import { HandNetwork } from './hand-network';
import { zerosLike, type Row } from './rows';
import type { Fault } from './fault';

const backward = { family: 'wrong-time-step', phase: 'backward' } as const;
const forward = { family: 'wrong-time-step', phase: 'forward' } as const;

/** Faults of time: the wrong step is read, or one is left out. */
export const stepFaults: readonly Fault[] = [
  {
    name: 'steps/state-after-for-state-before',
    words: 'dRecurrentKernel is summed with h_t instead of h_{t-1}',
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
    words: 'dKernel is summed with x_{t+1} instead of x_t (the last step keeps its own)',
    ...backward,
    network: class extends HandNetwork {
      protected override inputForKernel(b: number, t: number): Row {
        return this.inputs[b][Math.min(t + 1, this.timeSteps - 1)];
      }
    },
  },
  {
    name: 'steps/previous-input',
    words: 'dKernel is summed with x_{t-1} instead of x_t (the first step keeps its own)',
    ...backward,
    network: class extends HandNetwork {
      protected override inputForKernel(b: number, t: number): Row {
        return this.inputs[b][Math.max(t - 1, 0)];
      }
    },
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
    words: 'the backward loop begins at the second last step, with the gradient that arrived at the last',
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
    words: 'the gradients of the inputs are stored in the order of computation, last step first',
    ...backward,
    network: class extends HandNetwork {
      protected override inputGradientStep(t: number): number {
        return this.timeSteps - 1 - t;
      }
    },
  },
  {
    name: 'steps/forward-next-input',
    words: 'the forward pass reads x_{t+1} instead of x_t (the last step reads its own)',
    ...forward,
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        return this.inputs[b][Math.min(t + 1, this.timeSteps - 1)];
      }
    },
  },
  {
    name: 'steps/forward-previous-input',
    words: 'the forward pass reads x_{t-1} instead of x_t (the first step reads its own)',
    ...forward,
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        return this.inputs[b][Math.max(t - 1, 0)];
      }
    },
  },
  {
    name: 'steps/final-state-is-last-but-one',
    words: 'the loop runs one step too few: the final state is h_{T-1}',
    ...forward,
    network: class extends HandNetwork {
      protected override finalState(b: number): Row {
        return this.stateBefore(b, this.timeSteps - 1);
      }
    },
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
    words: 'the forward pass starts from zeros instead of the given initial state',
    family: 'initial-state',
    phase: 'forward',
    network: class extends HandNetwork {
      protected override initialState(): Row {
        return zerosLike(this.bias);
      }
    },
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
  },
  {
    name: 'steps/state-before-ignored',
    words: 'the previous state is ignored: every step is computed from its input alone',
    ...forward,
    network: class extends HandNetwork {
      protected override preActivation(x: Row, before: Row, t: number): number[] {
        return super.preActivation(x, zerosLike(before), t);
      }
    },
  },
  {
    name: 'steps/sequence-reversed',
    words: 'the forward pass reads the sequence from its end to its beginning',
    ...forward,
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        return this.inputs[b][this.timeSteps - 1 - t];
      }
    },
  },
  {
    name: 'steps/next-input-and-zeros',
    words: 'the forward pass reads x_{t+1} instead of x_t, and zeros at the last step',
    ...forward,
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        return t === this.timeSteps - 1 ? zerosLike(this.inputs[b][t]) : this.inputs[b][t + 1];
      }
    },
  },
  {
    name: 'steps/zeros-and-previous-input',
    words: 'the forward pass reads x_{t-1} instead of x_t, and zeros at the first step',
    ...forward,
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        return t === 0 ? zerosLike(this.inputs[b][t]) : this.inputs[b][t - 1];
      }
    },
  },
  {
    name: 'steps/first-input-skipped',
    words: 'the forward pass does not see the first input: zeros are read instead',
    ...forward,
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        return t === 0 ? zerosLike(this.inputs[b][t]) : this.inputs[b][t];
      }
    },
  },
  {
    name: 'steps/final-state-averaged',
    words: 'the final state is the mean of all states, not the last one',
    ...forward,
    network: class extends HandNetwork {
      protected override finalState(b: number): Row {
        const states = this.states[b];
        return states[0].map((_, j) => states.reduce((sum, h) => sum + h[j], 0) / states.length);
      }
    },
  },
  {
    name: 'initial-state/gradient-summed-over-batch',
    words: 'the gradient of the initial state is summed over the batch, as if all examples shared one',
    family: 'initial-state',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override finish(answer: ReturnType<HandNetwork['evaluate']>) {
        return changeGradients(answer, ['initialState'], ({ data, shape }) => {
          const sum = zerosLike(this.bias).map((_, j) =>
            data.filter((_x, i) => i % shape[1] === j).reduce((s, x) => s + x, 0),
          );
          return mapTensor({ data, shape }, (_, i) => sum[i % shape[1]]);
        });
      }
    },
  },
];
