import type * as Tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { ScratchNetwork } from '../../../scratch/index';
import type { LayerConfig, NetworkConfig, NetworkOptions, OptimizerConfig } from '../../../scratch/index';
import { registerLayers, TfNetwork, type LoadedBackend } from '../../../src/index';
import { describeOnBackends, testedBackends } from '../../support/backends';
import { nameOf, networkCases } from '../../support/network-cases';
import { normalTensor, scaledDifference } from '../../support/layer-problem';

const [B, T, F] = [4, 3, 2];
const layers: LayerConfig[] = [
  { layer: 'bidirectional', wrapped: { layer: 'lstm', units: 2, returnSequences: true } },
  { layer: 'gru', units: 3 },
  { layer: 'dense', units: 3 },
];
const described: NetworkOptions = { features: F, layers, seed: 2 };
const inputs = normalTensor(1, 1, B, T, F);
inputs.data.forEach((x, i) => (inputs.data[i] = Math.fround(x)));
const labels = [0, 1, 2, 1];
const mask = [
  [1, 1, 0],
  [1, 1, 1],
  [0, 1, 1],
  [1, 0, 0],
];
const methods = ['autodiff', 'bptt'] as const;
/** The plain JavaScript backend computes the same and is the slowest: the other tests run on it. */
const fastBackends = testedBackends.filter((name) => name !== 'cpu');
/** 4 weights of the dense layer and the GRU's 3, the LSTM's 6 in two directions: 2 + 3 + 6 variables. */
const variables = 11;

const training = (backend: () => LoadedBackend): void => {
  const optimizers: OptimizerConfig[] = [
    { name: 'sgd', learningRate: 0.1 },
    { name: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true },
    { name: 'adam', learningRate: 0.01 },
    { name: 'adam', learningRate: 0.01, form: 'keras' },
  ];
  for (const optimizer of optimizers) {
    it(`25 steps of ${JSON.stringify(optimizer)}, each from where scratch is, change every weight as scratch does`, () => {
      const options = { ...described, optimizer, clipNorm: 0.5 };
      const scratch = new ScratchNetwork(options);
      // one optimizer serves both methods
      const twins = methods
        .slice(optimizer === optimizers[2] ? 0 : 1)
        .map((gradients) => new TfNetwork({ backend: backend(), gradients, ...options }));
      for (let step = 0; step < 25; step++) {
        const before = scratch.getWeights().map((layer) => Object.values(layer).map(({ data }) => data));
        const state = scratch.getOptimizerState();
        for (const twin of twins) {
          twin.setWeights(scratch.getWeights());
          twin.setOptimizerState(state);
        }
        const given = step % 2 === 0 ? { mask } : {};
        const expected = scratch.trainOnBatch(inputs, labels, given);
        const after = scratch.getWeights();
        for (const twin of twins) {
          const result = twin.trainOnBatch(inputs, labels, given);
          expect(result.loss).to.be.closeTo(expected.loss, 1e-6);
          expect(result.accuracy).to.equal(expected.accuracy);
          expect(result.gradientNorm / expected.gradientNorm).to.be.closeTo(1, 1e-5);
          twin.getWeights().forEach((layer, i) =>
            Object.entries(layer).forEach(([key, { data }], k) => {
              const change = after[i][key].data.map((w, n) => w - before[i][k][n]);
              const largest = Math.max(...change.map(Math.abs));
              // float32 keeps a weight to 6e-8 of itself, and Adam's 1 - beta2^step to 1.3e-5 of itself
              data.forEach((w, n) => {
                const allowed = 1e-3 * largest + 1.2e-7 * Math.abs(w);
                expect(Math.abs(w - after[i][key].data[n]), `${key}[${i}], step ${step}`).to.be.at.most(
                  allowed,
                );
              });
            }),
          );
        }
      }
      for (const twin of twins) twin.dispose();
    });
  }

  it('fit trains and evaluates by what a subclass overrides, and the description stays as it was', async () => {
    const calls: string[] = [];
    class Watched extends TfNetwork {
      override trainOnBatch(...given: Parameters<TfNetwork['trainOnBatch']>) {
        calls.push('train');
        return super.trainOnBatch(...given);
      }
      override evaluate(...given: Parameters<TfNetwork['evaluate']>) {
        calls.push('evaluate');
        return super.evaluate(...given);
      }
    }
    const network = new Watched({ backend: backend(), gradients: 'bptt', ...described });
    await network.fit(inputs, labels, { epochs: 1, batchSize: 2, validationData: { inputs, labels } });
    expect(calls).to.deep.equal(['train', 'train', 'evaluate']);
    Reflect.set(network.config.layers[1], 'units', 9);
    Reflect.set(network.config, 'features', 9);
    expect(network.config).to.deep.include({ features: F, layers });
    network.dispose();
  });

  it("fit is scratch's within rounding, stops and resumes bit for bit, and learns", async () => {
    const options = { ...described, gradients: 'bptt', backend: backend() } as const;
    const [whole, first] = [new TfNetwork(options), new TfNetwork(options)];
    const fitting = { batchSize: 3, optimizer: 'adam', learningRate: 0.05, mask } as const;
    const validationData = { inputs, labels, mask };
    const { epochs } = await whole.fit(inputs, labels, { ...fitting, epochs: 24, validationData });
    const reference = await new ScratchNetwork(described).fit(inputs, labels, { ...fitting, epochs: 3 });
    reference.epochs.forEach(({ loss }, i) => expect(epochs[i].loss).to.be.closeTo(loss, 1e-4));
    expect(epochs.at(-1)!.accuracy).to.equal(1);
    expect(epochs.at(-1)!.validationLoss).to.equal(whole.evaluate(inputs, labels, { mask }).loss);
    const stopped = await first.fit(inputs, labels, {
      ...fitting,
      epochs: 24,
      onEpochEnd: ({ epoch }) => epoch < 11,
    });
    const second = new TfNetwork({ ...options, weights: first.getWeights() });
    second.setOptimizerState(first.getOptimizerState());
    const { position } = stopped.epochs.at(-1)!;
    await second.fit(inputs, labels, { batchSize: 3, mask, epochs: 24, position });
    expect(second.getWeights()).to.deep.equal(whole.getWeights());
    for (const network of [whole, first, second]) network.dispose();
  });
};
describeOnBackends('TfNetwork: training', training, fastBackends);

