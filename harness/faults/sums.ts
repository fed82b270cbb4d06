import { changeGradients, layerWeightNames, mapTensor } from './answers';
import type { Fault } from './fault';
import { faultIn, finish, scaled, where, zeroed } from './faulty';
import type { HandNetwork } from './hand-network';
import type { Wrong } from './wrong';

const biasAxis = faultIn('bias-axis', 'backward');
const mean = faultIn('batch-mean', 'backward');
const memory = faultIn('memory', 'backward');

/** The gradients of the layer's weights, divided by a number. */
export const layerMeans = (by: (own: HandNetwork) => number): Wrong<HandNetwork> =>
  finish((answer, own) =>
    changeGradients(answer, layerWeightNames, (gradient) => mapTensor(gradient, (x) => x / by(own))),
  );

/** Faults of the sums over time and batch that the gradients of the weights are. */
export const sumFaults: readonly Fault[] = [
  biasAxis(
    'sums/bias-gradient-of-first-example',
    'the bias gradient is not summed over the batch: only the first example counts',
    { biasShare: where((_, b) => b === 0) },
  ),
  biasAxis(
    'sums/bias-gradient-of-last-step',
    'the bias gradient is not summed over time: only the last step counts',
    { biasShare: where((own, _b, t) => t === own.timeSteps - 1) },
  ),
  biasAxis(
    'sums/bias-gradient-over-wrong-axis',
    'the bias gradient is summed over the units instead of the examples',
    {
      biasGradient: ({ own }) =>
        own.dPreActivations.map((steps) => steps.flat().reduce((sum, d) => sum + d, 0)),
    },
  ),
  mean('sums/bias-gradient-averaged', 'the bias gradient is the mean over the batch, not the sum', {
    biasShare: scaled((own) => 1 / own.batch),
  }),
  memory(
    'sums/kernel-gradient-of-last-example',
    'each example overwrites the gradient of the kernel instead of adding to it',
    { kernelShare: where((own, b) => b === own.batch - 1) },
  ),
  ...[
    { suffix: 'zero', words: 'stays zero', share: zeroed },
    { suffix: 'twice', words: 'is added twice', share: scaled(2) },
  ].flatMap(({ suffix, words, share }) => [
    memory(`sums/kernel-gradient-${suffix}`, `the gradient of the kernel ${words}`, { kernelShare: share }),
    memory(`sums/recurrent-kernel-gradient-${suffix}`, `the gradient of the recurrent kernel ${words}`, {
      recurrentKernelShare: share,
    }),
    memory(`sums/bias-gradient-${suffix}`, `the gradient of the bias ${words}`, { biasShare: share }),
  ]),
  mean(
    'sums/averaged-over-time',
    "the gradients of the layer's weights are means over the time steps, not sums",
    layerMeans((own) => own.timeSteps),
  ),
  faultIn('wrong-time-step', 'backward')(
    'sums/input-gradient-zero',
    'the gradients of the inputs stay zero',
    { inputGradient: zeroed },
  ),
];
