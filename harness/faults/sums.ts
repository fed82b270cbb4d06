import { changeGradients, mapTensor } from './answers';
import { HandNetwork } from './hand-network';
import { scale, zerosLike, type Row, type Rows } from './rows';
import { all, hasGradients, hasInitialState, moreThanOneExample, moreThanOneStep } from './shows';
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
    shows: all(hasGradients, moreThanOneExample),
    equivalent: 'B = 1',
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
    shows: all(hasGradients, moreThanOneStep),
    equivalent: 'T = 1',
  },
  {
    name: 'sums/bias-gradient-over-wrong-axis',
    words: 'the bias gradient is summed over the units in place of the examples',
    ...biasAxis,
    network: class extends HandNetwork {
      protected override biasGradient(): Row {
        return this.dPreActivations.map((steps) => steps.flat().reduce((sum, d) => sum + d, 0));
      }
    },
    shows: ({ labels, upstream, inputs, weights }) =>
      (labels !== undefined || upstream !== undefined) && (inputs.shape[0] > 1 || weights.bias.shape[0] > 1),
    equivalent: 'B = 1 and U = 1',
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
    shows: all(hasGradients, moreThanOneExample),
    equivalent: 'B = 1',
  },
  {
    name: 'sums/kernel-gradient-of-last-example',
    words: 'the gradient of the kernel is overwritten by each example in place of being added up',
    family: 'memory',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override kernelShare(b: number, t: number, dz: Row): Rows {
        return super.kernelShare(b, t, b === this.batch - 1 ? dz : zerosLike(dz));
      }
    },
    shows: all(hasGradients, moreThanOneExample),
    equivalent: 'B = 1',
  },
  {
    name: 'sums/recurrent-kernel-gradient-twice',
    words: 'the gradient of the recurrent kernel is added twice',
    family: 'memory',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override finish(answer: ReturnType<HandNetwork['evaluate']>) {
        return changeGradients(answer, ['recurrentKernel'], (gradient) => mapTensor(gradient, (x) => 2 * x));
      }
    },
    shows: (problem) => hasGradients(problem) && (moreThanOneStep(problem) || hasInitialState(problem)),
    equivalent: 'T = 1 and h_0 = 0, so that the gradient is zero',
  },
];
