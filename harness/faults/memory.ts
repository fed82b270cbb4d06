import type { ClassifierGradients } from '../../scratch/index';
import { changeGradients, layerNames, mapTensor, weightNames } from './answers';
import type { Fault } from './fault';
import { faultIn, finish } from './faulty';
import type { HandNetwork } from './hand-network';
import { fits } from './rows';
import type { Wrong } from './wrong';

const forward = faultIn('memory', 'forward');
const backward = faultIn('memory', 'backward');
const calls = { calls: true } as const;

/** The gradients of the call before are still in these. */
const accumulating = (names: readonly (keyof ClassifierGradients)[]): Wrong<HandNetwork> =>
  finish((answer, { earlier }) =>
    changeGradients(answer, names, (gradient, name) => {
      const old = earlier?.answer.gradients?.[name];
      if (old?.shape.join() !== gradient.shape.join()) return gradient;
      return mapTensor(gradient, (x, i) => x + old.data[i]);
    }),
  );

/** Faults of memory: what is kept and should not be, or shared and should not be. */
export const memoryFaults: readonly Fault[] = [
  forward(
    'memory/state-leaks-across-examples',
    'the state is not reset: an example starts from the last state of the previous example',
    { initialState: ({ own, right }, b) => (b === 0 ? right(b) : own.states[b - 1][own.timeSteps - 1]) },
  ),
  forward(
    'memory/state-leaks-across-calls',
    'the state outlives the call: the next call starts from the final state of this one',
    {
      initialState: ({ own, right }, b) => {
        const { data, shape = [] } = own.earlier?.answer.finalState ?? {};
        const kept = data && Array.from(data.slice(b * shape[1], (b + 1) * shape[1]));
        return fits(kept, own.bias) ? kept : right(b);
      },
    },
    calls,
  ),
  backward(
    'memory/gradients-accumulate-across-calls',
    'gradients are added to those of the previous call, because they are never reset to zero',
    accumulating(weightNames),
    calls,
  ),
  backward(
    'memory/input-gradients-accumulate-across-calls',
    'the gradients of inputs and initial state are added to those of the previous call',
    accumulating(['inputs', 'initialState']),
    calls,
  ),
  backward(
    'memory/answer-overwritten-by-next-call',
    'every call writes its gradients into the same arrays, so that the answer of the previous call changes',
    {
      handedOver: (_, answer, before) =>
        changeGradients(answer, layerNames, (gradient, name) => {
          const shared = before?.gradients?.[name];
          if (shared?.shape.join() !== gradient.shape.join()) return gradient;
          shared.data.set(gradient.data);
          return shared;
        }),
    },
    calls,
  ),
  forward(
    'memory/one-array-for-all-states',
    'every step stores the same array, so that all saved states equal the last one',
    {
      forward: ({ own, right }, b) => {
        right(b);
        own.states[b].fill(own.states[b][own.timeSteps - 1]);
      },
    },
  ),
  backward(
    'memory/one-array-for-all-input-gradients',
    "every step stores its input's gradient in the same array, so that all equal the gradient of the first step",
    finish((answer) =>
      changeGradients(answer, ['inputs'], (gradient) => {
        const [, timeSteps, features] = gradient.shape;
        const size = timeSteps * features;
        return mapTensor(gradient, (_, i) => gradient.data[i - (i % size) + (i % features)]);
      }),
    ),
  ),
];
