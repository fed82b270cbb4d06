import { expect } from 'chai';
import {
  createRandom,
  ScratchSimpleRNNClassifier,
  type ClassifierWeights,
  type CompileOptions,
  type OptimizerConfig,
  type Tensor,
} from '../../../scratch/index';
import { loadBackend, type LoadedBackend } from '../../../src/index';
import { GraphSimpleRNNClassifier, openSessions } from '../../../src/graph/index';

const sizes = { features: 3, units: 6, classes: 4 };
const weightNames = ['kernel', 'recurrentKernel', 'bias', 'outputKernel', 'outputBias'] as const;

function batchOf(seed: number, batch: number, timeSteps: number) {
  const random = createRandom(seed);
  const tensor = (...shape: number[]): Tensor => ({
    shape,
    data: Float64Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.fround(random.normal())),
  });
  return {
    inputs: tensor(batch, timeSteps, sizes.features),
    initialState: tensor(batch, sizes.units),
    mask: {
      shape: [batch, timeSteps],
      data: Float64Array.from({ length: batch * timeSteps }, () => random.integer(2)),
    },
    labels: Int32Array.from({ length: batch }, () => random.integer(sizes.classes)),
  };
}

/** The largest difference between any two weights, by the larger of 1 and the weight. */
function distance(a: ClassifierWeights, b: ClassifierWeights): number {
  const each = weightNames.flatMap((name) =>
    Array.from(a[name].data, (x, i) => Math.abs(x - b[name].data[i]) / Math.max(1, Math.abs(x))),
  );
  return Math.max(...each);
}

