import type { Evaluation } from '../base/problem';
import { changeGradients, mapTensor } from './answers';
import { HandNetwork } from './hand-network';
import { scale, zerosLike, type Row, type Rows } from './rows';
import type { Fault } from './fault';

const biasAxis = { family: 'bias-axis', phase: 'backward' } as const;

/** Faults of the sums over time and batch that the gradients of the weights are. */
export const sumFaults: readonly Fault[] = [
  {
    name: 'sums/bias-gradient-of-first-example',
    words: 'the bias gradient is not summed over the batch: only the first example counts',
    ...biasAxis,
    network: class extends HandNetwork {
      protected override biasShare(b: number, _t: number, dz: Row): Row {
        return b === 0 ? dz : zerosLike(dz);
      }
    },
  },
  {
    name: 'sums/bias-gradient-of-last-step',
    words: 'the bias gradient is not summed over time: only the last step counts',
    ...biasAxis,
    network: class extends HandNetwork {
      protected override biasShare(_b: number, t: number, dz: Row): Row {
        return t === this.timeSteps - 1 ? dz : zerosLike(dz);
      }
    },
  },
  {
    name: 'sums/bias-gradient-over-wrong-axis',
    words: 'the bias gradient is summed over the units instead of the examples',
    ...biasAxis,
    network: class extends HandNetwork {
      protected override biasGradient(): Row {
        return this.dPreActivations.map((steps) => steps.flat().reduce((sum, d) => sum + d, 0));
      }
    },
  },
  {
    name: 'sums/bias-gradient-averaged',
    words: 'the bias gradient is the mean over the batch, not the sum',
    family: 'batch-mean',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override biasShare(_b: number, _t: number, dz: Row): Row {
        return scale(dz, 1 / this.batch);
      }
    },
  },
  {
    name: 'sums/kernel-gradient-of-last-example',
    words: 'each example overwrites the gradient of the kernel instead of adding to it',
    family: 'memory',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override kernelShare(b: number, t: number, dz: Row): Rows {
        return super.kernelShare(b, t, b === this.batch - 1 ? dz : zerosLike(dz));
      }
    },
  },
  ...shares(0, 'zero', 'stays zero'),
  ...shares(2, 'twice', 'is added twice'),
  {
    name: 'sums/averaged-over-time',
    words: "the gradients of the layer's weights are means over the time steps, not sums",
    family: 'batch-mean',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override finish(answer: Evaluation): Evaluation {
        return changeGradients(answer, ['kernel', 'recurrentKernel', 'bias'], (gradient) =>
          mapTensor(gradient, (x) => x / this.timeSteps),
        );
      }
    },
  },
  {
    name: 'sums/input-gradient-zero',
    words: 'the gradients of the inputs stay zero',
    family: 'wrong-time-step',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override inputGradient(dz: Row, t: number): Row {
        return zerosLike(super.inputGradient(dz, t));
      }
    },
  },
];

/** The share of each step in the gradient of a weight, counted `factor` times. */
function shares(factor: number, suffix: string, words: string): Fault[] {
  const common = { family: 'memory', phase: 'backward' } as const;
  return [
    {
      ...common,
      name: `sums/kernel-gradient-${suffix}`,
      words: `the gradient of the kernel ${words}`,
      network: class extends HandNetwork {
        protected override kernelShare(b: number, t: number, dz: Row): Rows {
          return super.kernelShare(b, t, scale(dz, factor));
        }
      },
    },
    {
      ...common,
      name: `sums/recurrent-kernel-gradient-${suffix}`,
      words: `the gradient of the recurrent kernel ${words}`,
      network: class extends HandNetwork {
        protected override recurrentKernelShare(b: number, t: number, dz: Row): Rows {
          return super.recurrentKernelShare(b, t, scale(dz, factor));
        }
      },
    },
    {
      ...common,
      name: `sums/bias-gradient-${suffix}`,
      words: `the gradient of the bias ${words}`,
      network: class extends HandNetwork {
        protected override biasShare(_b: number, _t: number, dz: Row): Row {
          return scale(dz, factor);
        }
      },
    },
  ];
}
