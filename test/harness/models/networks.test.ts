import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { runReference, tensorOf } from '../../../harness/check/index';
import {
  describeNetwork,
  networkOf,
  openModelFile,
  readSavedModel,
  save,
} from '../../../harness/models/index';
import { UsageError } from '../../../harness/base/outcome';
import { createRandom, ScratchNetwork, type NetworkConfig, type Tensor } from '../../../scratch/index';
import { registerLayers } from '../../../src/index';
import { runCli } from '../../support/run-cli';
import { temporaryDirectory } from '../../support/temporary-directory';

const fixtures = path.join(__dirname, '../../fixtures/models');
const dense = { layer: 'dense', units: 3 } as const;
const networks: Record<string, NetworkConfig> = {
  'an LSTM under a GRU that resets after the product': {
    features: 2,
    layers: [{ layer: 'lstm', units: 3, returnSequences: true }, { layer: 'gru', units: 4 }, dense],
  },
  "Keras 3's hard sigmoid, one bias, no bias": {
    features: 2,
    layers: [
      {
        layer: 'bidirectional',
        wrapped: {
          layer: 'gru',
          units: 2,
          biases: 1,
          recurrentActivation: 'hardSigmoidKeras3',
          returnSequences: true,
        },
        mergeMode: 'ave',
      },
      { layer: 'lstm', units: 3, useBias: false, recurrentActivation: 'hardSigmoid', goBackwards: true },
      { ...dense, useBias: false },
    ],
  },
  'an embedding, outputs at every step': {
    layers: [
      { layer: 'embedding', inputDim: 5, outputDim: 2, maskZero: true },
      { layer: 'simpleRNN', units: 3, activation: 'relu', returnSequences: true },
      { layer: 'timeDistributed', wrapped: { ...dense, activation: 'tanh' } },
    ],
  },
  'a sigmoid': {
    features: 2,
    layers: [
      { layer: 'lstm', units: 3 },
      { ...dense, units: 1 },
    ],
    loss: 'sigmoidCrossEntropy',
  },
  numbers: { features: 2, layers: [{ layer: 'simpleRNN', units: 3 }], loss: 'meanSquaredError' },
};

/** A network whose weights float32 does not hold, and inputs for it. */
function made(config: NetworkConfig): { network: ScratchNetwork; inputs: Tensor } {
  const network = new ScratchNetwork({ ...config, seed: 3 });
  const random = createRandom(4);
  const weights = network.getWeights();
  for (const layer of weights) for (const { data } of Object.values(layer)) data.forEach((x, i) => (data[i] = x + 0.3 * random.normal())); // prettier-ignore
  network.setWeights(weights);
  const shape = config.features === undefined ? [3, 4] : [3, 4, config.features];
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
    config.features === undefined ? 1 + random.integer(4) : Math.fround(random.normal()),
  );
  return { network, inputs: { data, shape } };
}

