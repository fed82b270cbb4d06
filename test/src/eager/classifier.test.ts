import { expect } from 'chai';
import {
  ScratchSimpleRNNClassifier,
  weightNames,
  type ClassifierWeights,
  type CompileOptions,
} from '../../../scratch/index';
import { TfSimpleRNNClassifier, type GradientMethod } from '../../../src/index';
import { describeOnBackends } from '../../support/backends';
import { layerProblem, normalTensor, scaledDifference } from '../../support/layer-problem';

const sizes = { features: 3, units: 5, classes: 4 };
const [B, T] = [6, 4];
const { inputs, initialState, mask } = layerProblem(3, { B, T, F: 3, U: 5 }, 0.5, true);
const labels = [0, 1, 2, 3, 2, 1];
const options = { initialState, ...(mask && { mask }) };

const optimizers: Record<string, CompileOptions> = {
  sgd: { optimizer: 'sgd', learningRate: 0.1 },
  momentum: { optimizer: { name: 'sgd', momentum: 0.9 }, learningRate: 0.05 },
  nesterov: { optimizer: { name: 'sgd', momentum: 0.9, nesterov: true }, learningRate: 0.05 },
  adam: { optimizer: 'adam', learningRate: 0.02 },
  'adam, keras': { optimizer: { name: 'adam', form: 'keras', epsilon: 1e-3 }, learningRate: 0.02 },
  'sgd, clipped': { optimizer: 'sgd', learningRate: 0.1, clipNorm: 0.2 },
  'adam, clipped': { optimizer: { name: 'adam', beta1: 0.5 }, learningRate: 0.02, clipNorm: 0.2 },
};

/** The largest difference of any weight, in units of that weight's largest element. */
const apart = (one: ClassifierWeights, other: ClassifierWeights): number =>
  Math.max(...weightNames.map((name) => scaledDifference(one[name].data, other[name].data)));

