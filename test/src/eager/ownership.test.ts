import { expect } from 'chai';
import { borrowTensor } from '../../../scratch/index';
import { loadBackend, TfSimpleRNN, TfSimpleRNNClassifier, evaluateWithTfjs } from '../../../src/index';
import { toFloat32 } from '../../../src/to-tensors';
import { describeOnBackends, testedBackends } from '../../support/backends';
import { layerProblem } from '../../support/layer-problem';

const sizes = { features: 2, units: 3, classes: 4 };
const { inputs, initialState, mask, weights, upstream } = layerProblem(
  3,
  { B: 4, T: 3, F: 2, U: 3 },
  0.5,
  true,
);
const labels = [0, 1, 2, 3];
const options = { initialState, ...(mask && { mask }) };

// describeOnBackends itself counts the tensors before and after each test
describeOnBackends('src/eager: who owns which tensor', (backend) => {
  for (const gradients of ['autodiff', 'bptt'] as const) {
    it(`${gradients}: a classifier owns its variables and its optimizer's, nothing else`, async () => {
      const { tf } = backend();
      const start = tf.memory().numTensors;
      const model = new TfSimpleRNNClassifier({ backend: backend(), ...sizes, gradients });
      // five weights and SGD's learning rate
      expect(tf.memory().numTensors - start).to.equal(6);
      const uses: (() => unknown)[] = [
        () => model.predict(inputs, options),
        () => model.predictProbabilities(inputs),
        () => model.predictLogits(inputs),
        () => model.evaluate(inputs, labels, { ...options, batchSize: 3 }),
        () => model.loss(inputs, labels),
        () => model.lossAndGradients(inputs, labels, options),
        () => model.trainOnBatch(inputs, labels, options),
        () => model.fit(inputs, labels, { epochs: 2, batchSize: 3 }),
        () => model.setWeights(model.getWeights()),
        () => model.setOptimizerState(model.getOptimizerState()),
      ];
      for (const use of uses) {
        await use();
        expect(tf.memory().numTensors - start, use.toString()).to.equal(6);
      }
      // momentum: learning rate, momentum; and 5 velocities from the first update on
      model.compile({ optimizer: { name: 'sgd', momentum: 0.9 } });
      expect(tf.memory().numTensors - start).to.equal(7);
      for (let i = 0; i < 3; i++) model.trainOnBatch(inputs, labels);
      expect(tf.memory().numTensors - start).to.equal(12);
      // Adam: two powers of beta, and 2 · 5 moments
      model.compile({ optimizer: 'adam' });
      expect(tf.memory().numTensors - start).to.equal(7);
      for (let i = 0; i < 3; i++) model.trainOnBatch(inputs, labels);
      expect(tf.memory().numTensors - start).to.equal(17);
      model.setOptimizerState(model.getOptimizerState());
      expect(tf.memory().numTensors - start).to.equal(17);
      model.dispose();
      expect(tf.memory().numTensors - start).to.equal(0);
      model.dispose();
    });

    it(`${gradients}: a user's tidy around everything releases none of the model's own tensors`, () => {
      const { tf } = backend();
      let model: TfSimpleRNNClassifier | undefined;
      tf.tidy(() => {
        model = new TfSimpleRNNClassifier({ backend: backend(), ...sizes, gradients });
        model.compile({ optimizer: { name: 'sgd', momentum: 0.5 } });
        model.trainOnBatch(inputs, labels);
      });
      model?.trainOnBatch(inputs, labels);
      tf.tidy(() => model?.compile({ optimizer: 'adam' }));
      model?.trainOnBatch(inputs, labels);
      model?.dispose();
    });

    it(`${gradients}: an error in the middle, forward or backward, leaks nothing and breaks nothing`, () => {
      const { tf, name } = backend();
      const model = new TfSimpleRNNClassifier({ backend: backend(), ...sizes, gradients });
      const layer = new TfSimpleRNN({ backend: backend(), features: 2, units: 3, weights, gradients });
      const before = model.getWeights();
      const expected = model.lossAndGradients(inputs, labels, options);
      const count = tf.memory().numTensors;
      let failures = 0;
      // Tanh: forward; Square and Transpose: backward, with forward's tensors on the tape
      for (const kernel of ['Tanh', 'Square', 'Transpose', 'BatchMatMul', '_FusedMatMul']) {
        const registered = tf.getKernel(kernel, name);
        tf.unregisterKernel(kernel, name);
        try {
          for (const use of [
            () => model.lossAndGradients(inputs, labels, options),
            () => model.trainOnBatch(inputs, labels, options),
            () => layer.backward(inputs, upstream, options),
            () => evaluateWithTfjs(backend(), { inputs, weights, upstream }, { gradients }),
          ]) {
            if (kernel === 'Tanh') expect(use).to.throw(kernel);
            try {
              use();
            } catch (error) {
              expect(String(error)).to.match(new RegExp(`ernel '${kernel}'`));
              failures++;
            }
            expect(tf.memory().numTensors, `${kernel}: ${use.toString()}`).to.equal(count);
          }
        } finally {
          tf.registerKernel(registered);
        }
        // a step that does not need this kernel did train
        model.setWeights(before);
      }
      expect(failures).to.be.at.least(12);
      expect(model.lossAndGradients(inputs, labels, options)).to.deep.equal(expected);
      model.dispose();
      layer.dispose();
    });

    it(`${gradients}: a disposed model says so`, async () => {
      const model = new TfSimpleRNNClassifier({ backend: backend(), ...sizes, gradients });
      model.dispose();
      expect(() => model.predict(inputs)).to.throw(
        'predict: this classifier was disposed and its weights are gone; call dispose last',
      );
      expect(() => model.getWeights()).to.throw('disposed');
      expect(await model.fit(inputs, labels).catch((error: unknown) => String(error))).to.match(/disposed/);
      const layer = new TfSimpleRNN({ backend: backend(), features: 2, units: 3, gradients });
      layer.dispose();
      layer.dispose();
      expect(() => layer.forward(inputs)).to.throw('TfSimpleRNN.forward: this layer was disposed');
    });
  }
});

describe('src/eager: models on several backends in one process', () => {
  it('each keeps to its own, whichever is current', async () => {
    const backends = await Promise.all(testedBackends.map((name) => loadBackend(name)));
    const { tf } = backends[0];
    const start = tf.memory().numTensors;
    const alone = backends.map((backend) => {
      const model = new TfSimpleRNNClassifier({ backend, ...sizes, optimizer: 'adam' });
      for (let i = 0; i < 4; i++) model.trainOnBatch(inputs, labels);
      const weights = model.getWeights();
      model.dispose();
      return weights;
    });
    const models = backends.map(
      (backend) => new TfSimpleRNNClassifier({ backend, ...sizes, optimizer: 'adam' }),
    );
    for (let i = 0; i < 4; i++) for (const model of models) model.trainOnBatch(inputs, labels);
    expect(models.map((model) => model.getWeights())).to.deep.equal(alone);
    for (const model of models) model.dispose();
    expect(tf.memory().numTensors).to.equal(start);
  });
});

describe('src: the way into float32', () => {
  it('is a new array, because a backend may keep it, also where the numbers are in float32 already', () => {
    const data = Float32Array.of(0.5, 2);
    const sent = toFloat32(borrowTensor({ data, shape: [2] }, 'x'), 'x');
    expect(sent).to.deep.equal(data);
    expect(sent).not.to.equal(data);
  });
});
