import { HandNetwork } from './hand-network';
import type { Specimen } from './specimen';

/** Faults of the derivative of tanh. */
export const slopeFaults: readonly Specimen[] = [
  {
    name: 'slope/missing',
    fault: 'tanh is not differentiated at all',
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.states[b][t].map(() => 1);
      }
    },
  },
  {
    name: 'slope/one-minus-h',
    fault: '1 - h in place of 1 - h^2',
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.states[b][t].map((h) => 1 - h);
      }
    },
  },
  {
    name: 'slope/one-plus-h-squared',
    fault: '1 + h^2 in place of 1 - h^2',
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.states[b][t].map((h) => 1 + h * h);
      }
    },
  },
  {
    name: 'slope/step-before',
    fault: 'the derivative is taken at h_{t-1}',
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.stateBefore(b, t).map((h) => 1 - h * h);
      }
    },
  },
  {
    name: 'slope/of-pre-activation',
    fault: '1 - z^2: the derivative is taken from z_t as if it were h_t',
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.preActivations[b][t].map((z) => 1 - z * z);
      }
    },
  },
];
