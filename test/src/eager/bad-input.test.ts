import { expect } from 'chai';
import { ScratchSimpleRNNClassifier, zeros } from '../../../scratch/index';
import { evaluateWithTfjs, TfSimpleRNN, TfSimpleRNNClassifier } from '../../../src/index';
import { describeOnBackends } from '../../support/backends';
import { layerProblem } from '../../support/layer-problem';

const sizes = { features: 2, units: 3, classes: 4 };
const { inputs, initialState, weights, upstream } = layerProblem(3, { B: 2, T: 3, F: 2, U: 3 }, 0.5, false);
const labels = [0, 3];
const scratch = new ScratchSimpleRNNClassifier(sizes);
const five = scratch.getWeights();
const huge = { ...inputs, data: inputs.data.slice().fill(1e39, 3, 4) };

type Model = ScratchSimpleRNNClassifier | TfSimpleRNNClassifier;

/** Mistakes that both networks refuse, in the same words. */
const shared: Record<string, (model: Model) => unknown> = {
  'ragged inputs': (m) => m.predict([[[1, 2]], [[1]]]),
  'inputs of rank 2': (m) => m.predict([[1, 2]]),
  'other features': (m) => m.predictProbabilities([[[1, 2, 3]]]),
  'an empty batch': (m) => m.loss([], []),
  'no time steps': (m) => m.predict({ data: [], shape: [4, 0, 2] }),
  'NaN in the inputs': (m) => m.trainOnBatch([[[1, NaN]]], [0]),
  'infinity in the inputs': (m) => m.lossAndGradients([[[Infinity, 1]]], [0]),
  'a string in the inputs': (m) => m.predict([[[1, '2']]] as never),
  'nothing for inputs': (m) => m.predict(undefined as never),
  'too few labels': (m) => m.trainOnBatch(inputs, [0]),
  'a label beyond the classes': (m) => m.loss(inputs, [0, 4]),
  'a negative label': (m) => m.lossAndGradients(inputs, [0, -1]),
  'a fractional label': (m) => m.trainOnBatch(inputs, [0, 0.5]),
  'no labels': (m) => m.trainOnBatch(inputs, undefined as never),
  'an initial state of another batch': (m) => m.predict(inputs, { initialState: zeros(3, 3) }),
  'an initial state of other units': (m) => m.trainOnBatch(inputs, labels, { initialState: zeros(2, 4) }),
  'a mask of other steps': (m) => m.predict(inputs, { mask: zeros(2, 4) }),
  'a fractional mask': (m) =>
    m.loss(inputs, labels, {
      mask: [
        [1, 0.5, 1],
        [1, 1, 1],
      ],
    }),
  'a batch size of none': (m) => m.evaluate(inputs, labels, { batchSize: 0 }),
  'weights of another shape': (m) => m.setWeights({ ...five, kernel: zeros(3, 3) }),
  'a missing weight': (m) => m.setWeights({ ...five, outputBias: undefined as never }),
  'weights of NaN': (m) => m.setWeights({ ...five, bias: [NaN, 0, 0] }),
  'an unknown optimizer': (m) => m.compile({ optimizer: 'rmsprop' as never }),
  'a negative learning rate': (m) => m.compile({ learningRate: -1 }),
  'a momentum of 1': (m) => m.compile({ optimizer: { name: 'sgd', momentum: 1 } }),
  'a clipNorm of 0': (m) => m.compile({ clipNorm: 0 }),
  'a form of Adam that there is not': (m) =>
    m.compile({ optimizer: { name: 'adam', form: 'torch' as never } }),
  'an optimizer state without its slots': (m) =>
    m.setOptimizerState({ config: { name: 'adam' }, step: 3, slots: { m: five } }),
  'an optimizer state with slots of another shape': (m) =>
    m.setOptimizerState({
      config: { name: 'sgd', momentum: 0.9 },
      step: 1,
      slots: { velocity: { ...five, bias: zeros(4) } },
    }),
  'a fractional step': (m) => m.setOptimizerState({ config: { name: 'sgd' }, step: 0.5, slots: {} }),
};

describeOnBackends('src/eager refuses, before any work', (backend) => {
  for (const gradients of ['autodiff', 'bptt'] as const) {
    it(`${gradients}: what the scratch classifier refuses, in its words, and is none the worse`, () => {
      const model = new TfSimpleRNNClassifier({ backend: backend(), ...sizes, gradients });
      const expected = model.lossAndGradients(inputs, labels);
      const tensors = backend().tf.memory().numTensors;
      for (const [mistake, make] of Object.entries(shared)) {
        let message = '';
        try {
          make(scratch);
        } catch (error) {
          ({ message } = error as Error);
        }
        expect(message, mistake).to.match(/;|must|expected/);
        expect(() => make(model), mistake).to.throw(message);
        expect(backend().tf.memory().numTensors, mistake).to.equal(tensors);
      }
      expect(model.lossAndGradients(inputs, labels)).to.deep.equal(expected);
      model.dispose();
    });

    it(`${gradients}: the same for fit`, async () => {
      const model = new TfSimpleRNNClassifier({ backend: backend(), ...sizes, gradients });
      const say = async (m: Model, make: (m: Model) => Promise<unknown>) =>
        make(m).then(
          () => 'nothing',
          (error: unknown) => (error as Error).message,
        );
      for (const make of [
        (m: Model) => m.fit(inputs, [0, 9]),
        (m: Model) => m.fit(inputs, labels, { epochs: 0 }),
        (m: Model) => m.fit(inputs, labels, { batchSize: 1.5 }),
        (m: Model) => m.fit(inputs, labels, { seed: -1 }),
        (m: Model) => m.fit(inputs, labels, { clipNorm: -1 }),
      ]) {
        expect(await say(model, make)).to.equal(await say(scratch, make));
        expect(await say(model, make)).not.to.equal('nothing');
      }
      model.dispose();
    });

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

  it('sizes and gradient methods that there are not', () => {
    const make = (more: object) => () => new TfSimpleRNNClassifier({ backend: backend(), ...sizes, ...more });
    expect(make({ units: 0 })).to.throw('units is 0; a size must be an integer of at least 1');
    expect(make({ classes: 2.5 })).to.throw('classes is 2.5');
    expect(make({ seed: -1 })).to.throw('the seed is -1');
    expect(make({ gradients: 'numeric' })).to.throw(
      'TfSimpleRNNClassifier: gradients is numeric; there are autodiff and bptt, so pass one of those.',
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
