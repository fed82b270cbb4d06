import { expect } from 'chai';
import { ScratchSimpleRNNClassifier, zeros } from '../../../scratch/index';
import {
  evaluateWithTfjs,
  GraphSimpleRNNClassifier,
  loadBackend,
  TfNetwork,
  TfSimpleRNN,
  TfSimpleRNNClassifier,
  updateWithTfjsAsync,
} from '../../../src/index';
import { describeOnBackends } from '../../support/backends';
import { layerProblem } from '../../support/layer-problem';

const sizes = { features: 2, units: 3, classes: 4 };
const { inputs, initialState, weights, upstream } = layerProblem(3, { B: 2, T: 3, F: 2, U: 3 }, 0.5, false);
const labels = [0, 3];
const five = new ScratchSimpleRNNClassifier(sizes).getWeights();
const huge = { ...inputs, data: inputs.data.slice().fill(1e39, 3, 4) };

describeOnBackends('src/eager refuses, before any work', (backend) => {
  for (const gradients of ['autodiff', 'bptt'] as const) {
    it(`${gradients}: numbers that are finite in float64 but not in float32`, () => {
      const model = new TfSimpleRNNClassifier({ backend: backend(), ...sizes, gradients });
      expect(() => model.predict(huge)).to.throw(
        /^predict: inputs holds 1e\+39 at \[0, 1, 1\], beyond the largest float32 number, 3.4028e38; .* scale the numbers down/,
      );
      expect(() => model.trainOnBatch(huge, labels)).to.throw('trainOnBatch: inputs holds 1e+39');
      const before = model.getWeights();
      expect(() => model.setWeights({ ...five, outputBias: [0, 0, 0, -1e300] })).to.throw(
        'setWeights: outputBias holds -1e+300 at [3]',
      );
      expect(model.getWeights(), 'all of the weights or none').to.deep.equal(before);
      model.dispose();
      expect(
        () =>
          new TfSimpleRNNClassifier({
            backend: backend(),
            ...sizes,
            weights: { ...five, bias: [0, 0, 1e39] },
          }),
      ).to.throw('TfSimpleRNNClassifier: bias holds 1e+39 at [2]');
      expect(
        () =>
          new TfSimpleRNN({
            backend: backend(),
            features: 2,
            units: 3,
            weights: { ...weights, bias: [0, 0, 1e39] },
          }),
      ).to.throw('TfSimpleRNN: bias holds 1e+39 at [2]');
    });

    it(`${gradients}: upstream gradients that do not fit the states`, () => {
      const layer = new TfSimpleRNN({ backend: backend(), features: 2, units: 3, weights, gradients });
      expect(() => layer.backward(inputs, { states: zeros(2, 2, 3) }, { initialState })).to.throw(
        'TfSimpleRNN.backward: upstream.states has shape [2, 2, 3] but the forward pass makes [2, 3, 3]; pass one gradient per time step.',
      );
      expect(() => layer.backward(inputs, { finalState: [[1, NaN, 1]] })).to.throw('holds NaN at [0, 1]');
      expect(() => layer.backward(inputs, { finalState: zeros(3, 3) })).to.throw('pass one per final state');
      expect(() => layer.setWeights({ ...weights, kernel: zeros(1, 1) })).to.throw(
        'TfSimpleRNN: kernel has shape [1, 1] but [2, 3] was expected',
      );
      layer.dispose();
    });
  }

  it('a backend that is none, in every class by its name', () => {
    const layers = [{ layer: 'dense', units: 2 }];
    for (const [given, shown] of [
      [undefined, 'missing'],
      ['wasm', '"wasm"'],
      [loadBackend('cpu'), 'a promise'],
      [{}, 'of type object'],
    ] as const) {
      const none = given as never;
      for (const [name, make] of [
        ['TfSimpleRNNClassifier', () => new TfSimpleRNNClassifier({ ...sizes, backend: none })],
        ['TfSimpleRNN', () => new TfSimpleRNN({ features: 2, units: 3, backend: none })],
        ['TfNetwork', () => new TfNetwork({ features: 2, layers, backend: none } as never)],
        ['evaluateWithTfjs', () => evaluateWithTfjs(none, { inputs, weights })],
        ['GraphSimpleRNNClassifier', () => new GraphSimpleRNNClassifier({ ...sizes, backend: none })],
      ] as const)
        expect(make).to.throw(TypeError, `${name}: backend is ${shown}; pass what loadBackend gives`);
    }
  });

  it('the memory of an optimizer that does not fit, and keeps no tensor', async () => {
    const { numTensors } = backend().tf.memory();
    const wrong = { ...five, kernel: { data: new Float64Array(3), shape: [1, 3] } };
    for (const [memory, message] of [
      [wrong, 'updateWithTfjsAsync: state: velocity: kernel has shape [1, 3] but [2, 3] was expected'],
      [{ ...five, bias: undefined as never }, 'updateWithTfjsAsync: state: velocity: bias is undefined'],
    ] as const) {
      const optimizer = { name: 'sgd', learningRate: 0.1, momentum: 0.9 } as const;
      const state = { step: 1, slots: { velocity: memory } };
      const error: unknown = await updateWithTfjsAsync(backend(), {
        ...{ inputs, labels, weights: five, optimizer, state },
      }).catch((thrown: unknown) => thrown);
      expect(String(error)).to.include(message);
    }
    expect(backend().tf.memory().numTensors).to.equal(numTensors);
  });

  it('sizes and gradient methods that there are not', () => {
    const make = (more: object) => () => new TfSimpleRNNClassifier({ backend: backend(), ...sizes, ...more });
    expect(make({ units: 0 })).to.throw('units is 0; a size must be an integer of at least 1');
    expect(make({ classes: 2.5 })).to.throw('classes is 2.5');
    expect(make({ seed: -1 })).to.throw('the seed is -1');
    expect(make({ gradients: 'numeric' })).to.throw(
      'TfSimpleRNNClassifier: gradients is numeric; the nearest is autodiff (there are autodiff, bptt), so pass one of those.',
    );
  });

  it('problems that do not hang together', () => {
    const evaluate = (more: object) => () =>
      evaluateWithTfjs(backend(), { inputs, weights, upstream, ...more });
    const { outputKernel, outputBias } = five;
    expect(evaluate({ labels })).to.throw(
      'evaluateWithTfjs: there are 2 labels but no outputKernel and outputBias; the loss of labels',
    );
    expect(evaluate({ weights: { ...weights, outputBias } })).to.throw('weights has outputBias alone');
    expect(evaluate({ weights: { ...weights, bias: zeros(2) } })).to.throw('weights.bias has shape [2]');
    expect(evaluate({ weights: { ...five, outputBias: zeros(3) } })).to.throw(
      'weights.outputBias has shape [3] but [4] was expected',
    );
    expect(evaluate({ weights: { ...weights, outputKernel, outputBias }, labels: [4, 0] })).to.throw(
      'evaluateWithTfjs: labels holds 4 at [0]',
    );
    expect(evaluate({ inputs: zeros(2, 3, 3) })).to.throw('inputs has shape [2, 3, 3]');
    expect(evaluate({ upstream: { finalState: zeros(1, 3) } })).to.throw(
      'upstream.finalState has shape [1, 3]',
    );
  });
});
