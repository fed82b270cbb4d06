import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { expect } from 'chai';
import { checkModel, checkVerdict, convertModel, differenceInWords } from '../../../harness/check/index';
import { numbersOf, readNpz } from '../../../harness/base/files/index';
import { openModelFile } from '../../../harness/models/index';
import { loadBackend } from '../../../src/index';
import { fixtureAnswers, modelFixtures, namedInputs } from '../../support/model-fixtures';
import { temporaryDirectory } from '../../support/temporary-directory';

const file = (name: string): string => path.join(modelFixtures, `${name}.keras`);

/** `lstm.keras`, its inputs, and what Keras gives for them. */
async function lstm() {
  const model = await openModelFile(file('lstm'));
  const { inputs, outputs } = (await fixtureAnswers('keras.npz')).get('lstm')!;
  return { model, inputs: namedInputs(model, inputs), outputs };
}

/** Runs work while a kernel of one backend gives something else. */
async function withKernel<T>(
  [kernel, backend]: readonly [kernel: string, backend: 'cpu' | 'wasm'],
  change: (x: number) => number,
  work: () => Promise<T>,
): Promise<T> {
  const { tf: own } = await loadBackend(backend);
  const registered = own.getKernel(kernel, backend);
  own.unregisterKernel(kernel, backend);
  own.registerKernel({
    ...registered,
    kernelFunc: (call) => {
      const right = registered.kernelFunc(call) as TensorInfo;
      const data = call.backend as { readSync(id: object): Float32Array; write(...of: unknown[]): object };
      const wrong = Float32Array.from(data.readSync(right.dataId), change);
      return { ...right, dataId: data.write(wrong, right.shape, right.dtype) };
    },
  });
  try {
    return await work();
  } finally {
    own.unregisterKernel(kernel, backend);
    own.registerKernel(registered);
  }
}

