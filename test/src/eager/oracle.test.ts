import { expect } from 'chai';
import type { Tensor } from '../../../scratch/index';
import { evaluateWithTfjs, TfSimpleRNN, TfSimpleRNNClassifier } from '../../../src/index';
import oracle from '../../fixtures/scratch/oracle.json';
import { describeOnBackends } from '../../support/backends';
import { scaledDifference } from '../../support/layer-problem';

/**
 * float32 against PyTorch's float64, in units of each tensor's largest element. These networks are well-conditioned, with
 * chains of at most 6 steps and sums of at most 30 terms: 2e-6 is 33 units of rounding.
 */
const rounding = 2e-6;

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

function expectAllClose(found: object, expected: Record<string, Tensor>): void {
  expect(Object.keys(found)).to.have.members(Object.keys(expected));
  for (const [name, tensor] of Object.entries(expected)) {
    expectClose((found as Record<string, Tensor>)[name], tensor, name);
  }
}

describeOnBackends(`src/eager against ${oracle.madeBy}`, (backend) => {
  for (const gradients of ['autodiff', 'bptt'] as const) {
    oracle.networks.forEach((network, n) => {
      const { initialState, inputs, upstreamStates, ...weights } = readAll(network.given);
      const { sizes, labels } = network;

      it(`${gradients}, network ${n}: PyTorch's logits, loss and seven gradients`, () => {
        const model = new TfSimpleRNNClassifier({ backend: backend(), ...sizes, weights, gradients });
        expectClose(model.predictLogits(inputs, { initialState }), read(network.logits), 'logits');
        const found = model.lossAndGradients(inputs, labels, { initialState });
        expect(Math.abs(found.loss / network.loss - 1)).to.be.at.most(rounding);
        expectAllClose(found.gradients, readAll(network.gradients));
        model.dispose();
        const evaluated = evaluateWithTfjs(
          backend(),
          { inputs, initialState, labels, weights },
          { gradients },
        );
        expectClose(evaluated.states, read(network.states), 'states');
        expectAllClose(evaluated.gradients ?? {}, readAll(network.gradients));
      });

      it(`${gradients}, network ${n}: PyTorch's layer gradients for an upstream gradient at every state`, () => {
        const layer = new TfSimpleRNN({ backend: backend(), ...sizes, weights, gradients });
        expectClose(layer.forward(inputs, initialState).states, read(network.states), 'states');
        const found = layer.backward(inputs, { states: upstreamStates }, { initialState });
        expectAllClose(found, readAll(network.layerGradients));
        layer.dispose();
      });
    });

    oracle.masked.forEach((example, n) => {
      it(`${gradients}, masked layer ${n}: Keras's state after every step`, () => {
        const { initialState, inputs, ...weights } = readAll(example.given);
        const layer = new TfSimpleRNN({ backend: backend(), ...example.sizes, weights, gradients });
        expectClose(layer.forward(inputs, initialState, example.mask).states, read(example.states), 'states');
        layer.dispose();
      });
    });
  }
});
