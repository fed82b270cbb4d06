import { expect } from 'chai';
import {
  evaluationOf,
  expectedNames,
  expectedShape,
  mapProblem,
  partOf,
  partsOf,
  roundProblem,
  tensorOf,
  type LayeredProblem,
  type Model,
} from '../../../harness/base/problem';
import { networkConfigOf, partsOfLayers } from '../../../harness/base/model';
import { Stack, zeros, type Tensor } from '../../../scratch/index';

const models: readonly Model[] = [
  { features: 3, layers: [{ layer: 'simpleRNN', units: 2, useBias: false }] },
  {
    features: 3,
    layers: [
      { layer: 'lstm', units: 4, returnSequences: true },
      { layer: 'gru', units: 2, resetAfter: false, returnSequences: true },
      { layer: 'timeDistributed', wrapped: { layer: 'dense', units: 5, useBias: false } },
    ],
  },
  {
    layers: [
      { layer: 'embedding', inputDim: 7, outputDim: 3 },
      { layer: 'bidirectional', wrapped: { layer: 'lstm', units: 2, returnSequences: true } },
      { layer: 'bidirectional', mergeMode: 'sum', wrapped: { layer: 'gru', units: 2 } },
      { layer: 'dense', units: 4, activation: 'relu' },
    ],
  },
  { features: 2, layers: [{ layer: 'gru', units: 3, biases: 1 }] },
];

/** A problem with small numbers in every tensor that the model has. */
function problemOf(model: Model): LayeredProblem {
  const numbers = (...shape: number[]): Tensor => ({
    ...zeros(...shape),
    data: zeros(...shape).data.map((_, i) => 0.1 * i + 0.1),
  });
  const [batch, timeSteps] = [2, 3];
  const layers = partsOfLayers(model);
  return {
    id: 'made',
    model,
    inputs:
      model.features === undefined ? zeros(batch, timeSteps) : numbers(batch, timeSteps, model.features),
    initialStates: layers.map(({ states }) =>
      Object.fromEntries(Object.entries(states).map(([name, units]) => [name, numbers(batch, units)])),
    ),
    weights: layers.map(({ weights }) =>
      Object.fromEntries(
        Object.entries(weights).map(([name, axes]) => [name, numbers(...axes.map(({ size }) => size))]),
      ),
    ),
    labels: [0, 1],
  };
}

describe('harness/base: problems of layers', () => {
  it('gives every layer the weights, states and output that the scratch network has', () => {
    for (const model of models) {
      const stack = new Stack(networkConfigOf(model) ?? { layers: [] });
      const parts = partsOfLayers(model);
      expect(
        parts.map(({ weights }) =>
          Object.fromEntries(
            Object.entries(weights).map(([name, axes]) => [name, axes.map(({ size }) => size)]),
          ),
        ),
      ).to.deep.equal(stack.layers.map(({ shapes }) => shapes));
      expect(parts.map(({ states }) => Object.values(states))).to.deep.equal(
        stack.layers.map(({ states }) => states),
      );
      expect(parts.map(({ output: { width, hasTime } }) => ({ width, hasTime }))).to.deep.equal(
        stack.layers.map(({ output }) => output),
      );
    }
  });

  it('names gates in the order of Keras', () => {
    const [, lstm] = partsOfLayers({ ...models[1], layers: [models[1].layers[1], models[1].layers[0]] });
    expect(lstm.words).to.equal('layer 2 lstm');
    expect(lstm.weights['kernel'][1]).to.deep.equal({
      counts: 'unit',
      size: 16,
      gates: ['i', 'f', 'c', 'o'],
      ranges: ['layer2', 'layer2', 'layer2', 'layer2'],
    });
  });

  it("reads the axes of a user's own cell off its weights", () => {
    const cell = {
      name: 'minimal gated unit',
      carries: ['h'],
      weights: { kernel: 'F, f n', peephole: 'f n', recurrentKernel: 'U, U' },
      equations: '',
    };
    const model: Model = { features: 3, layers: [{ layer: 'cell', cell, units: 2 }] };
    const problem = problemOf(model);
    expect(expectedShape(problem, 'gradients.weights.layer1.kernel')).to.deep.equal([3, 4]);
    expect(expectedShape(problem, 'gradients.weights.layer1.peephole')).to.deep.equal([4]);
    expect(expectedShape(problem, 'gradients.weights.layer1.recurrentKernel')).to.deep.equal([2, 2]);
    expect(networkConfigOf(model)).to.equal(undefined);
  });

  it('finds every tensor of a problem and of an answer by its dotted name', () => {
    for (const model of models) {
      const problem = problemOf(model);
      for (const name of partsOf(problem)) expect(partOf(problem, name)?.shape, name).to.be.an('array');
      const names = expectedNames(problem);
      const tensors = new Map(names.map((name) => [name, zeros(...expectedShape(problem, name))]));
      const answer = evaluationOf(tensors);
      for (const name of names) expect(tensorOf(answer, name), name).to.equal(tensors.get(name));
      expect(tensorOf(answer, 'finalStates.layer9.h')).to.equal(undefined);
    }
  });

  it('takes names from outside as they are, whatever they are', () => {
    const tensor = zeros(1);
    const names = ['layer999999999.kernel', '__proto__', 'gradients.__proto__', 'finalStates.layer3.h'];
    const answer = evaluationOf(new Map(names.map((name) => [name, tensor])));
    for (const name of names) expect(tensorOf(answer, name), name).to.equal(tensor);
    expect(Object.getPrototypeOf({})).to.equal(Object.prototype);
  });

  it('changes every number of a problem by the same walk', () => {
    for (const model of models) {
      const problem = problemOf(model);
      const doubled = mapProblem(problem, (x) => 2 * x);
      expect(doubled.weights.length).to.equal(problem.weights.length);
      for (const name of partsOf(problem))
        expect(partOf(doubled, name)?.data[0], name).to.equal(2 * (partOf(problem, name)?.data[0] ?? NaN));
      const rounded = roundProblem(problem);
      expect(partOf(rounded, 'weights.layer1.' + Object.keys(problem.weights[0])[0])?.data[0]).to.equal(
        Math.fround(0.1),
      );
      expect(roundProblem(rounded)).to.equal(rounded);
    }
  });
});
