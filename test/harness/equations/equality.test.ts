import { expect } from 'chai';
import { budgetFor, precisionModels } from '../../../harness/budget/index';
import { tensorOf, type Problem, type TensorName } from '../../../harness/base/problem';
import {
  estimateNetwork,
  simpleRnn,
  type Network,
  type NetworkProblem,
} from '../../../harness/equations/index';
import { adversarialProblem } from '../../../harness/problems/index';

const cell = simpleRnn();

/** A problem of the simple RNN in the form of any network. */
function asNetwork(problem: Problem): { network: Network; problem: NetworkProblem } {
  const { inputs, initialState, mask, labels, upstream, weights } = problem;
  const { kernel, recurrentKernel, bias, outputKernel, outputBias } = weights;
  const output = outputKernel !== undefined && outputBias !== undefined;
  return {
    network: {
      features: inputs.shape[2],
      layers: [{ name: 'rnn', cell, units: bias.shape[0], reads: 'inputs' }],
      ...(output && { head: { classes: outputBias.shape[0], on: 'last', reads: 'rnn', loss: 'softmax' } }),
    },
    problem: {
      inputs,
      weights: {
        rnn: { kernel, recurrentKernel, bias },
        ...(output && { head: { kernel: outputKernel, bias: outputBias } }),
      },
      ...(initialState && { initialStates: { rnn: { h: initialState } } }),
      ...(mask && { mask }),
      ...(labels && { labels }),
      ...(upstream && {
        upstream: {
          rnn: {
            ...(upstream.states && { sequence: upstream.states }),
            ...(upstream.finalState && { final: { h: upstream.finalState } }),
          },
        },
      }),
    },
  };
}

/** Our names of tensors by the hand-made ones, in groups that are told about together. */
const groups: Readonly<Record<string, Partial<Record<TensorName, string>>>> = {
  states: { states: 'states.rnn', finalState: 'final.rnn.h' },
  'output and loss': { logits: 'logits', probabilities: 'outputs', loss: 'loss' },
  'gradients of the output layer': {
    'gradients.outputKernel': 'gradients.head.kernel',
    'gradients.outputBias': 'gradients.head.bias',
  },
  'gradients of inputs and initial state': {
    'gradients.inputs': 'gradients.inputs',
    'gradients.initialState': 'gradients.rnn.initial.h',
  },
  'gradients of weights': {
    'gradients.kernel': 'gradients.rnn.kernel',
    'gradients.recurrentKernel': 'gradients.rnn.recurrentKernel',
    'gradients.bias': 'gradients.rnn.bias',
  },
};

describe('budgets derived from the formulas of the simple RNN against the hand-made rules', () => {
  const problems = 150;
  it(`values alike, bounds and sigmas alike in the median of ${problems} generated problems`, () => {
    const ratios = new Map<string, { bound: number[]; sigma: number[] }>();
    let elements = 0;
    for (let i = 0; i < problems; i++) {
      const source = adversarialProblem(41, i, {
        largest: { batch: 6, timeSteps: 12, features: 10, units: 16 },
      });
      const model = precisionModels.wasm;
      const byHand = budgetFor(source, model);
      const { network, problem } = asNetwork(source);
      const derived = estimateNetwork(network, problem, model);
      for (const [group, names] of Object.entries(groups)) {
        const all = ratios.get(group) ?? { bound: [], sigma: [] };
        ratios.set(group, all);
        for (const [name, ours] of Object.entries(names) as [TensorName, string][]) {
          const bound = byHand.bound[name];
          const sigma = byHand.sigma[name];
          const estimate = derived.get(ours);
          if (bound === undefined || sigma === undefined) {
            expect(estimate, `${source.id} ${ours}`).to.equal(undefined);
            continue;
          }
          const reference = tensorOf(byHand.trace.evaluation, name)?.data ?? [];
          estimate?.value.forEach((value, k) => {
            elements++;
            // two float64 runs of the same formulas
            expect(Math.abs(value - reference[k])).to.be.at.most(1e-6 * bound[k]);
            if (bound[k] < 1e-30 || bound[k] >= 1e99) return;
            all.bound.push(estimate.bound[k] / bound[k]);
            all.sigma.push(estimate.sigma[k] / sigma[k]);
          });
        }
      }
    }
    expect(elements).to.be.above(30_000);
    for (const [group, { bound, sigma }] of ratios) {
      for (const [which, list] of Object.entries({ bound, sigma })) {
        list.sort((one, other) => one - other);
        const at = (share: number): number =>
          list[Math.min(list.length - 1, Math.floor(share * list.length))];
        const shown = `${group}, ${which}: least ${at(0).toFixed(3)}, 1 % ${at(0.01).toFixed(3)}, median ${at(0.5).toFixed(3)}, 99 % ${at(0.99).toFixed(3)}, most ${at(1).toFixed(3)}`;
        if (process.env['SHOW_RATIOS'] !== undefined) console.log(shown);
        expect(at(0.5), shown).to.be.within(0.95, 1.05);
        expect(at(0.01), shown).to.be.within(0.7, 1.001);
        expect(at(0.99), shown).to.be.within(0.999, 1.45);
      }
    }
  });
});
