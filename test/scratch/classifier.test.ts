import { expect } from 'chai';
import {
  argmax,
  clipByGlobalNorm,
  createOptimizer,
  Dense,
  globalNorm,
  ScratchSimpleRNNClassifier,
  SimpleRNN,
  softmaxCrossEntropy,
  weightNames,
  type CompileOptions,
} from '../../scratch/index';
import { layerProblem, normalTensor } from '../support/layer-problem';

const sizes = { features: 3, units: 5, classes: 4 };
const [B, T] = [6, 7];
const { inputs, initialState, mask } = layerProblem(3, { B, T, F: 3, U: 5 }, 0.5, true);
const labels = [0, 1, 2, 3, 2, 1];
const options = { initialState, ...(mask && { mask }) };
const make = (more: CompileOptions = {}) => new ScratchSimpleRNNClassifier({ ...sizes, seed: 4, ...more });

describe('scratch/classifier', () => {
  it('is its layers composed, bit for bit: forward, loss and every gradient', () => {
    const model = make();
    const { outputKernel, outputBias, ...recurrent } = model.getWeights();
    const rnn = new SimpleRNN({ features: sizes.features, units: sizes.units, weights: recurrent });
    const dense = new Dense({ inputs: 5, units: 4, weights: { kernel: outputKernel, bias: outputBias } });
    const hidden = rnn.forward(inputs, initialState, mask);
    const { outputs: logits, cache } = dense.forward(hidden.finalState);
    const { loss, probabilities, dLogits } = softmaxCrossEntropy(logits, labels);
    const output = dense.backward(cache, dLogits);
    const below = rnn.backward(hidden.cache, { finalState: output.inputs });

    const found = model.lossAndGradients(inputs, labels, options);
    expect(found.loss).to.equal(loss);
    expect(found.probabilities).to.deep.equal(probabilities);
    expect(found.gradients).to.deep.equal({
      kernel: below.kernel,
      recurrentKernel: below.recurrentKernel,
      bias: below.bias,
      outputKernel: output.kernel,
      outputBias: output.bias,
      inputs: below.inputs,
      initialState: below.initialState,
    });
    expect(model.predictLogits(inputs, options)).to.deep.equal(logits);
    expect(model.predictProbabilities(inputs, options)).to.deep.equal(probabilities);
    expect(model.predict(inputs, options)).to.deep.equal(argmax(logits));
    expect(model.loss(inputs, labels, options)).to.equal(loss);
    const norms = model.stateGradientNorms(inputs, labels, options);
    expect(norms.length).to.equal(T + 1);
    expect(norms[0]).to.equal(globalNorm([below.initialState.data]));
    expect(norms[T]).to.equal(globalNorm([output.inputs.data]));
  });

  it('trainOnBatch is lossAndGradients, clip, update; its numbers are those before the update', () => {
    for (const optimizer of ['sgd', 'adam', { name: 'sgd', momentum: 0.9 }] as const) {
      for (const clipNorm of [undefined, 0.01]) {
        const model = make({ optimizer, learningRate: 0.1, ...(clipNorm !== undefined && { clipNorm }) });
        const weights = model.getWeights();
        const update = createOptimizer(model.getOptimizerState().config);
        for (let step = 0; step < 3; step++) {
          const { loss, gradients, probabilities } = model.lossAndGradients(inputs, labels, options);
          const arrays = weightNames.map((name) => gradients[name].data);
          const norm = clipNorm === undefined ? globalNorm(arrays) : clipByGlobalNorm(arrays, clipNorm);
          update.update(
            weightNames.map((name) => weights[name].data),
            arrays,
          );
          const hits = Array.from(argmax(probabilities)).filter((c, b) => c === labels[b]).length;
          const result = model.trainOnBatch(inputs, labels, options);
          expect(result).to.deep.equal({ loss, accuracy: hits / B, gradientNorm: norm });
          expect(model.getWeights()).to.deep.equal(weights);
        }
      }
    }
  });

  it('reuses its buffers without a trace: batches of other sizes, masks and states in between change nothing', () => {
    const [plain, busy] = [make(), make()];
    const big = normalTensor(1, 1, 9, 12, 3);
    const small = normalTensor(2, 1, 2, 3, 3);
    for (let step = 0; step < 3; step++) {
      const weights = busy.getWeights();
      busy.trainOnBatch(big, [0, 1, 2, 3, 0, 1, 2, 3, 0], {
        mask: Array.from({ length: 9 }, () => [1, ...new Array<number>(11).fill(0)]),
      });
      busy.trainOnBatch(inputs, labels, options);
      busy.setWeights(weights);
      expect(busy.trainOnBatch(small, [3, 0])).to.deep.equal(plain.trainOnBatch(small, [3, 0]));
      expect(busy.getWeights()).to.deep.equal(plain.getWeights());
    }
  });

  it('trains without allocating arrays: not per time step, not per batch', () => {
    const model = make();
    const long = normalTensor(6, 1, 10, 50, 3);
    const theirs = Array.from({ length: 10 }, (_, i) => i % 4);
    const train = (steps: number) => {
      for (let i = 0; i < steps; i++) model.trainOnBatch(long, theirs);
      return process.memoryUsage().arrayBuffers;
    };
    const before = train(1);
    // one batch's states alone take 51 · 10 · 5 · 8 = 20,400 bytes
    expect(train(50) - before).to.be.below(20_400);
  });

  it('evaluates in chunks that do not show in the result', () => {
    const model = make();
    const many = normalTensor(5, 1, 300, 4, 3);
    const theirs = Array.from({ length: 300 }, (_, i) => i % 4);
    const whole = model.evaluate(many, theirs);
    for (const batchSize of [1, 7, 299, 1000])
      expect(model.evaluate(many, theirs, { batchSize })).to.deep.equal(whole);
    expect(whole.loss).to.equal(model.lossAndGradients(many, theirs).loss);
    expect(model.predict(many)).to.deep.equal(argmax(model.lossAndGradients(many, theirs).probabilities));
  });

  it('leaves weights and optimizer as they were when the loss is not finite, and says so', () => {
    const model = make({ optimizer: 'adam' });
    const weights = model.getWeights();
    weights.outputKernel.data.fill(1e308).fill(-1e308, 0, 10);
    model.setWeights(weights);
    const { loss, gradientNorm } = model.trainOnBatch(inputs, labels);
    expect([loss, gradientNorm].every(Number.isFinite)).to.equal(false);
    expect(model.getWeights()).to.deep.equal(weights);
    expect(model.getOptimizerState().step).to.equal(0);
  });

  it('hands out copies: weights, optimizer state, results', () => {
    const model = make({ optimizer: 'adam' });
    model.trainOnBatch(inputs, labels);
    const [weights, state] = [model.getWeights(), model.getOptimizerState()];
    const kept = structuredClone({ weights, state });
    model.lossAndGradients(inputs, labels).gradients.kernel.data.fill(9);
    model.trainOnBatch(inputs, labels);
    expect({ weights, state }).to.deep.equal(kept);
    expect(Object.keys(state.slots)).to.deep.equal(['m', 'v']);
    model.setWeights(weights);
    model.setOptimizerState(state);
    expect({ weights: model.getWeights(), state: model.getOptimizerState() }).to.deep.equal(kept);
    weights.kernel.data.fill(9);
    state.slots.m.kernel.data.fill(9);
    expect({ weights: model.getWeights(), state: model.getOptimizerState() }).to.deep.equal(kept);
  });

  it('works on after dispose, which has nothing to release but buffers', () => {
    const model = make();
    model.trainOnBatch(inputs, labels);
    model.dispose();
    expect(model.trainOnBatch(inputs, labels).loss).to.be.greaterThan(0);
  });
});
