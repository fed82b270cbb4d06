import { changeGradients, mapTensor } from './answers';
import type { Fault } from './fault';
import { faultIn, finish, next, ofStep, previous, where, zeroed } from './faulty';
import { zerosLike } from './rows';

const backward = faultIn('wrong-time-step', 'backward');
const forward = faultIn('wrong-time-step', 'forward');
const initialForward = faultIn('initial-state', 'forward');
const initialBackward = faultIn('initial-state', 'backward');

/** Faults of time: the wrong step is read, or one is left out. */
export const stepFaults: readonly Fault[] = [
  faultIn('previous-state', 'backward')(
    'steps/state-after-for-state-before',
    'dRecurrentKernel is summed with h_t instead of h_{t-1}',
    { stateForRecurrentKernel: ({ own }, b, t) => own.states[b][t] },
  ),
  backward(
    'steps/next-input',
    'dKernel is summed with x_{t+1} instead of x_t (the last step keeps its own)',
    {
      inputForKernel: ofStep(next),
    },
  ),
  backward(
    'steps/previous-input',
    'dKernel is summed with x_{t-1} instead of x_t (the first step keeps its own)',
    { inputForKernel: ofStep(previous) },
  ),
  backward('steps/first-step-skipped', 'the backward loop ends at the second step', {
    backwardSteps: ({ right }) => right().slice(0, -1),
  }),
  backward(
    'steps/last-step-skipped',
    'the backward loop begins at the second last step, with the gradient that arrived at the last',
    {
      backwardSteps: ({ right }) => right().slice(1),
      fromAbove: ({ own, right }, b, t, ...rest) => right(b, t === own.timeSteps - 2 ? t + 1 : t, ...rest),
    },
  ),
  backward(
    'steps/input-gradients-reversed',
    'the gradients of the inputs are stored in the order of computation, last step first',
    { inputGradientStep: ({ own }, t) => own.timeSteps - 1 - t },
  ),
  forward(
    'steps/forward-next-input',
    'the forward pass reads x_{t+1} instead of x_t (the last step reads its own)',
    { inputAt: ofStep(next) },
  ),
  forward(
    'steps/forward-previous-input',
    'the forward pass reads x_{t-1} instead of x_t (the first step reads its own)',
    { inputAt: ofStep(previous) },
  ),
  forward('steps/final-state-is-last-but-one', 'the loop runs one step too few: the final state is h_{T-1}', {
    finalState: ({ own }, b) => own.stateBefore(b, own.timeSteps - 1),
  }),
  faultIn('notebook', 'backward')(
    'initial-state/gradient-lost',
    "the notebook's second mistake: the gradient of the initial state is returned as zeros",
    { initialStateGradient: zeroed },
  ),
  initialBackward(
    'initial-state/gradient-of-first-state',
    'dh_1 is returned as the gradient of the initial state, one step too early',
    { initialStateGradient: (_, _carried, first) => first },
  ),
  initialForward(
    'initial-state/ignored',
    'the forward pass starts from zeros instead of the given initial state',
    { initialState: zeroed },
  ),
  initialForward(
    'initial-state/of-first-example',
    'every example starts from the initial state of the first one',
    { initialState: ({ right }) => right(0) },
  ),
  initialBackward(
    'initial-state/left-out-of-recurrent-kernel',
    'dRecurrentKernel leaves out the first step, as if the initial state were zero',
    { stateForRecurrentKernel: where((_own, _b, t) => t > 0) },
  ),
  forward(
    'steps/state-before-ignored',
    'the previous state is ignored: every step is computed from its input alone',
    { preActivation: ({ right }, x, before, t) => right(x, zerosLike(before), t) },
  ),
  forward('steps/sequence-reversed', 'the forward pass reads the sequence from its end to its beginning', {
    inputAt: ofStep((t, last) => last - t),
  }),
  forward(
    'steps/next-input-and-zeros',
    'the forward pass reads x_{t+1} instead of x_t, and zeros at the last step',
    { inputAt: ({ own: { inputs } }, b, t) => inputs[b].at(t + 1) ?? zerosLike(inputs[b][t]) },
  ),
  forward(
    'steps/zeros-and-previous-input',
    'the forward pass reads x_{t-1} instead of x_t, and zeros at the first step',
    { inputAt: ({ own: { inputs } }, b, t) => (t === 0 ? zerosLike(inputs[b][t]) : inputs[b][t - 1]) },
  ),
  forward(
    'steps/first-input-skipped',
    'the forward pass does not see the first input: zeros are read instead',
    { inputAt: where((_own, _b, t) => t > 0) },
  ),
  forward('steps/final-state-averaged', 'the final state is the mean of all states, not the last one', {
    finalState: ({ own: { states, bias, timeSteps } }, b) =>
      bias.map((_, j) => states[b].reduce((sum, h) => sum + h[j], 0) / timeSteps),
  }),
  initialBackward(
    'initial-state/gradient-summed-over-batch',
    'the gradient of the initial state is summed over the batch, as if all examples shared one',
    finish((answer, { bias }) =>
      changeGradients(answer, ['initialState'], (gradient) => {
        const sum = bias.map((_, j) =>
          gradient.data.filter((_x, i) => i % bias.length === j).reduce((s, x) => s + x, 0),
        );
        return mapTensor(gradient, (_, i) => sum[i % bias.length]);
      }),
    ),
  ),
];
