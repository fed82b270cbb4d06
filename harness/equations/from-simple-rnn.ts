import { sizesOf, type Problem, type TensorName } from '../base/problem';
import { simpleRnn } from './cells/index';
import type { ModelAsEquations } from './network';

/** The names of a problem's tensors in the outcome of its network, in the order of the computation. */
const names: Readonly<Record<TensorName, string>> = {
  states: 'states.rnn',
  finalState: 'final.rnn.h',
  logits: 'logits',
  probabilities: 'outputs',
  loss: 'loss',
  'gradients.outputKernel': 'gradients.head.kernel',
  'gradients.outputBias': 'gradients.head.bias',
  'gradients.inputs': 'gradients.inputs',
  'gradients.initialState': 'gradients.rnn.initial.h',
  'gradients.kernel': 'gradients.rnn.kernel',
  'gradients.recurrentKernel': 'gradients.rnn.recurrentKernel',
  'gradients.bias': 'gradients.rnn.bias',
};

const called = new Map([
  ['rnn.h', 'states'],
  ['rnn.dz', 'dPreActivations'],
]);

const cell = simpleRnn();

/** A problem about the simple RNN: one layer `rnn`, and the dense layer with softmax where the problem has an output layer. */
export function simpleRnnAsEquations(source: Problem): ModelAsEquations {
  const { inputs, initialState, mask, labels, upstream } = source;
  const { kernel, recurrentKernel, bias, outputKernel, outputBias } = source.weights;
  const { features, units, classes } = sizesOf(source);
  const { states, finalState } = upstream ?? {};
  return {
    network: {
      features,
      layers: [{ name: 'rnn', cell, units, reads: 'inputs' }],
      ...(classes !== undefined && { head: { classes, on: 'last', reads: 'rnn', loss: 'softmax' } }),
    },
    problem: {
      inputs,
      weights: {
        rnn: { kernel, recurrentKernel, bias },
        ...(outputKernel && outputBias && { head: { kernel: outputKernel, bias: outputBias } }),
      },
      ...(initialState && { initialStates: { rnn: { h: initialState } } }),
      ...(mask && { mask }),
      ...(labels && { labels }),
      ...(upstream && {
        upstream: {
          rnn: { ...(states && { sequence: states }), ...(finalState && { final: { h: finalState } }) },
        },
      }),
    },
    names: new Map(Object.entries(names).map(([name, own]) => [name, [own]])),
    backwards: new Set(),
    called,
  };
}