describe('models of networks of layers', () => {
  const base = temporaryDirectory();

  for (const [what, config] of Object.entries(networks))
    it(`saves ${what}, and reads the same network, bit for bit`, async () => {
      const { network, inputs } = made(config);
      const directory = path.join(base(), 'model');
      await save(network, directory, { masked: true });
      const saved = await readSavedModel(directory);
      expect(saved.weights).to.deep.equal(network.getWeights());
      const answer = (one: ScratchNetwork) => one.predict(inputs).outputs;
      expect(answer(new ScratchNetwork({ ...saved.config, weights: saved.weights }))).to.deep.equal(answer(network)); // prettier-ignore
      expect(saved.config.loss).to.equal(config.loss ?? 'softmaxCrossEntropy');
      // a rounded weight that is not that of weights.npz
      const file = path.join(directory, 'model.json');
      const unsealed = readFileSync(file, 'utf8').replace(/,\s*"checksums": \{[^}]*\}/, '');
      writeFileSync(file, unsealed);
      const bin = path.join(directory, 'weights.bin');
      const bytes = readFileSync(bin);
      bytes.writeFloatLE(9, 0);
      writeFileSync(bin, bytes);
      expect(await readSavedModel(directory).then(() => 'taken', (e: unknown) => (e as UsageError).message)).to.match(/are different \(layer1\.\w+\)/); // prettier-ignore
    });

  it('names the folder where the weights.npz of it was given', async () => {
    const [config] = Object.values(networks);
    const directory = path.join(base(), 'run');
    await save(made(config).network, directory);
    const { exitCode, stderr } = await runCli([
      ...['predict', '--model', path.join(directory, 'weights.npz'), '--data', 'notebook'],
    ]);
    expect(exitCode).to.equal(2);
    expect(stderr).to.include(`holds the weights of a model that rnn-parity saved, and no layers`);
    expect(stderr).to.include(`so give its folder, ${directory}.`);
  });

  it('TensorFlow.js refuses what it lacks, and opens it after registerLayers', async () => {
    await tf.setBackend('cpu');
    for (const config of Object.values(networks).slice(0, 2)) {
      const { network, inputs } = made(config);
      await save(network, path.join(base(), 'model'));
      const read = (name: string) => readFileSync(path.join(base(), 'model', name));
      const { modelTopology, weightsManifest } = JSON.parse(read('model.json').toString()) as {
        modelTopology: object;
        weightsManifest: { weights: tf.io.WeightsManifestEntry[] }[];
      };
      const weightData = Uint8Array.from(read('weights.bin')).buffer;
      const open = () =>
        tf.loadLayersModel(
          tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }),
        );
      if (config === Object.values(networks)[0])
        expect(await open().then(() => 'opened', String)).to.contain('GRUResetAfter');
      registerLayers(tf);
      const model = await open();
      const found = tf.tidy(() =>
        Array.from(
          (
            model.predict(tf.tensor(Float32Array.from(inputs.data), [...inputs.shape])) as tf.Tensor
          ).dataSync(),
        ),
      );
      model.dispose();
      network.predict(inputs).outputs.data.forEach((x, i) => expect(found[i]).to.be.closeTo(x, 2e-6));
    }
  });

  it('runs models of Keras as the layers of their files do, and refuses the others by name', async () => {
    const taken: string[] = [];
    for (const name of [
      'lstm.keras',
      'gru.h5',
      'bidirectional-lstm.keras',
      'masking-lstm.keras',
      'keras2-lstm-hard-sigmoid.h5',
      'simple-rnn-relu-no-bias.keras',
      'embedding-mask.keras',
      'functional-states.keras',
      'batch-normalization.keras',
      'two-heads.keras',
    ]) {
      // prettier-ignore
      const model = await openModelFile(path.join(fixtures, name));
      try {
        const { config, weights, maskValue } = networkOf(model, name);
        const [input] = model.inputs;
        const random = createRandom(1);
        const shape = [2, ...input.shape.map((n) => n ?? 5)];
        const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
          input.vocabulary === undefined ? random.normal() : random.integer(input.vocabulary),
        );
        const expected = tensorOf(runReference(model, { [input.name]: { data, shape } }), model.outputs[0]);
        const found = new ScratchNetwork({ ...config, weights }).predict({ data, shape }).outputs;
        found.data.forEach((x, i) => expect(x, name).to.be.closeTo(expected.data[i], 1e-12));
        // there and back
        const again = networkOf(describeNetwork({ config, weights, ...(maskValue !== undefined && { maskValue }) }), name); // prettier-ignore
        expect(again).to.deep.equal({ config, weights, ...(maskValue !== undefined && { maskValue }) });
        taken.push(name);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        expect(error.message).to.match(/it has 2 inputs|is not run|2 outputs/);
      }
    }
    expect(taken).to.have.length(7);
  });

  it('predict, import and evaluate take a model of Keras', async () => {
    const rows = Array.from({ length: 6 }, (_, n) => [0, 1, 2].map((t) => `s${n},${n * 0.1},${t * 0.2},${n - t},${n % 2}`)); // prettier-ignore
    const data = path.join(base(), 'a.csv');
    writeFileSync(data, ['sequence,x,y,z,label', ...rows.flat()].join('\n'));
    const run = async (...args: string[]) => {
      const { exitCode, stdout, stderr } = await runCli([...args, '--data', data]);
      expect(exitCode, stderr).to.equal(0);
      return stdout;
    };
    const file = path.join(fixtures, 'lstm.keras');
    const lines = await run('predict', '--model', file);
    expect(lines).to.match(/^s0\t[01]\t0\.\d{4}\n/);
    const out = path.join(base(), 'imported');
    const { exitCode, stderr } = await runCli(['import', '--from', file, '--out', out, '--class-names', 'no,yes']); // prettier-ignore
    expect(exitCode, stderr).to.equal(0);
    expect(await run('predict', '--model', out)).to.equal(lines.replaceAll('\t0\t', '\tno\t').replaceAll('\t1\t', '\tyes\t')); // prettier-ignore
    expect(await run('evaluate', '--model', file)).to.contain('accuracy');
    expect(await run('train', '--from', file, '--epochs', '1', '--out', path.join(base(), 'more'))).to.contain('accuracy'); // prettier-ignore
  });

  it('import takes the logits of a model as classes where it is given their names; export sends networks to convert', async () => {
    const { network } = made({ ...networks['numbers'], layers: [{ layer: 'lstm', units: 3 }, dense] });
    const [logits, classes] = [path.join(base(), 'logits'), path.join(base(), 'classes')];
    await save(network, logits);
    expect((await readSavedModel(logits)).metadata.classNames).to.deep.equal([]);
    const named = ['import', '--from', path.join(logits, 'model.json'), '--out', classes, '--class-names'];
    expect((await runCli([...named, 'a,b'])).stderr).to.contain('2 names for 3 classes');
    const { exitCode, stderr } = await runCli([...named, 'a,b,c']);
    expect(exitCode, stderr).to.equal(0);
    const { config, metadata } = await readSavedModel(classes);
    expect([config.loss, metadata.classNames]).to.deep.equal(['softmaxCrossEntropy', ['a', 'b', 'c']]);
    const refused = await runCli(['export', '--model', classes, '--out', path.join(base(), 'w.npz')]);
    expect(refused.exitCode).to.equal(2);
    expect(refused.stderr).to.match(
      /is a network of lstm:3,dense:3.*rnn-parity convert .*classes --to keras/,
    );
    const one = { layer: 'dense', units: 1 } as const;
    await save(made({ ...networks['numbers'], layers: [{ layer: 'lstm', units: 3 }, one] }).network, logits);
    const alone = await runCli([...named, 'yes', '--force']);
    expect(alone.exitCode).to.equal(2);
    expect(alone.stderr).to.match(/^error: --class-names: .*logits\/model\.json ends with one number, and/);
  });
});
