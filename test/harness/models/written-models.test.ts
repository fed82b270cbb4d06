import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { UsageError } from '../../../harness/base/outcome';
import {
  openModelFile,
  writeModel,
  type ModelDescription,
  type ModelLayer,
  type WriteFormat,
} from '../../../harness/models/index';
import { zeros } from '../../../scratch/index';
import { generateInputs, runReference, tensorOf } from '../../../harness/check/index';
import { fixtureFiles, modelFixtures } from '../../support/model-fixtures';
import { temporaryDirectory } from '../../support/temporary-directory';

/** What a file must hold of a model. */
const content = ({ inputs, layers, outputs }: ModelDescription) => ({
  inputs,
  outputs,
  layers: layers.map(({ name, config, reads, initialStates, weights, output, maskedRows }) => ({
    ...{ name, config, reads, initialStates, weights, output, maskedRows },
  })),
});

describe('models written for Keras', () => {
  const base = temporaryDirectory();
  // what Keras 3 gives for the written files was compared once with keras.npz: at most 2e-7 apart, in float32
  for (const file of fixtureFiles('.keras'))
    it(`${file} is the same after writing and reading`, async () => {
      const model = await openModelFile(path.join(modelFixtures, file));
      const { files } = await writeModel(model, 'keras', file);
      const written = path.join(base(), 'written');
      writeFileSync(written, files.get('')!);
      const again = await openModelFile(written);
      expect(content(again)).to.deep.equal(content(model));
    });

  it('are the same bytes at another time', async () => {
    const model = await openModelFile(path.join(modelFixtures, 'gru.keras'));
    const write = async () => (await writeModel(model, 'keras')).files.get('')!;
    const first = await write();
    // times in HDF5 are whole seconds
    await new Promise((resolve) => setTimeout(resolve, 1010 - (Date.now() % 1000)));
    expect((await write()).equals(first)).to.equal(true);
  });

  it('refuses by name what Keras 3 does not have', async () => {
    const model = await openModelFile(path.join(modelFixtures, 'keras2-lstm-hard-sigmoid.h5'));
    const error = await writeModel(model, 'keras', 'm.h5').catch((found: unknown) => found as Error);
    expect((error as Error).message).to.match(
      /^m.h5: layer lstm \(LSTM\) has the hard_sigmoid of Keras 2 .*, which Keras 3 does not have/,
    );
  });
});

describe('models written as ONNX and .npz', () => {
  const base = temporaryDirectory();

  async function again(file: string, format: 'onnx' | 'npz') {
    const model = await openModelFile(path.join(modelFixtures, file));
    const written = path.join(base(), 'written');
    writeFileSync(written, (await writeModel(model, format, file)).files.get('')!);
    return { model, back: await openModelFile(written) };
  }

  // what onnxruntime gives for the written files was compared once with keras.npz: at most 2e-7 apart, in float32
  const fixtures = [...fixtureFiles('.keras'), ...fixtureFiles('.h5')];
  // what ONNX does not have is refused: the models with a mask, and only these
  const masked = /mask(?!ed-states)|config-110-directions|config-231-completion/;
  for (const file of fixtures.filter((name) => masked.test(name)))
    it(`${file} is refused by ONNX with its mask`, async () => {
      const error = await again(file, 'onnx').catch((found: unknown) => found);
      expect(error).to.be.instanceOf(UsageError).with.property('message').that.includes('runs under a mask');
    });

  for (const file of fixtures.filter((name) => !masked.test(name)))
    it(`${file} gives the same after writing it as ONNX and reading it`, async () => {
      const { model, back } = await again(file, 'onnx');
      const inputs = generateInputs(model, { seed: 3 });
      const [before, after] = [runReference(model, inputs), runReference(back, inputs)];
      model.outputs.forEach((source, i) => {
        const { data, shape } = tensorOf(before, source);
        const found = tensorOf(after, back.outputs[i]);
        expect(found.shape).to.deep.equal(shape);
        // an epsilon is float32 in ONNX
        data.forEach((y, n) => expect(found.data[n]).to.be.closeTo(y, 1e-9));
      });
    });

  for (const file of fixtureFiles('.keras'))
    it(`${file} is the same after writing it as .npz and reading it`, async () => {
      const { model, back } = await again(file, 'npz');
      expect(content(back)).to.deep.equal(content(model));
    });

  it('refuses by name what ONNX does not have', async () => {
    const { layers, ...model } = await openModelFile(path.join(modelFixtures, 'masking-lstm.keras'));
    const [masking] = layers;
    const own = { ...masking, config: { layer: 'masking', maskValue: -1 } as const };
    const alone = { ...model, layers: [own], outputs: [{ of: own.name }] };
    const zeroed = await writeModel(alone, 'onnx', 'm').catch((found: unknown) => found as Error);
    expect((zeroed as Error).message).to.match(/^m: layer masking \(Masking\) sets masked steps to zeros/);
    const error = await again('masking-lstm.keras', 'onnx').catch((found: unknown) => found as Error);
    expect((error as Error).message).to.match(
      /layer lstm \(LSTM\) runs under a mask, which ONNX's operations do not have/,
    );
    expect(existsSync(path.join(base(), 'written'))).to.equal(false);
  });

  it('refuses two outputs that would have one name in a SavedModel', async () => {
    const model = await openModelFile(path.join(modelFixtures, 'two-heads.keras'));
    const [first, second] = model.outputs.map(({ of }) => of);
    const named = (name: string): string => ({ [first]: 'head 1', [second]: 'head_1' })[name] ?? name;
    const renamed = {
      ...model,
      layers: model.layers.map((layer) => ({
        ...layer,
        name: named(layer.name),
        reads: { ...layer.reads, of: named(layer.reads.of) },
      })),
      outputs: model.outputs.map((source) => ({ ...source, of: named(source.of) })),
    };
    const error = await writeModel(renamed, 'savedmodel').catch((found: unknown) => found as Error);
    expect((error as Error).message).to.contain('head 1 and head_1 would both be called head_1');
  });
});

