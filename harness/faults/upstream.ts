import { HandNetwork } from './hand-network';
import { add, scale, zerosLike, type Row } from './rows';
import { all, hasLabels, hasUpstreamFinalState, hasUpstreamStates, moreThanOneStep } from './shows';
import type { Fault } from './fault';

const arriving = { family: 'arriving', phase: 'backward' } as const;
const noStates = 'no gradient is given for the states';
const noFinalState = 'no gradient is given for the final state';

/** Faults of what reaches the states from outside the layer. */
export const upstreamFaults: readonly Fault[] = [
  {
    name: 'arriving/states-dropped',
    words: 'the gradient given for the states is dropped: only the final state counts',
    ...arriving,
    network: class extends HandNetwork {
      protected override upstreamState(): Row {
        return zerosLike(this.bias);
      }
    },
    shows: hasUpstreamStates,
    equivalent: noStates,
  },
  {
    name: 'arriving/states-counted-twice',
    words: 'the gradient given for the states is added twice',
    ...arriving,
    network: class extends HandNetwork {
      protected override upstreamState(b: number, t: number): Row {
        return scale(super.upstreamState(b, t), 2);
      }
    },
    shows: hasUpstreamStates,
    equivalent: noStates,
  },
  {
    name: 'arriving/states-one-step-late',
    words: 'the gradient given for h_{t-1} is added to that of h_t',
    ...arriving,
    network: class extends HandNetwork {
      protected override upstreamState(b: number, t: number): Row {
        return super.upstreamState(b, Math.max(t - 1, 0));
      }
    },
    shows: all(hasUpstreamStates, moreThanOneStep),
    equivalent: `T = 1, or ${noStates}`,
  },
  {
    name: 'arriving/final-state-dropped',
    words: 'the gradient given for the final state is dropped',
    ...arriving,
    network: class extends HandNetwork {
      protected override upstreamFinalState(): Row {
        return zerosLike(this.bias);
      }
    },
    shows: hasUpstreamFinalState,
    equivalent: noFinalState,
  },
  {
    name: 'arriving/final-state-counted-twice',
    words: 'the gradient given for the final state is added twice',
    ...arriving,
    network: class extends HandNetwork {
      protected override upstreamFinalState(b: number): Row {
        return scale(super.upstreamFinalState(b), 2);
      }
    },
    shows: hasUpstreamFinalState,
    equivalent: noFinalState,
  },
  {
    name: 'arriving/final-state-overwrites-states',
    words:
      'at the last step the gradient of the final state replaces that of the states, in place of being added',
    ...arriving,
    network: class extends HandNetwork {
      protected override upstreamState(b: number, t: number): Row {
        return t === this.timeSteps - 1 ? zerosLike(this.bias) : super.upstreamState(b, t);
      }
    },
    shows: hasUpstreamStates,
    equivalent: noStates,
  },
  {
    name: 'arriving/loss-at-every-step',
    words: 'the gradient of the loss is added at every step, as if the loss looked at every state',
    ...arriving,
    network: class extends HandNetwork {
      protected override fromAbove(b: number, t: number, dFinalState: Row | undefined): number[] {
        const right = super.fromAbove(b, t, dFinalState);
        return dFinalState === undefined || t === this.timeSteps - 1 ? right : add(right, dFinalState);
      }
    },
    shows: all(hasLabels, moreThanOneStep),
    equivalent: 'T = 1, or there is no loss',
  },
];
