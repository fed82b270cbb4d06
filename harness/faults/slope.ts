import { HandNetwork } from './hand-network';
import type { Fault } from './fault';

const slope = { family: 'tanh-derivative', phase: 'backward' } as const;

/** Faults of the derivative of tanh. */
export const slopeFaults: readonly Fault[] = [
  {
    name: 'slope/missing',
    words: 'tanh is not differentiated at all',
    ...slope,
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.states[b][t].map(() => 1);
      }
    },
  },
  {
    name: 'slope/one-minus-h',
    words: 'the derivative of tanh is taken as 1 - h instead of 1 - h^2',
    ...slope,
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.states[b][t].map((h) => 1 - h);
      }
    },
  },
  {
    name: 'slope/one-plus-h-squared',
    words: 'the derivative of tanh is taken as 1 + h^2 instead of 1 - h^2',
    ...slope,
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.states[b][t].map((h) => 1 + h * h);
      }
    },
  },
  {
    name: 'slope/of-the-sigmoid',
    words: "the sigmoid's derivative h (1 - h) is used instead of tanh's",
    ...slope,
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.states[b][t].map((h) => h * (1 - h));
      }
    },
  },
  {
    name: 'slope/of-pre-activation',
    words: '1 - z^2: the derivative is taken from z_t as if it were h_t',
    ...slope,
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.preActivations[b][t].map((z) => 1 - z * z);
      }
    },
  },
  {
    name: 'slope/tanh-twice',
    words: '1 - tanh(h_t)^2: tanh is applied again to a state',
    ...slope,
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.states[b][t].map((h) => 1 - Math.tanh(h) ** 2);
      }
    },
  },
  {
    name: 'slope/step-before',
    words: 'the derivative of tanh is taken at h_{t-1} instead of h_t',
    ...slope,
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.stateBefore(b, t).map((h) => 1 - h * h);
      }
    },
  },
  {
    name: 'slope/step-after',
    words: 'the derivative of tanh is taken at h_{t+1} instead of h_t (the last step keeps its own)',
    ...slope,
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return super.slope(b, Math.min(t + 1, this.timeSteps - 1));
      }
    },
  },
];
