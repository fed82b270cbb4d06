import { HandNetwork } from './hand-network';
import { zerosLike, type Row } from './rows';
import { all, hasGradients, hasMaskedStep, moreThanOneExample } from './shows';
import type { Fault } from './fault';

const forward = { family: 'masks', phase: 'forward', shows: hasMaskedStep } as const;
const backward = { family: 'masks', phase: 'backward', shows: all(hasGradients, hasMaskedStep) } as const;
const noMask = 'no step is masked';

/** Faults of masked steps. */
export const maskFaults: readonly Fault[] = [
  {
    name: 'masks/ignored',
    words: 'the mask is ignored: padding counts as input',
    ...forward,
    equivalent: noMask,
    network: class extends HandNetwork {
      protected override takesPart(): boolean {
        return true;
      }
    },
  },
  {
    name: 'masks/inverted',
    words: 'the mask is read the wrong way round: 1 is taken for masked',
    family: 'masks',
    phase: 'forward',
    equivalent: 'there is no mask',
    network: class extends HandNetwork {
      protected override takesPart(b: number, t: number): boolean {
        return this.problem.mask === undefined || !super.takesPart(b, t);
      }
    },
    shows: ({ mask }) => mask !== undefined,
  },
  {
    name: 'masks/of-first-example',
    words: 'the mask of the first example is used for all',
    family: 'masks',
    phase: 'forward',
    equivalent: 'all examples have the same mask',
    network: class extends HandNetwork {
      protected override takesPart(_b: number, t: number): boolean {
        return super.takesPart(0, t);
      }
    },
    shows: all(moreThanOneExample, ({ mask, inputs: { shape } }) => {
      return mask?.data.some((m, i) => (m === 0) !== (mask.data[i % shape[1]] === 0)) === true;
    }),
  },
  {
    name: 'masks/zero-the-state',
    words: 'a masked step sets the state to zero in place of keeping it',
    ...forward,
    equivalent: noMask,
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
    equivalent: noMask,
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
      'a masked step passes its gradient on rightly, but still adds a share to the gradients of weights and inputs',
    ...backward,
    equivalent: noMask,
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
    equivalent: noMask,
    network: class extends HandNetwork {
      protected override maskedCarry(_t: number, _dz: Row, dh: Row): Row {
        return zerosLike(dh);
      }
    },
  },
];