describeOnBackends('src/eager/classifier', (backend) => {
  const make = (gradients: GradientMethod, more: CompileOptions = {}) =>
    new TfSimpleRNNClassifier({ backend: backend(), ...sizes, seed: 4, gradients, ...more });

  for (const gradients of ['autodiff', 'bptt'] as const) {
    it(`${gradients}: starts from the scratch classifier's weights`, () => {
      const model = make(gradients);
      expect(model.getWeights()).to.deep.equal(
        new ScratchSimpleRNNClassifier({ ...sizes, seed: 4 }).getWeights(),
      );
      expect(model.name).to.equal(`tfjs:${backend().name}${gradients === 'bptt' ? ':bptt' : ''}`);
      expect(model.precision).to.equal('float32');
      model.dispose();
    });

    for (const [name, compile] of Object.entries(optimizers)) {
      // float32 rounding of a few steps; Adam's 1 - beta2^step is off by 1e-5 of itself in tfjs
      const tolerance = name.startsWith('adam') ? 2e-5 : 2e-6;
      it(`${gradients}: ${name}: 6 updates as the scratch classifier does them`, () => {
        const scratch = new ScratchSimpleRNNClassifier({ ...sizes, seed: 4, ...compile });
        const model = make(gradients, compile);
        for (let step = 0; step < 6; step++) {
          const found = model.trainOnBatch(inputs, labels, options);
          const expected = scratch.trainOnBatch(inputs, labels, options);
          expect(found.loss).to.be.closeTo(expected.loss, tolerance);
          expect(found.gradientNorm / expected.gradientNorm).to.be.closeTo(1, 5 * tolerance);
          expect(found.accuracy).to.equal(expected.accuracy);
          // outputBias starts at 0: its scale is one update
          expect(apart(model.getWeights(), scratch.getWeights()), `step ${step}`).to.be.below(tolerance);
        }
        const [state, theirs] = [model.getOptimizerState(), scratch.getOptimizerState()];
        expect(state.step).to.equal(6);
        expect(state.config).to.deep.equal(theirs.config);
        expect(Object.keys(state.slots)).to.deep.equal(Object.keys(theirs.slots));
        for (const [slot, memory] of Object.entries(state.slots)) {
          expect(apart(memory, theirs.slots[slot]), slot).to.be.below(2e-5);
        }
        model.dispose();
      });

      it(`${gradients}: ${name}: continues bit for bit from weights and optimizer state`, () => {
        const [whole, first] = [make(gradients, compile), make(gradients, compile)];
        for (let step = 0; step < 3; step++) {
          whole.trainOnBatch(inputs, labels, options);
          first.trainOnBatch(inputs, labels, options);
        }
        const saved = structuredClone([first.getWeights(), first.getOptimizerState()] as const);
        first.dispose();
        const { clipNorm } = compile;
        const second = make(gradients, clipNorm === undefined ? {} : { clipNorm });
        second.setWeights(saved[0]);
        second.setOptimizerState(saved[1]);
        for (let step = 0; step < 4; step++) {
          const result = whole.trainOnBatch(inputs, labels, options);
          expect(second.trainOnBatch(inputs, labels, options)).to.deep.equal(result);
        }
        expect(second.getWeights()).to.deep.equal(whole.getWeights());
        expect(second.getOptimizerState()).to.deep.equal(whole.getOptimizerState());
        whole.dispose();
        second.dispose();
      });
    }

    it(`${gradients}: fit learns, and the same seed gives the same bits`, async () => {
      // the sign of the first input decides: remember it for 3 steps
      const many = normalTensor(9, 1, 24, 3, 3);
      const signs = Array.from({ length: 24 }, (_, b) => (many.data[b * 9] > 0 ? 1 : 0));
      const runs = [];
      for (const seed of [1, 1, 2]) {
        const model = make(gradients, { optimizer: 'adam', learningRate: 0.03 });
        const history = await model.fit(many, signs, {
          epochs: 12,
          batchSize: 10,
          seed,
          validationData: { inputs: many, labels: signs },
        });
        runs.push({ history, weights: model.getWeights(), after: model.evaluate(many, signs) });
        model.dispose();
      }
      expect(runs[0]).to.deep.equal(runs[1]);
      expect(runs[0].weights).not.to.deep.equal(runs[2].weights);
      const [begin, end] = [runs[0].history.epochs[0], runs[0].history.epochs[11]];
      expect(end.loss).to.be.below(begin.loss / 2);
      expect(end.accuracy).to.be.above(0.75);
      expect(end.validationLoss).to.equal(runs[0].after.loss);
    });

    it(`${gradients}: fit continues bit for bit from a position`, async () => {
      const many = normalTensor(9, 1, 20, 4, 3);
      const theirs = Array.from({ length: 20 }, (_, i) => i % 4);
      const settings = { epochs: 3, batchSize: 8, seed: 5 };
      const whole = make(gradients, { optimizer: 'adam' });
      const expected = await whole.fit(many, theirs, settings);

      const first = make(gradients, { optimizer: 'adam' });
      let stopped: { position: never } | undefined;
      await first.fit(many, theirs, {
        ...settings,
        onBatchEnd: (log) => {
          stopped = log as never;
          return !(log.epoch === 1 && log.batch === 1);
        },
      });
      const second = make(gradients);
      second.setWeights(first.getWeights());
      second.setOptimizerState(first.getOptimizerState());
      const { position } = stopped as unknown as { position: never };
      const rest = await second.fit(many, theirs, { ...settings, position });
      expect(rest.epochs).to.deep.equal(expected.epochs.slice(1));
      expect(second.getWeights()).to.deep.equal(whole.getWeights());
      for (const model of [whole, first, second]) model.dispose();
    });

    it(`${gradients}: predicts in chunks that do not show, probabilities and classes from the logits`, () => {
      const model = make(gradients);
      const many = normalTensor(5, 1, 300, 2, 3);
      const logits = model.predictLogits(many);
      const probabilities = model.predictProbabilities(many);
      const classes = model.predict(many);
      expect([logits.shape, probabilities.shape]).to.deep.equal([
        [300, 4],
        [300, 4],
      ]);
      for (const b of [0, 255, 256, 299]) {
        const one = { data: many.data.slice(b * 6, (b + 1) * 6), shape: [1, 2, 3] };
        const row = logits.data.slice(b * 4, b * 4 + 4);
        expect(scaledDifference(model.predictLogits(one).data, row)).to.be.below(1e-6);
        const weights = Array.from(row, Math.exp);
        const total = weights.reduce((a, w) => a + w);
        weights.forEach((w, c) => expect(probabilities.data[b * 4 + c]).to.be.closeTo(w / total, 1e-6));
        expect(classes[b]).to.equal(row.indexOf(Math.max(...row)));
      }
      const theirs = Array.from(classes);
      const whole = model.evaluate(many, theirs);
      expect(whole.accuracy).to.equal(1);
      expect(whole.loss).to.be.closeTo(model.lossAndGradients(many, theirs).loss, 1e-6);
      for (const batchSize of [100, 299]) {
        const chunked = model.evaluate(many, theirs, { batchSize });
        expect(chunked.accuracy).to.equal(1);
        expect(chunked.loss).to.be.closeTo(whole.loss, 1e-6);
      }
      model.dispose();
    });

    it(`${gradients}: leaves weights and optimizer as they were when the loss is not finite`, () => {
      const model = make(gradients, { optimizer: 'adam' });
      const weights = model.getWeights();
      weights.outputKernel.data.fill(3e38).fill(-3e38, 0, 10);
      model.setWeights(weights);
      const before = model.getWeights();
      const { loss, gradientNorm } = model.trainOnBatch(inputs, labels);
      expect([loss, gradientNorm].every(Number.isFinite)).to.equal(false);
      expect(model.getWeights()).to.deep.equal(before);
      expect(model.getOptimizerState().step).to.equal(0);
      model.dispose();
    });

    it(`${gradients}: hands out copies, and lossAndGradients changes nothing`, () => {
      const model = make(gradients, { optimizer: 'adam' });
      model.trainOnBatch(inputs, labels);
      const [weights, state] = [model.getWeights(), model.getOptimizerState()];
      const kept = structuredClone({ weights, state });
      model.lossAndGradients(inputs, labels).gradients.kernel.data.fill(9);
      expect({ weights: model.getWeights(), state: model.getOptimizerState() }).to.deep.equal(kept);
      weights.kernel.data.fill(9);
      state.slots.m.kernel.data.fill(9);
      expect({ weights: model.getWeights(), state: model.getOptimizerState() }).to.deep.equal(kept);
      model.compile({ optimizer: 'sgd' });
      expect(model.getOptimizerState()).to.deep.include({ step: 0, slots: {} });
      model.dispose();
    });
  }

  it('the two gradient methods are the same function', () => {
    const [autodiff, bptt] = [make('autodiff'), make('bptt')];
    const one = autodiff.lossAndGradients(inputs, labels, options);
    const other = bptt.lossAndGradients(inputs, labels, options);
    expect(one.loss).to.be.closeTo(other.loss, 5e-7);
    for (const name of Object.keys(one.gradients) as (keyof typeof one.gradients)[]) {
      const [gradient, theirs] = [one.gradients[name], other.gradients[name]];
      expect(scaledDifference(gradient.data, theirs.data), name).to.be.below(2e-6);
    }
    autodiff.dispose();
    bptt.dispose();
  });
});
