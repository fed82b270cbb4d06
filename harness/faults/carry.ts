import { HandNetwork } from './hand-network';
import { add, scale, times, zerosLike, type Row } from './rows';
import type { Fault } from './fault';

const backward = { phase: 'backward' } as const;

/** Faults of what one step sends back to the step before it. */
export const carryFaults: readonly Fault[] = [
  {
    name: 'carry/accumulated',
    words:
      "the notebook's first mistake: dh_next + dh_t, so that dh_{t+1} itself is carried in addition to its carry",
    family: 'notebook',
    ...backward,
    network: class extends HandNetwork {
      protected override dState(later: Row, fromAbove: Row, carried: Row): number[] {
        return add(add(fromAbove, carried), later);
      }
    },
  },
  {
    name: 'carry/both-of-the-notebook',
    words:
      'both mistakes of the notebook: dh_{t+1} is carried in addition to its carry, and the initial state gets a gradient of zeros',
    family: 'notebook',
    ...backward,
    network: class extends HandNetwork {
      protected override dState(later: Row, fromAbove: Row, carried: Row): number[] {
        return add(add(fromAbove, carried), later);
      }
      protected override initialStateGradient(carried: Row): Row {
        return zerosLike(carried);
      }
    },
  },
  {
    name: 'carry/dropped',
    words: 'no gradient is carried to the previous step: gradients stop after one step',
    family: 'carry',
    ...backward,
    network: class extends HandNetwork {
      protected override carry(_t: number, dz: Row): Row {
        return zerosLike(dz);
      }
    },
  },
  {
    name: 'carry/negated',
    words: 'the gradient carried to the previous step has the wrong sign',
    family: 'carry',
    ...backward,
    network: class extends HandNetwork {
      protected override carry(t: number, dz: Row, dh: Row): Row {
        return scale(super.carry(t, dz, dh), -1);
      }
    },
  },
  {
    name: 'carry/counted-twice',
    words: 'the gradient carried to the previous step is added twice',
    family: 'carry',
    ...backward,
    network: class extends HandNetwork {
      protected override carry(t: number, dz: Row, dh: Row): Row {
        return scale(super.carry(t, dz, dh), 2);
      }
    },
  },
  {
    name: 'carry/without-slope',
    words: 'dh_t is carried back instead of dz_t, past the tanh',
    family: 'carry',
    ...backward,
    network: class extends HandNetwork {
      protected override carry(t: number, _dz: Row, dh: Row): Row {
        return super.carry(t, dh, dh);
      }
    },
  },
  {
    name: 'carry/forwards',
    words:
      'the steps are visited from the first to the last, so that gradients run the wrong way through time',
    family: 'carry',
    ...backward,
    network: class extends HandNetwork {
      protected override backwardSteps(): number[] {
        return super.backwardSteps().reverse();
      }
    },
  },
  {
    name: 'carry/overwrites-what-arrives',
    words:
      'the gradient carried from a later step overwrites the gradient given for the state instead of being added to it',
    family: 'carry',
    ...backward,
    network: class extends HandNetwork {
      protected override dState(_later: Row, fromAbove: Row, carried: Row): number[] {
        return carried.some((x) => x !== 0) ? [...carried] : [...fromAbove];
      }
    },
  },
  {
    name: 'carry/not-transposed',
    words: 'dz_t recurrentKernel is carried back instead of dz_t recurrentKernel^T',
    family: 'transpose',
    ...backward,
    network: class extends HandNetwork {
      protected override carry(_t: number, dz: Row): Row {
        return times(dz, this.recurrentKernel);
      }
    },
  },
  {
    name: 'carry/never-added',
    words:
      'the gradient carried to the previous step is computed but never added (min-char-rnn without `+ dhnext`)',
    family: 'carry',
    ...backward,
    network: class extends HandNetwork {
      protected override dState(_later: Row, fromAbove: Row): number[] {
        return [...fromAbove];
      }
    },
  },
  truncated(4),
];

/** Backpropagation that stops after k steps; all k are one kind of mistake. */
export function truncated(k: number): Fault {
  return {
    name: `carry/truncated-to-${k}-steps`,
    words: `backpropagation is cut: nothing is carried past the last ${k} steps`,
    family: 'truncated',
    ...backward,
    network: class extends HandNetwork {
      protected override carry(t: number, dz: Row, dh: Row): Row {
        return t === this.timeSteps - k ? zerosLike(dz) : super.carry(t, dz, dh);
      }
    },
  };
}
