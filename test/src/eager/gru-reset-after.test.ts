import type * as Tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { Stack, type GRUConfig } from '../../../scratch/index';
import { gruResetAfter, registerGRUResetAfter } from '../../../src/index';
import { describeOnBackends } from '../../support/backends';
import { cases } from '../../support/cell-vectors';
import { normalTensor, scaledDifference } from '../../support/layer-problem';

const grus = cases.filter(
  ({ layers: [layer, ...more], upstream }) =>
    layer.layer === 'gru' && more.length === 0 && layer.resetAfter !== false && upstream,
);

/** Sums of some dozens of float32 roundings, of the scale of the tensor. */
const tolerance = 1e-5;

describeOnBackends('gruResetAfter', (backend) => {
  const tensorOf = (tf: typeof Tf, { data, shape }: { data: ArrayLike<number>; shape: readonly number[] }) =>
    tf.tensor(Array.from(data), [...shape]);

  for (const { by, layers, given, upstream } of grus) {
    const { units, ...described } = layers[0] as GRUConfig;
    const rest = Object.fromEntries(Object.entries(described).filter(([key]) => key !== 'layer'));
    // TensorFlow.js knows the hard sigmoid of Keras 2 only, so that one is compared with scratch
    const hard = JSON.stringify(rest).includes('hardSigmoidKeras3');
    const options = hard ? { ...rest, recurrentActivation: 'hardSigmoid' as const } : rest;

    it(`${by}: ${JSON.stringify(layers)}: outputs, final state and every gradient`, () => {
      const { tf } = backend();
      const stack = new Stack({
        features: given.inputs.shape[2],
        layers: [{ layer: 'gru', units, ...options }],
        weights: given.weights,
      });
      const mask = given.mask && { mask: given.mask };
      const made = stack.forward(given.inputs, { initialStates: given.initialStates, ...mask });
      const back = stack.backward(made.cache, { outputs: upstream!.outputs });
      const layer = gruResetAfter(tf, { units, ...options, returnState: true });
      tf.tidy(() => {
        const [x, h0] = [tensorOf(tf, given.inputs), tensorOf(tf, given.initialStates[0][0])];
        const m = given.mask && tensorOf(tf, given.mask);
        const run = (input: Tf.Tensor, state: Tf.Tensor) =>
          layer.apply([input, state] as Tf.Tensor[], m ? { mask: m } : {}) as Tf.Tensor[];
        run(x, h0);
        layer.setWeights(Object.values(given.weights[0]).map((weight) => tensorOf(tf, weight)));
        const [outputs, state] = run(x, h0);
        expect(scaledDifference(outputs.dataSync(), made.outputs.data), 'outputs').to.be.below(tolerance);
        expect(scaledDifference(state.dataSync(), made.finalStates[0][0].data), 'state').to.be.below(
          tolerance,
        );
        const arriving = tensorOf(tf, upstream!.outputs);
        const objective = () => tf.sum<Tf.Scalar>(tf.mul(run(x, h0)[0], arriving));
        const variables = layer.trainableWeights.map((w) => w.read() as unknown as Tf.Variable);
        const { grads } = tf.variableGrads(objective, variables);
        const expected = Object.values(back.weights[0]);
        variables.forEach(({ name }, i) =>
          expect(scaledDifference(grads[name].dataSync(), expected[i].data), name).to.be.below(tolerance),
        );
        const [dx, dh] = tf.grads((input, initial) => tf.sum(tf.mul(run(input, initial)[0], arriving)))([
          x,
          h0,
        ]);
        expect(scaledDifference(dx.dataSync(), back.inputs!.data), 'inputs').to.be.below(tolerance);
        expect(scaledDifference(dh.dataSync(), back.initialStates[0][0].data), 'h_0').to.be.below(tolerance);
      });
      layer.dispose();
    });
  }

  it('is saved with a model and loaded again, in both directions too', async () => {
    const { tf } = backend();
    registerGRUResetAfter(tf);
    const both = tf.layers.bidirectional({
      layer: gruResetAfter(tf, { units: 3, activation: 'relu', returnSequences: true }),
      mergeMode: 'concat',
      inputShape: [4, 2],
    });
    const model = tf.sequential({ layers: [both, gruResetAfter(tf, { units: 2, useBias: false })] });
    let saved: Tf.io.ModelArtifacts | undefined;
    await model.save({
      save: (artifacts: Tf.io.ModelArtifacts) => {
        saved = artifacts;
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
      },
    });
    const topology = JSON.parse(JSON.stringify(saved!.modelTopology)) as object;
    const loaded = await tf.loadLayersModel({
      load: () => Promise.resolve({ ...saved!, modelTopology: topology }),
    });
    tf.tidy(() => {
      const x = tensorOf(tf, normalTensor(1, 1, 3, 4, 2));
      const [one, two] = [model, loaded].map((m) => Array.from((m.predict(x) as Tf.Tensor).dataSync()));
      expect(two).to.deep.equal(one);
      expect(one.some((y) => Math.abs(y) > 1e-3)).to.equal(true);
      expect(loaded.getWeights().map(({ shape }) => shape)).to.deep.equal([
        [2, 9],
        [3, 9],
        [2, 9],
        [2, 9],
        [3, 9],
        [2, 9],
        [6, 6],
        [2, 6],
      ]);
    });
    model.dispose();
    loaded.dispose();
  });

  it('learns, and refuses what it does not know', async () => {
    const { tf } = backend();
    const layer = gruResetAfter(tf, { units: 4, inputShape: [3, 1] });
    const model = tf.sequential({ layers: [layer, tf.layers.dense({ units: 1 })] });
    const optimizer = tf.train.adam(0.1);
    model.compile({ optimizer, loss: 'meanSquaredError' });
    const x = tf.tensor3d([
      [[1], [0], [0]],
      [[-1], [0], [0]],
    ]);
    const y = tf.tensor2d([[1], [-1]]);
    const { history } = await model.fit(x, y, { epochs: 60, shuffle: false, verbose: 0 as never });
    const losses = history['loss'] as number[];
    expect(losses.at(-1)).to.be.below(losses[0] / 20);
    tf.dispose([x, y]);
    model.dispose();
    optimizer.dispose();
    expect(() => gruResetAfter(tf, { units: 0 })).to.throw(/gruResetAfter: units is 0/);
    expect(() => gruResetAfter(tf, { units: 2, resetAfter: true } as never)).to.throw(/no option resetAfter/);
  });
});