describe('graph/classifier', () => {
  let backend: LoadedBackend;
  const made: { dispose(): void }[] = [];
  before(async () => (backend = await loadBackend('tensorflow')));
  afterEach(() => made.splice(0).forEach((model) => model.dispose()));

  function graph(options: Partial<ConstructorParameters<typeof GraphSimpleRNNClassifier>[0]> = {}) {
    const model = new GraphSimpleRNNClassifier({ backend, ...sizes, seed: 5, ...options });
    made.push(model);
    return model;
  }

  const optimizers: [string, OptimizerConfig][] = [
    ['sgd', { name: 'sgd', learningRate: 0.1 }],
    ['momentum', { name: 'sgd', learningRate: 0.05, momentum: 0.9 }],
    ['nesterov', { name: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true }],
    ['adam, tfjs form', { name: 'adam', learningRate: 0.01, epsilon: 1e-3 }],
    ['adam, keras form', { name: 'adam', learningRate: 0.01, epsilon: 1e-3, form: 'keras' }],
  ];
  for (const [what, optimizer] of optimizers) {
    for (const clipNorm of [undefined, 0.2]) {
      it(`trains as the scratch network does: ${what}${clipNorm === undefined ? '' : ', clipped'}`, () => {
        const options: CompileOptions = { optimizer, ...(clipNorm !== undefined && { clipNorm }) };
        const model = graph(options);
        const scratch = new ScratchSimpleRNNClassifier({ ...sizes, seed: 5, ...options });
        for (let step = 0; step < 12; step++) {
          const { inputs, labels, mask, initialState } = batchOf(step, 5 - (step % 3), 4);
          const extras = step % 4 === 3 ? { mask, initialState } : {};
          const given = model.trainOnBatch(inputs, labels, extras);
          const expected = scratch.trainOnBatch(inputs, labels, extras);
          expect(given.loss).to.be.closeTo(expected.loss, 1e-5);
          expect(given.gradientNorm).to.be.closeTo(expected.gradientNorm, 1e-5);
          expect(given.accuracy).to.equal(expected.accuracy);
        }
        expect(distance(model.getWeights(), scratch.getWeights())).to.be.below(2e-6);
        const [state, reference] = [model.getOptimizerState(), scratch.getOptimizerState()];
        expect(state.config).to.deep.equal(reference.config);
        expect(state.step).to.equal(reference.step);
        expect(Object.keys(state.slots)).to.have.members(Object.keys(reference.slots));
        for (const name of Object.keys(reference.slots))
          expect(distance(state.slots[name], reference.slots[name]), name).to.be.below(2e-6);
      });
    }
  }

  it('distinguishes the two forms of Adam', () => {
    const train = (form: 'tfjs' | 'keras') => {
      const model = graph({ optimizer: { name: 'adam', epsilon: 1e-3, form } });
      const { inputs, labels } = batchOf(1, 4, 3);
      model.trainOnBatch(inputs, labels);
      return model.getWeights();
    };
    expect(distance(train('tfjs'), train('keras'))).to.be.above(1e-5);
  });

  for (const loop of ['unrolled', 'while'] as const) {
    for (const chains of loop === 'while' ? [1] : [1, 3]) {
      it(`answers as the scratch network does: ${loop}, ${chains} chain(s), batches of 1 to 7`, () => {
        const model = graph({ loop, chains });
        const scratch = new ScratchSimpleRNNClassifier({ ...sizes, seed: 5 });
        for (const [batch, timeSteps] of [
          [1, 2],
          [7, 2],
          [4, 1],
        ]) {
          const { inputs, labels, mask, initialState } = batchOf(batch, batch, timeSteps);
          for (const extras of [{}, { mask }, { initialState }, { mask, initialState }]) {
            const given = model.lossAndGradients(inputs, labels, extras);
            const expected = scratch.lossAndGradients(inputs, labels, extras);
            expect(given.loss).to.be.closeTo(expected.loss, 1e-6);
            expect(model.loss(inputs, labels, extras)).to.be.closeTo(expected.loss, 1e-6);
            expect(model.evaluate(inputs, labels, extras)).to.have.property(
              'accuracy',
              scratch.evaluate(inputs, labels, extras).accuracy,
            );
            expect([...model.predict(inputs, extras)]).to.deep.equal([...scratch.predict(inputs, extras)]);
            near(given.probabilities, expected.probabilities);
            near(model.predictProbabilities(inputs, extras), expected.probabilities);
            for (const key of [...weightNames, 'inputs', 'initialState'] as const)
              near(given.gradients[key], expected.gradients[key], key);
          }
        }
      });
    }
  }

  it('goes through many examples in chunks', () => {
    const { inputs, labels, mask, initialState } = batchOf(3, 600, 3);
    const extras = { mask, initialState };
    const model = graph();
    const scratch = new ScratchSimpleRNNClassifier({ ...sizes, seed: 5 });
    near(model.predictProbabilities(inputs, extras), scratch.predictProbabilities(inputs, extras));
    const { loss, accuracy } = model.evaluate(inputs, labels, { ...extras, batchSize: 77 });
    const expected = scratch.evaluate(inputs, labels, extras);
    expect(loss).to.be.closeTo(expected.loss, 1e-6);
    expect(accuracy).to.equal(expected.accuracy);
  });

  it('gives the same bits every time, in every session, whatever else runs', () => {
    const run = () => {
      const model = graph({ optimizer: 'adam', chains: 2 });
      for (let i = 0; i < 5; i++) {
        const { inputs, labels } = batchOf(i, 6, 4);
        model.trainOnBatch(inputs, labels);
      }
      return model;
    };
    const first = run();
    const before = first.getWeights();
    const second = run();
    expect(second.getWeights()).to.deep.equal(before);
    expect(first.getWeights()).to.deep.equal(before);
    first.trainOnBatch(batchOf(9, 2, 4).inputs, [0, 1]);
    expect(second.getWeights()).to.deep.equal(before);
  });

  for (const [what, optimizer] of optimizers) {
    it(`resumes bit for bit: ${what}`, () => {
      const whole = graph({ optimizer });
      const half = graph({ optimizer });
      const train = (model: GraphSimpleRNNClassifier, from: number, to: number) => {
        for (let i = from; i < to; i++) model.trainOnBatch(batchOf(i, 4, 3).inputs, batchOf(i, 4, 3).labels);
      };
      train(whole, 0, 6);
      train(half, 0, 3);
      const resumed = graph({ seed: 99 });
      resumed.setWeights(half.getWeights());
      resumed.setOptimizerState(half.getOptimizerState());
      train(resumed, 3, 6);
      expect(resumed.getWeights()).to.deep.equal(whole.getWeights());
      expect(resumed.getOptimizerState()).to.deep.equal(whole.getOptimizerState());
    });
  }

  it('learns in fit, in the order of the scratch network', async () => {
    const { inputs, labels } = batchOf(8, 23, 4);
    const options = { epochs: 4, batchSize: 5, seed: 3, learningRate: 0.1 };
    const model = graph();
    const scratch = new ScratchSimpleRNNClassifier({ ...sizes, seed: 5 });
    const history = await model.fit(inputs, labels, options);
    const expected = await scratch.fit(inputs, labels, options);
    expect(history.epochs.map(({ accuracy }) => accuracy)).to.deep.equal(
      expected.epochs.map(({ accuracy }) => accuracy),
    );
    expect(distance(model.getWeights(), scratch.getWeights())).to.be.below(5e-6);
  });

  it('stops at a loss that is not finite, with the last good weights', async () => {
    const { inputs, labels } = batchOf(8, 8, 4);
    const model = graph({ learningRate: 3e38 });
    const seen: ClassifierWeights[] = [];
    const error: unknown = await model
      .fit(inputs, labels, { epochs: 9, batchSize: 4, onBatchEnd: () => void seen.push(model.getWeights()) })
      .then(
        () => undefined,
        (e: unknown) => e,
      );
    expect(error).to.have.property('name', 'TrainingDivergedError');
    expect(model.getWeights()).to.deep.equal(seen.at(-1));
    for (const name of weightNames)
      expect(model.getWeights()[name].data.every(Number.isFinite)).to.equal(true);
  });

  it('does not take a step to weights beyond single precision', () => {
    const model = graph({ learningRate: 3e38 });
    // a kernel of zeros keeps tanh away from saturation, large inputs make its gradient large
    const weights = model.getWeights();
    model.setWeights({ ...weights, kernel: { ...weights.kernel, data: weights.kernel.data.map(() => 0) } });
    const before = [model.getWeights(), model.getOptimizerState()];
    const { loss, gradientNorm } = model.trainOnBatch([[[900, 900, 900]]], [1]);
    expect(loss).to.be.finite;
    expect(gradientNorm).to.be.NaN;
    expect([model.getWeights(), model.getOptimizerState()]).to.deep.equal(before);
  });

  it('refuses numbers beyond float32 before the call', () => {
    const model = graph({ optimizer: 'adam' });
    const before = [model.getWeights(), model.getOptimizerState(), backend.tf.memory().numTensors];
    expect(() => model.loss([[[1, 1e39, 3]]], [0])).to.throw(RangeError, 'inputs holds 1e+39 at [0, 0, 1]');
    expect([model.getWeights(), model.getOptimizerState(), backend.tf.memory().numTensors]).to.deep.equal(
      before,
    );
  });

  it('holds as many tensors and sessions after 300 steps as after one, and none when disposed', () => {
    const before = [backend.tf.memory().numTensors, openSessions(backend)];
    const model = graph({ optimizer: 'adam', clipNorm: 1 });
    const { inputs, labels } = batchOf(1, 4, 3);
    const use = () => {
      model.trainOnBatch(inputs, labels);
      model.predictProbabilities(inputs);
      model.lossAndGradients(inputs, labels);
    };
    use();
    const counts = [backend.tf.memory().numTensors, openSessions(backend)];
    for (let i = 0; i < 300; i++) use();
    expect([backend.tf.memory().numTensors, openSessions(backend)]).to.deep.equal(counts);
    model.dispose();
    model.dispose();
    expect([backend.tf.memory().numTensors, openSessions(backend)]).to.deep.equal(before);
    expect(() => model.predict(inputs)).to.throw(/predict: this classifier was disposed/);
  });

  it('survives a tidy around its steps', () => {
    const model = graph({ optimizer: 'adam' });
    const { inputs, labels } = batchOf(1, 4, 3);
    for (let i = 0; i < 3; i++) backend.tf.tidy(() => void model.trainOnBatch(inputs, labels));
    expect(model.getOptimizerState().step).to.equal(3);
  });

  it('leaves nothing after 20 cycles of building and disposing', () => {
    const before = [backend.tf.memory().numTensors, openSessions(backend)];
    for (let i = 0; i < 20; i++) {
      const model = graph();
      model.trainOnBatch(batchOf(i, 2, 2).inputs, [0, 1]);
      model.dispose();
    }
    expect([backend.tf.memory().numTensors, openSessions(backend)]).to.deep.equal(before);
  });

  it('gives the first lengths a graph each, and further ones a loop', () => {
    const model = graph();
    for (let timeSteps = 1; timeSteps <= 7; timeSteps++) model.predict(batchOf(1, 2, timeSteps).inputs);
    model.predict(batchOf(1, 2, 2).inputs);
    const loops = model.setUps.map(({ plan }) => [plan.loop, plan.timeSteps]);
    expect(loops).to.deep.equal([...[1, 2, 3, 4].map((t) => ['unrolled', t]), ['while', 5]]);
  });

  it('warms up without a change, so that steps compile nothing', () => {
    const model = graph({ optimizer: 'adam' });
    const before = [model.getWeights(), model.getOptimizerState()];
    expect(model.warmUp(4, 3)).to.be.above(0);
    expect([model.getWeights(), model.getOptimizerState()]).to.deep.equal(before);
    expect(model.setUps).to.have.length(1);
    model.trainOnBatch(batchOf(1, 4, 3).inputs, batchOf(1, 4, 3).labels);
    expect(model.setUps).to.have.length(1);
  });

  function near(given: Tensor, expected: Tensor, what = ''): void {
    expect(given.shape).to.deep.equal(expected.shape);
    const error = Math.max(...expected.data.map((x, i) => Math.abs(x - given.data[i])));
    expect(error, what).to.be.below(2e-6);
  }
});
