import { expect } from 'chai';
import {
  createOptimizer,
  ScratchSimpleRNNClassifier,
  SimpleRNN,
  type OptimizerConfig,
  type Tensor,
} from '../../scratch/index';
import { scaledDifference } from '../support/layer-problem';
import oracle from '../fixtures/scratch/oracle.json';

/** Sums of at most a few dozen terms, in float64 on both sides. */
const rounding = 2e-14;

const read = ({ shape, data }: { shape: number[]; data: number[] }): Tensor => ({
  shape,
  data: Float64Array.from(data),
});
const readAll = <K extends string>(tensors: Record<K, { shape: number[]; data: number[] }>) =>
  Object.fromEntries(Object.entries(tensors).map(([k, v]) => [k, read(v as never)])) as Record<K, Tensor>;

function expectClose(found: Tensor, expected: Tensor, what: string): void {
  expect(found.shape, what).to.deep.equal(expected.shape);
  expect(scaledDifference(found.data, expected.data), what).to.be.at.most(rounding);
}

describe(`scratch against ${oracle.madeBy}, float64`, () => {
  oracle.networks.forEach((network, n) => {
    const { initialState, inputs, upstreamStates, ...weights } = readAll(network.given);
    const { sizes, labels } = network;

    it(`network ${n}: PyTorch's states, logits, loss and seven gradients`, () => {
      const model = new ScratchSimpleRNNClassifier({ ...sizes, weights });
      expectClose(model.predictLogits(inputs, { initialState }), read(network.logits), 'logits');
      const { loss, gradients } = model.lossAndGradients(inputs, labels, { initialState });
      expect(Math.abs(loss / network.loss - 1)).to.be.at.most(rounding);
      const expected = readAll(network.gradients);
      for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
        expectClose(gradients[name], expected[name], name);
      }
    });

    it(`network ${n}: PyTorch's states and layer gradients for an upstream gradient at every state`, () => {
      const layer = new SimpleRNN({ features: sizes.features, units: sizes.units, weights });
      const { states, cache } = layer.forward(inputs, initialState);
      expectClose(states, read(network.states), 'states');
      const gradients = layer.backward(cache, { states: upstreamStates });
      const expected = readAll(network.layerGradients);
      for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
        expectClose(gradients[name], expected[name], name);
      }
    });
  });

  oracle.masked.forEach((example, n) => {
    it(`masked layer ${n}: Keras's state after every step`, () => {
      const { initialState, inputs, ...weights } = readAll(example.given);
      const layer = new SimpleRNN({ ...example.sizes, weights });
      expectClose(layer.forward(inputs, initialState, example.mask).states, read(example.states), 'states');
    });
  });

  const configs: Record<keyof typeof oracle.optimizers.paths, OptimizerConfig> = {
    sgd: { name: 'sgd', learningRate: 0.1 },
    momentum: { name: 'sgd', learningRate: 0.1, momentum: 0.9 },
    nesterov: { name: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true },
    'momentum-keras': { name: 'sgd', learningRate: 0.1, momentum: 0.9 },
    'nesterov-keras': { name: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true },
    'adam-tfjs': { name: 'adam', learningRate: 0.01, beta1: 0.8, beta2: 0.99, epsilon: 1e-7 },
    'adam-keras': { name: 'adam', learningRate: 0.01, beta1: 0.8, beta2: 0.99, epsilon: 1e-7, form: 'keras' },
  };
  for (const [name, config] of Object.entries(configs) as [keyof typeof configs, OptimizerConfig][]) {
    it(`optimizer ${name}: the weights after each of 7 updates`, () => {
      const { start, gradients, paths } = oracle.optimizers;
      const weight = Float64Array.from(start);
      const optimizer = createOptimizer(config);
      const found: number[] = [];
      for (let step = 0; step < 7; step++) {
        optimizer.update([weight], [Float64Array.from(gradients.data.slice(step * 4, step * 4 + 4))]);
        found.push(...weight);
      }
      expect(scaledDifference(found, paths[name].data)).to.be.at.most(tolerances[name] ?? rounding);
    });
  }
});

/** Keras holds an optimizer's learning rate in float32, whatever the weights are: 2^-24 of the way covered. */
const tolerances: Record<string, number> = {
  'momentum-keras': 2 ** -24,
  'nesterov-keras': 2 ** -24,
  'adam-keras': 2 ** -24,
};
