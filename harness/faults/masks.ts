import type { Evaluation } from '../base/problem';
import { mapTensor } from './answers';
import { HandNetwork } from './hand-network';
import { zerosLike, type Row } from './rows';
import type { Fault } from './fault';

const forward = { family: 'masks', phase: 'forward' } as const;
const backward = { family: 'masks', phase: 'backward' } as const;

/** Faults of masked steps. */
export const maskFaults: readonly Fault[] = [
  {
    name: 'masks/ignored',
    words: 'the mask is ignored: padding counts as input',
    ...forward,
    network: class extends HandNetwork {
      protected override takesPart(): boolean {
        return true;
      }
    },
  },
  {
    name: 'masks/inverted',
    words: 'the mask is inverted: 1 means masked',
    family: 'masks',
    phase: 'forward',
    network: class extends HandNetwork {
      protected override takesPart(b: number, t: number): boolean {
        return this.problem.mask === undefined || !super.takesPart(b, t);
      }
    },
  },
  {
    name: 'masks/of-first-example',
    words: 'the mask of the first example is used for all',
    family: 'masks',
    phase: 'forward',
    network: class extends HandNetwork {
      protected override takesPart(_b: number, t: number): boolean {
        return super.takesPart(0, t);
      }
    },
  },
  {
    name: 'masks/zero-the-state',
    words: 'a masked step sets the state to zero instead of keeping it',
    ...forward,
    network: class extends HandNetwork {
      protected override maskedState(before: Row): number[] {
        return zerosLike(before);
      }
    },
  },
  {
    name: 'masks/forward-only',
    words: 'the mask is applied to the states but not to the gradients',
    ...backward,
    network: class extends HandNetwork {
      protected override maskedPreActivation(b: number, t: number, dh: Row): Row {
        return this.dPreActivation(b, t, dh);
      }
      protected override maskedCarry(t: number, dz: Row, dh: Row): Row {
        return this.carry(t, dz, dh);
      }
    },
  },
  {
    name: 'masks/masked-step-adds-to-gradients',
    words:
      'a masked step passes its gradient on correctly, but still adds to the gradients of weights and inputs',
    ...backward,
    network: class extends HandNetwork {
      protected override maskedPreActivation(b: number, t: number, dh: Row): Row {
        return this.dPreActivation(b, t, dh);
      }
    },
  },
  {
    name: 'masks/carry-lost',
    words: 'a masked step passes no gradient on',
    ...backward,
    network: class extends HandNetwork {
      protected override maskedCarry(_t: number, _dz: Row, dh: Row): Row {
        return zerosLike(dh);
      }
    },
  },
  ...[-1, 1].map((shift): Fault => ({
    name: `masks/of-${shift < 0 ? 'previous' : 'next'}-step`,
    words: `the mask is shifted: the mask of step ${shift < 0 ? 't - 1' : 't + 1'} is used at step t`,
    ...forward,
    network: class extends HandNetwork {
      protected override takesPart(b: number, t: number): boolean {
        return super.takesPart(b, Math.min(Math.max(t + shift, 0), this.timeSteps - 1));
      }
    },
  })),
  {
    name: 'masks/taken-as-length',
    words: 'only the number of unmasked steps counts: they are taken from the beginning of the sequence',
    ...forward,
    network: class extends HandNetwork {
      protected override takesPart(b: number, t: number): boolean {
        const live = Array.from({ length: this.timeSteps }, (_, s) => super.takesPart(b, s));
        return t < live.filter(Boolean).length;
      }
    },
  },
  {
    name: 'masks/inputs-zeroed',
    words: 'a masked step is computed with zeros as its input instead of being skipped',
    ...forward,
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        const x = super.inputAt(b, t);
        return super.takesPart(b, t) ? x : zerosLike(x);
      }
      protected override takesPart(): boolean {
        return true;
      }
    },
  },
  {
    name: 'masks/masked-states-returned-as-zeros',
    words: 'the states of masked steps are returned as zeros; the carried state is correct',
    ...forward,
    network: class extends HandNetwork {
      protected override finish(answer: Evaluation): Evaluation {
        const { states } = answer;
        const units = this.bias.length;
        const isMasked = (i: number): boolean => this.problem.mask?.data[Math.floor(i / units)] === 0;
        return states === undefined
          ? answer
          : { ...answer, states: mapTensor(states, (h, i) => (isMasked(i) ? 0 : h)) };
      }
    },
  },
];