describe('what users of TensorFlow.js asked in public', () => {
  const base = temporaryDirectory();

  it('"my LSTM predicts something else" (tfjs#776, #1220): the recurrent activation is named', async () => {
    const { model, inputs } = await lstm();
    const arrays = await readNpz(path.join(modelFixtures, 'causes.npz'));
    const outputs = numbersOf(arrays, 'lstm/recurrent-activation', 2, 'causes.npz');
    const report = await checkModel(model, {
      inputs,
      expected: [outputs],
      sides: ['tfjs:cpu'],
      forwardOnly: true,
    });
    const [given, tfjs] = report.sides;
    expect(differenceInWords(given.differences[0])).to.include('its recurrent activation is hard_sigmoid');
    expect(tfjs.status, 'the converted model itself is right').to.equal('parity');
  });

  it('"small differences" (tfjs#3122, #8389, #8390, #8401): rounding explains them, and the share says how much', async () => {
    const { model, inputs, outputs } = await lstm();
    const rounded = outputs.map(({ data, shape }) => ({ data: data.map(Math.fround), shape }));
    const report = await checkModel(model, { inputs, expected: rounded, sides: ['tfjs:cpu', 'tfjs:wasm'] });
    expect(checkVerdict(report)).to.match(/^PARITY: .* within rounding/);
    for (const { name, used } of report.sides) expect(used, name).to.be.within(0, 1);
    // and a difference that is not small in the last digits only is none of rounding's
    const moved = outputs.map(({ data, shape }) => ({ data: data.map((x) => x + 1e-5), shape }));
    expect((await checkModel(model, { inputs, expected: moved, sides: [] })).verdict).to.equal('mismatch');
  });

  it('an autoencoder of masked integers predicts something else: the mask that TensorFlow.js keeps is named', async () => {
    const report = await checkModel(path.join(modelFixtures, 'config-231-masked-completion.h5'), {
      ...{ sides: ['tfjs:cpu', 'twin:cpu'], forwardOnly: true },
    });
    const [tfjs, twin] = report.sides;
    expect(twin.status).to.equal('parity');
    expect(tfjs.differences).to.have.length(1);
    expect(differenceInWords(tfjs.differences[0])).to.match(
      /^differs at layer 4 lstm_2 \(LSTM\), output, .*as if the mask of an earlier layer is applied here as well \(TensorFlow\.js/,
    );
    // Keras pads in front: generated inputs must show it, or convert would prove what is not so
    const out = path.join(base(), 'completion');
    const converted = await convertModel(path.join(modelFixtures, 'config-231-masked-completion.h5'), {
      to: 'tfjs',
      out,
    });
    expect(converted.verdict).to.equal('mismatch');
    expect(existsSync(out)).to.equal(false);
  });

  it('"An InputLayer should be passed either ..." (tfjs#8494, #8328, #8358, #8489): the file of Keras 3 opens here, and is converted', async () => {
    const out = path.join(base(), 'lstm');
    await convertModel(file('lstm'), { to: 'tfjs', out });
    const text = readFileSync(path.join(out, 'model.json'), 'utf8');
    // as tensorflowjs_converter writes what Keras 3 gives it
    const keras3 = text
      .replaceAll('"batch_input_shape"', '"batch_shape"')
      .replaceAll(
        '"trainable": true,',
        '"trainable": true, "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": null},',
      );
    const plain = JSON.parse(keras3) as { modelTopology: object; weightsManifest: [{ weights: [] }] };
    const loading = tf
      .loadLayersModel(tf.io.fromMemory({ modelTopology: plain.modelTopology, weightSpecs: [] }))
      .catch((error: unknown) => (error as Error).message);
    expect(await loading).to.include(
      'An InputLayer should be passed either a `batchInputShape` or an `inputShape`',
    );
    writeFileSync(path.join(out, 'model.json'), keras3);
    const { inputs, outputs } = await lstm();
    const opened = await openModelFile(out);
    const report = await checkModel(opened, {
      inputs: namedInputs(opened, Object.values(inputs)),
      expected: outputs,
      sides: ['tfjs:cpu'],
      forwardOnly: true,
    });
    expect(report.verdict, checkVerdict(report)).to.equal('parity');
    // a policy of mixed precision means the same function, in fewer bits
    writeFileSync(
      path.join(out, 'model.json'),
      keras3.replace('"name": "float32"', '"name": "mixed_float16"'),
    );
    const mixed = await openModelFile(out);
    expect(mixed.notes.join()).to.match(
      /dtype policy mixed_float16: Keras computes it in float16; it is checked in single precision/,
    );
    expect(mixed.layers.length).to.equal(opened.layers.length);
  });

  it('"Different output in wasm" (tfjs#5390): that side alone differs, at the layer where it begins; the others are right', async () => {
    const { model, inputs, outputs } = await lstm();
    const report = await withKernel(
      ['Sigmoid', 'wasm'],
      (x) => Math.round(64 * x) / 64,
      () =>
        checkModel(model, { inputs, expected: outputs, sides: ['tfjs:cpu', 'tfjs:wasm'], forwardOnly: true }),
    );
    expect(report.sides.map(({ name, status }) => `${name} ${status}`)).to.deep.equal([
      'expected parity',
      'tfjs:cpu parity',
      'tfjs:wasm mismatch',
    ]);
    expect(report.sides[2].differences.map(({ layerNumber }) => layerNumber)).to.deep.equal([1]);
    expect(checkVerdict(report)).to.match(
      /^MISMATCH: tfjs:wasm differs at layer 1 lstm \(LSTM\), output, time step 0/,
    );
  });

  it('"nonsense with one backend, fixed values" (tfjs#5145): the layers before it are right there too', async () => {
    const { model, inputs } = await lstm();
    const report = await withKernel(
      ['Softmax', 'cpu'],
      () => 0.5,
      () => checkModel(model, { inputs, sides: ['tfjs:cpu', 'tfjs:wasm'], forwardOnly: true }),
    );
    const [wrong, right] = report.sides;
    expect(right.status).to.equal('parity');
    expect(wrong.differences.map(({ layer, tensor }) => `${layer}: ${tensor}`)).to.deep.equal([
      'dense:softmax: output',
    ]);
    expect(report.exitCode).to.equal(1);
  });

  it('"GRU with reset_after" (tfjs#4621, #5728, #2442, #2437): TensorFlow.js does not have it, our own twin runs it', async () => {
    const { sides } = await checkModel(file('gru'), { sides: ['tfjs:cpu', 'twin:cpu'] });
    expect(sides[0].status).to.equal('cannot run');
    expect(sides[0].reason).to.include('reset_after');
    expect(sides[1].status).to.equal('parity');
  });
});