describe('what a format cannot hold', () => {
  const layer = (kind: string, config: ModelLayer['config'], more: Partial<ModelLayer> = {}): ModelLayer => ({
    ...{ name: kind.toLowerCase(), kind, config, reads: { of: 'x' }, weights: {}, output: [null, 2] },
    ...more,
  });
  const rnn = (more: Partial<ModelLayer>, config: object = {}): ModelLayer =>
    layer('RNN', { layer: 'simpleRNN', units: 2, ...config }, {
      weights: { kernel: zeros(2, 2), recurrentKernel: zeros(2, 2), bias: zeros(2) },
      output: [2],
      ...more,
    }); // prettier-ignore
  const masking = layer('Masking', { layer: 'masking', maskValue: 0 });
  const masked = { of: 'masking' };
  const both = { layer: 'bidirectional', wrapped: { layer: 'simpleRNN', units: 2 } } as const;
  const rows: readonly (readonly [WriteFormat, RegExp, readonly ModelLayer[]])[] = [
    ['savedmodel', /layer repeat \(Repeat\) repeats a row 10001 times, more than 10000/, [layer('Repeat', { layer: 'repeatVector', times: 10_001 })]],
    ['savedmodel', /layer rnn \(RNN\) gives zeros where its last step is masked/, [masking, rnn({ reads: masked, maskedRows: 'zero' })]],
    ['savedmodel', /has initial states, and zeros at masked steps before the first/, [masking, rnn({ name: 'first' }), rnn({ reads: masked, maskedRows: 'output', initialStates: [{ of: 'first' }] })]],
    ['onnx', /an output is the input x itself, which no operation gives/, []],
    ['onnx', /layer rnn \(RNN\) runs under a mask, which ONNX's operations do not have/, [masking, rnn({ reads: masked })]],
    ['keras', /layer last \(Last\) takes the last step of a sequence by itself, which Keras 3 does not have/, [layer('Last', { layer: 'lastStep' })]],
    ['npz', /has the hard_sigmoid of Keras 2 .*, which Keras 3 does not have/, [rnn({}, { activation: 'hardSigmoid' })]],
    ['tfjs', /has Keras 3's hard_sigmoid, x\/6 \+ 1\/2, which TensorFlow\.js 4\.22 does not have/, [rnn({}, { activation: 'hardSigmoidKeras3' })]],
    ['tfjs', /layer both \(Both\) is bidirectional and gets initial states, which TensorFlow\.js/, [layer('Both', both, { initialStates: [{ of: 'x' }] })]],
    ['tfjs', /rnn\.bias holds 1e\+300 at position 0; model files and TensorFlow\.js keep weights as float32/, [rnn({ weights: { bias: { data: Float64Array.of(1e300), shape: [1] } } })]],
  ]; // prettier-ignore
  for (const [format, says, layers] of rows)
    it(`is refused by ${format}: ${says.source}`, async () => {
      const model: ModelDescription = {
        ...{ format: 'keras', writtenBy: 'a test', notes: [], layers },
        inputs: [{ name: 'x', shape: [null, 2] }],
        outputs: [{ of: layers.at(-1)?.name ?? 'x' }],
      };
      const error = await writeModel(model, format, 'm').catch((found: unknown) => found);
      expect(error).to.be.instanceOf(UsageError);
      expect((error as Error).message)
        .to.match(says)
        .and.match(/^m: .*\.$/);
    });
});
