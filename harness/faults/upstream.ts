import { HandNetwork } from './hand-network';
import { add, scale, zerosLike, type Row } from './rows';
import type { Fault } from './fault';

const upstream = { family: 'upstream', phase: 'backward' } as const;

/** Faults of what reaches the states from outside the layer. */
export const upstreamFaults: readonly Fault[] = [
  {
    name: 'upstream/states-dropped',
    words: 'the gradient given for the states is dropped: only the final state counts',
    ...upstream,
    network: class extends HandNetwork {
      protected override upstreamState(): Row {
        return zerosLike(this.bias);
      }
    },
  },
  {
    name: 'upstream/states-counted-twice',
    words: 'the gradient given for the states is added twice',
    ...upstream,
    network: class extends HandNetwork {
      protected override upstreamState(b: number, t: number): Row {
        return scale(super.upstreamState(b, t), 2);
      }
    },
  },
  {
    name: 'upstream/states-one-step-late',
    words: 'the gradient given for h_{t-1} is added to that of h_t',
    ...upstream,
    network: class extends HandNetwork {
      protected override upstreamState(b: number, t: number): Row {
        return super.upstreamState(b, Math.max(t - 1, 0));
      }
    },
  },
  {
    name: 'upstream/final-state-dropped',
    words: 'the gradient given for the final state is dropped',
    ...upstream,
    network: class extends HandNetwork {
      protected override upstreamFinalState(): Row {
        return zerosLike(this.bias);
      }
    },
  },
  {
    name: 'upstream/final-state-counted-twice',
    words: 'the gradient given for the final state is added twice',
    ...upstream,
    network: class extends HandNetwork {
      protected override upstreamFinalState(b: number): Row {
        return scale(super.upstreamFinalState(b), 2);
      }
    },
  },
  {
    name: 'upstream/final-state-overwrites-states',
    words:
      'at the last step the gradient of the final state replaces that of the states instead of being added to it',
    ...upstream,
    network: class extends HandNetwork {
      protected override upstreamState(b: number, t: number): Row {
        return t === this.timeSteps - 1 ? zerosLike(this.bias) : super.upstreamState(b, t);
      }
    },
  },
  {
    name: 'upstream/loss-at-every-step',
    words: 'the gradient of the loss is added at every step, as if the loss looked at every state',
    ...upstream,
    network: class extends HandNetwork {
      protected override fromAbove(b: number, t: number, dFinalState: Row | undefined): number[] {
        const right = super.fromAbove(b, t, dFinalState);
        return dFinalState === undefined || t === this.timeSteps - 1 ? right : add(right, dFinalState);
      }
    },
  },
];