describeOnBackends('TfNetwork: who owns which tensor', (backend) => {
  for (const gradients of methods) {
    it(`${gradients}: the network owns its variables and its optimizer's, nothing else`, async () => {
      const { tf } = backend();
      const start = tf.memory().numTensors;
      const network = new TfNetwork({ backend: backend(), gradients, ...described });
      const owned = () => tf.memory().numTensors - start;
      expect(owned()).to.equal(variables + 1);
      const upstream = { logits: normalTensor(2, 1, B, 3) };
      const uses: (() => unknown)[] = [
        () => network.predict(inputs, { mask }),
        () => network.evaluate(inputs, labels, { batchSize: 3 }),
        () => network.lossAndGradients(inputs, labels, { mask }),
        () => network.run(inputs, { upstream, sequences: true }),
        () => network.trainOnBatch(inputs, labels),
        () => network.predictAsync(inputs, { mask }),
        () => network.evaluateAsync(inputs, labels, { batchSize: 3 }),
        () => network.runAsync(inputs, { targets: labels, upstream, sequences: true }),
        () => network.trainOnBatchAsync(inputs, labels),
        () => network.fit(inputs, labels, { epochs: 2, batchSize: 3 }),
        () => network.setWeights(network.getWeights()),
        () => network.setOptimizerState(network.getOptimizerState()),
        () => tf.tidy(() => void network.trainOnBatch(inputs, labels)),
      ];
      for (const use of uses) {
        await use();
        expect(owned(), use.toString()).to.equal(variables + 1);
      }
      network.compile({ optimizer: 'adam' });
      for (let i = 0; i < 2; i++) network.trainOnBatch(inputs, labels);
      expect(owned()).to.equal(variables + 2 + 2 * variables);
      network.dispose();
      network.dispose();
      expect(owned()).to.equal(0);
      expect(() => network.predict(inputs)).to.throw('predict: this network was disposed');
    });

    it(`${gradients}: asynchronous reads give the same answers`, async () => {
      const network = new TfNetwork({ backend: backend(), gradients, ...described });
      const question = {
        targets: labels,
        mask,
        sequences: true,
        upstream: { logits: normalTensor(2, 1, B, 3) },
      };
      expect(await network.runAsync(inputs, question)).to.deep.equal(network.run(inputs, question));
      expect(await network.predictAsync(inputs)).to.deep.equal(network.predict(inputs));
      expect(await network.evaluateAsync(inputs, labels, { batchSize: 3 })).to.deep.equal(
        network.evaluate(inputs, labels, { batchSize: 3 }),
      );
      // as on a backend that reads later
      const later = { ...backend(), name: 'webgl' } as const;
      const [one, other] = [network, new TfNetwork({ backend: later, gradients, ...described })];
      expect(await other.trainOnBatchAsync(inputs, labels)).to.deep.equal(one.trainOnBatch(inputs, labels));
      expect(other.getWeights()).to.deep.equal(one.getWeights());
      one.dispose();
      const interrupted = [
        ['predict', other.predictAsync(inputs)],
        ['evaluate', other.evaluateAsync(inputs, labels)],
        ['run', other.runAsync(inputs)],
        ['trainOnBatch', other.trainOnBatchAsync(inputs, labels)],
      ] as const;
      other.dispose();
      for (const [name, work] of interrupted) {
        const error: unknown = await work.catch((thrown: unknown) => thrown);
        expect(String(error)).to.include(`${name}: this network was disposed`);
      }
    });

    it(`${gradients}: an error in the middle, forward or backward, leaks nothing and breaks nothing`, () => {
      const { tf, name } = backend();
      const network = new TfNetwork({ backend: backend(), gradients, ...described });
      const before = network.getWeights();
      const expected = network.lossAndGradients(inputs, labels, { mask });
      const count = tf.memory().numTensors;
      let failures = 0;
      for (const kernel of ['Tanh', 'Sigmoid', 'Transpose', 'BatchMatMul', 'Concat', 'Multiply']) {
        const registered = tf.getKernel(kernel, name);
        tf.unregisterKernel(kernel, name);
        try {
          for (const use of [
            () => network.lossAndGradients(inputs, labels, { mask }),
            () => network.trainOnBatch(inputs, labels),
          ]) {
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
        network.setWeights(before);
      }
      expect(failures).to.be.at.least(8);
      expect(network.lossAndGradients(inputs, labels, { mask })).to.deep.equal(expected);
      network.dispose();
    });
  }

  it('refuses what does not fit before any work', () => {
    const make = (options: object) => new TfNetwork({ backend: backend(), ...described, ...options });
    expect(() => make({ layer: [] })).to.throw(/TfNetwork: there is no option layer; the nearest is layers/);
    expect(() => make({ gradients: 'tape' })).to.throw(
      /TfNetwork: gradients is tape; the nearest is bptt \(there are autodiff, bptt\)/,
    );
    expect(() => make({ layers: [{ layer: 'lstm', units: 0 }] })).to.throw(/units is 0/);
    const huge = { ...inputs, data: inputs.data.slice().fill(1e39, 3, 4) };
    for (const gradients of methods) {
      const network = make({ gradients });
      expect(() => network.predict(huge)).to.throw(
        /^predict: inputs holds 1e\+39 at \[0, 1, 1\], beyond the largest/,
      );
      expect(() => network.trainOnBatch(inputs, [0, 1])).to.throw(/targets has 2 elements for 4 examples/);
      expect(() => network.predict([[[1]]])).to.throw(
        /inputs has shape \[1, 1, 1\] but \[B, T, 2\] was expected/,
      );
      const weights = network.getWeights();
      weights[2]['bias'].data[0] = 1e39;
      expect(() => network.setWeights(weights)).to.throw(/setWeights: \[2\]: bias holds 1e\+39/);
      expect(network.getWeights()[2]['bias'].data[0]).to.equal(0);
      // not finite: nothing changes
      network.compile({ learningRate: 1e38 });
      network.trainOnBatch(inputs, labels);
      const far = network.getWeights();
      const { loss } = network.trainOnBatch(inputs, labels);
      if (!Number.isFinite(loss)) expect(network.getWeights()).to.deep.equal(far);
      network.dispose();
    }
  });
});

const asLayersModel = (backend: () => LoadedBackend): void => {
  networkCases.forEach((config, i) => {
    if (i % 3 > 0 && config.layers[0].layer !== 'embedding') return;
    it(`${nameOf(config)} saved, loaded and read back gives the same outputs`, async () => {
      const { tf } = backend();
      const rest = Object.fromEntries(Object.entries(config).filter(([key]) => key !== 'masked'));
      const options = { ...(rest as unknown as NetworkConfig), seed: i };
      const network = new TfNetwork({ backend: backend(), gradients: 'bptt', ...options });
      const x =
        config.features === undefined
          ? { data: Float64Array.of(1, 0, 3, 2, 2, 0), shape: [2, 3] }
          : normalTensor(3, 1, 2, 3, config.features);
      const expected = network.predict(x).outputs;
      const model = network.toLayersModel();
      const loaded = await reloaded(tf, model);
      const outputs = tf.tidy(() => {
        const result = loaded.predict(tf.tensor(Float32Array.from(x.data), [...x.shape])) as Tf.Tensor;
        return { data: result.dataSync(), shape: result.shape };
      });
      expect(outputs.shape).to.deep.equal(expected.shape);
      expect(scaledDifference(outputs.data, expected.data)).to.be.below(1e-5);
      const again = TfNetwork.fromLayersModel(backend(), loaded, { gradients: 'bptt' });
      expect(again.getWeights()).to.deep.equal(network.getWeights());
      expect(again.predict(x)).to.deep.equal(network.predict(x));
      for (const one of [network, model, loaded, again]) one.dispose();
    });
  });

  it('refuses layers that TensorFlow.js computes otherwise, and models of other layers', () => {
    const { tf } = backend();
    const turned = new TfNetwork({
      backend: backend(),
      layers: [
        { layer: 'embedding', inputDim: 3, outputDim: 2, maskZero: true },
        { layer: 'lstm', units: 2, returnSequences: true, goBackwards: true },
        { layer: 'gru', units: 2 },
      ],
    });
    expect(() => turned.toLayersModel()).to.throw(
      /layers\[2\] reads the steps of layers\[1\], which walks backwards/,
    );
    turned.dispose();
    const model = tf.sequential({
      layers: [tf.layers.conv1d({ filters: 2, kernelSize: 1, inputShape: [3, 2] })],
    });
    expect(() => TfNetwork.fromLayersModel(backend(), model)).to.throw(/layer 1 is Conv1D; a network has/);
    model.dispose();
    const dropping = tf.sequential({
      layers: [tf.layers.lstm({ units: 2, dropout: 0.5, inputShape: [3, 2] })],
    });
    expect(() => TfNetwork.fromLayersModel(backend(), dropping)).to.throw(/layer 1 \(LSTM\) has dropout 0.5/);
    dropping.dispose();
  });
};
describeOnBackends('TfNetwork: as a LayersModel', asLayersModel, ['wasm']);

/** Through the text of model.json, as a file would. */
async function reloaded(tf: typeof Tf, model: Tf.LayersModel): Promise<Tf.LayersModel> {
  let saved: Tf.io.ModelArtifacts | undefined;
  await model.save({
    save: (artifacts: Tf.io.ModelArtifacts) => {
      saved = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    },
  });
  registerLayers(tf);
  const modelTopology = JSON.parse(JSON.stringify(saved!.modelTopology)) as object;
  return tf.loadLayersModel({ load: () => Promise.resolve({ ...saved!, modelTopology }) });
}
