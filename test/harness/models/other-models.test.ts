import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { formatNpz } from '../../../harness/base/files/index';
import { UsageError } from '../../../harness/base/outcome';
import { loadNetwork, readSavedModel, save } from '../../../harness/models/index';
import {
  initialClassifierWeights,
  ScratchNetwork,
  ScratchSimpleRNNClassifier,
  weightsByLayer,
} from '../../../scratch/index';
import { modelFixtures } from '../../support/model-fixtures';
import { runCli } from '../../support/run-cli';
import { temporaryDirectory } from '../../support/temporary-directory';

type Layer = tf.layers.Layer;
const rnn = (options: object = {}): Layer =>
  tf.layers.simpleRNN({ units: 5, inputShape: [null, 3], ...options });
const dense = (options: object = {}): Layer =>
  tf.layers.dense({ units: 4, activation: 'softmax', ...options });

/** Saves a model as plain TensorFlow.js does, into a directory. */
async function saveWith(model: tf.LayersModel, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      const { modelTopology, weightSpecs, weightData, format, generatedBy } = artifacts;
      const weightsManifest = [{ paths: ['group1-shard1of1.bin'], weights: weightSpecs }];
      const json = { modelTopology, weightsManifest, format, generatedBy };
      writeFileSync(path.join(directory, 'model.json'), JSON.stringify(json));
      writeFileSync(path.join(directory, 'group1-shard1of1.bin'), Buffer.from(weightData as ArrayBuffer));
      return Promise.resolve({
        modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const },
      });
    }),
  );
}

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'taken',
    (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
  );

describe('models that TensorFlow.js saved by itself', () => {
  const base = temporaryDirectory();
  before(() => tf.setBackend('cpu'));

  /** Probabilities of tfjs and of the model read back. */
  async function both(model: tf.LayersModel): Promise<[number[], number[]]> {
    const directory = path.join(base(), 'plain');
    await saveWith(model, directory);
    const inputs = [
      [
        [0.1, 0.2, -0.3],
        [1, -1, 0.5],
      ],
      [
        [0, 0.7, 0.1],
        [0.4, 0.4, -2],
      ],
    ];
    const answer = tf.tidy(() => model.predict(tf.tensor3d(inputs)) as tf.Tensor);
    const theirs = Array.from(answer.dataSync());
    answer.dispose();
    model.dispose();
    const { config, weights } = await readSavedModel(directory);
    return [theirs, Array.from(new ScratchNetwork({ ...config, weights }).predict(inputs).outputs.data)];
  }

  const taken: [string, () => tf.LayersModel][] = [
    ['default names', () => tf.sequential({ layers: [rnn(), dense()] })],
    ['other names', () => tf.sequential({ layers: [rnn({ name: 'a/b' }), dense({ name: 'head_2' })] })],
    [
      'an unrolled layer with a penalty',
      () =>
        tf.sequential({
          layers: [rnn({ unroll: true, kernelRegularizer: 'l1l2', inputShape: [2, 3] }), dense()],
        }),
    ],
    [
      'a chain of a functional model',
      () => {
        const input = tf.input({ shape: [null, 3] });
        const output = dense().apply(rnn().apply(input)) as tf.SymbolicTensor;
        return tf.model({ inputs: input, outputs: output });
      },
    ],
    ['relu', () => tf.sequential({ layers: [rnn({ activation: 'relu' }), dense()] })],
    ['steps backwards', () => tf.sequential({ layers: [rnn({ goBackwards: true }), dense()] })],
    ['no biases', () => tf.sequential({ layers: [rnn({ useBias: false }), dense({ useBias: false })] })],
    [
      'a sigmoid at its end',
      () => tf.sequential({ layers: [rnn(), dense({ units: 1, activation: 'sigmoid' })] }),
    ],
    ['numbers at its end', () => tf.sequential({ layers: [rnn(), tf.layers.dense({ units: 4 })] })],
    ['an output at every step', () => tf.sequential({ layers: [rnn({ returnSequences: true }), dense()] })],
    ['layers on layers', () => tf.sequential({ layers: [rnn({ returnSequences: true }), rnn(), dense()] })],
    [
      'an LSTM, a dropout, an activation of its own',
      () =>
        tf.sequential({
          layers: [
            tf.layers.lstm({ units: 5, inputShape: [null, 3] }),
            tf.layers.dropout({ rate: 0.5 }),
            tf.layers.dense({ units: 3 }),
            tf.layers.activation({ activation: 'relu' }),
            dense(),
          ],
        }),
    ],
    [
      'both directions',
      () =>
        tf.sequential({
          layers: [
            tf.layers.bidirectional({ layer: rnn(), mergeMode: 'sum', inputShape: [null, 3] } as never),
            dense(),
          ],
        }),
    ],
  ];
  for (const [what, make] of taken)
    it(`opens with ${what}, and predicts the same`, async () => {
      const tensors = tf.memory().numTensors;
      const [theirs, ours] = await both(make());
      theirs.forEach((p, i) => expect(ours[i]).to.be.closeTo(p, 2e-6));
      expect(tf.memory().numTensors - tensors).to.equal(0);
    });

  const refused: [RegExp, () => tf.LayersModel][] = [
    [
      /flatten\w* \(Flatten\) is not run.*rnn-parity check opens more/,
      () =>
        tf.sequential({
          layers: [rnn({ inputShape: [2, 3], returnSequences: true }), tf.layers.flatten(), dense()],
        }),
    ],
    [
      /batch_normalization\w* \(BatchNormalization\) is not run/,
      () => tf.sequential({ layers: [rnn(), tf.layers.batchNormalization(), dense()] }),
    ],
    [
      /masking\w* \(Masking\) masks steps after the first layer/,
      () => tf.sequential({ layers: [rnn({ returnSequences: true }), tf.layers.masking(), rnn(), dense()] }),
    ],
    [/softmax of one number is always 1/, () => tf.sequential({ layers: [rnn(), dense({ units: 1 })] })],
  ];
  for (const [says, make] of refused)
    it(`refuses what is not run by name: ${says.source}`, async () => {
      const model = make();
      const directory = path.join(base(), 'other');
      await saveWith(model, directory);
      model.dispose();
      expect(await refusal(readSavedModel(directory)))
        .to.match(/^UsageError: /)
        .and.match(says);
    });
});

describe('names of weights in a file', () => {
  const base = temporaryDirectory();
  const { kernel, recurrentKernel, bias, outputKernel, outputBias } = initialClassifierWeights({
    features: 3,
    units: 5,
    classes: 4,
    seed: 1,
  });
  const five = [kernel, recurrentKernel, bias, outputKernel, outputBias];

  async function importing(entries: Record<string, (typeof five)[number]>, ...args: string[]) {
    const file = path.join(base(), 'w.npz');
    writeFileSync(file, await formatNpz(entries));
    return runCli(['import', '--from', file, '--out', path.join(base(), 'model'), ...args]);
  }
  const named = (names: readonly string[], arrays = five) =>
    Object.fromEntries(names.map((name, i) => [name, arrays[i]]));

  const spellings: string[][] = [
    ['simple_rnn/kernel', 'simple_rnn/recurrent_kernel', 'simple_rnn/bias', 'dense/kernel', 'dense/bias'],
    [
      'simple_rnn_1/kernel:0',
      'simple_rnn_1/recurrent_kernel:0',
      'simple_rnn_1/bias:0',
      'dense_3/kernel:0',
      'dense_3/bias:0',
    ],
    [
      'sequential/simple_rnn/simple_rnn_cell/kernel',
      'sequential/simple_rnn/simple_rnn_cell/recurrent_kernel',
      'sequential/simple_rnn/simple_rnn_cell/bias',
      'sequential/dense/kernel',
      'sequential/dense/bias',
    ],
    [
      'rnn_simple_rnn_cell_kernel',
      'rnn_simple_rnn_cell_recurrent_kernel',
      'rnn_simple_rnn_cell_bias',
      'head_kernel',
      'head_bias',
    ],
    ['kernel', 'recurrent_kernel', 'bias', 'kernel_1', 'bias_1'],
    [
      'layers/simple_rnn/cell/vars/0',
      'layers/simple_rnn/cell/vars/1',
      'layers/simple_rnn/cell/vars/2',
      'layers/dense/vars/0',
      'layers/dense/vars/1',
    ],
    ['arr_0', 'arr_1', 'arr_2', 'arr_3', 'arr_4'],
    ['kernel', 'recurrentKernel', 'bias', 'outputKernel', 'outputBias'],
  ];
  for (const names of spellings)
    it(`imports ${names[0]}, ${names[1]}, ...`, async () => {
      const { exitCode, stdout, stderr } = await importing(named(names));
      expect(exitCode, stderr).to.equal(0);
      const { weights } = await readSavedModel(path.join(base(), 'model'));
      expect(weights).to.deep.equal(
        weightsByLayer({ kernel, recurrentKernel, bias, outputKernel, outputBias }),
      );
      // the product's own file needs no guess
      expect(stdout.includes('tanh is assumed')).to.equal(names[1] !== 'recurrentKernel');
    });

  const zeros = (...shape: number[]) => ({ shape, data: new Float64Array(shape.reduce((a, b) => a * b, 1)) });
  const wrong: [what: string, says: RegExp, entries: Record<string, (typeof five)[number]>][] = [
    [
      'an LSTM of Keras',
      /LSTM weights/,
      named(
        [
          'lstm/lstm_cell/kernel',
          'lstm/lstm_cell/recurrent_kernel',
          'lstm/lstm_cell/bias',
          'dense/kernel',
          'dense/bias',
        ],
        [zeros(3, 20), zeros(5, 20), zeros(20), outputKernel, outputBias],
      ),
    ],
    [
      'a GRU of Keras',
      /GRU weights/,
      named(
        ['gru/kernel', 'gru/recurrent_kernel', 'gru/bias', 'dense/kernel', 'dense/bias'],
        [zeros(3, 15), zeros(5, 15), zeros(2, 15), outputKernel, outputBias],
      ),
    ],
    [
      'an LSTM in order',
      /LSTM weights/,
      named(
        ['arr_0', 'arr_1', 'arr_2', 'arr_3', 'arr_4'],
        [zeros(3, 20), zeros(5, 20), zeros(20), outputKernel, outputBias],
      ),
    ],
    [
      'two recurrent layers',
      /2 recurrent layers \(a, b\)/,
      {
        ...named(['a/kernel', 'a/recurrent_kernel', 'a/bias']),
        ...named(['b/kernel', 'b/recurrent_kernel', 'b/bias', 'd/kernel', 'd/bias']),
      },
    ],
    [
      'two output layers',
      /2 output layers \(d, e\)/,
      named(
        ['a/kernel', 'a/recurrent_kernel', 'a/bias', 'd/kernel', 'd/bias', 'e/kernel'],
        [...five, outputKernel],
      ),
    ],
    [
      'no bias',
      /no bias of a \(use_bias: false\)/,
      named(
        ['a/kernel', 'a/recurrent_kernel', 'd/kernel', 'd/bias'],
        [kernel, recurrentKernel, outputKernel, outputBias],
      ),
    ],
    [
      'a single output',
      /single output/,
      named(
        ['a/kernel', 'a/recurrent_kernel', 'a/bias', 'd/kernel', 'd/bias'],
        [kernel, recurrentKernel, bias, zeros(5, 1), zeros(1)],
      ),
    ],
    [
      'numbers that float32 cannot hold',
      /kernel holds 1e\+300 at position 0/,
      named(
        ['kernel', 'recurrentKernel', 'bias', 'outputKernel', 'outputBias'],
        [
          { ...kernel, data: kernel.data.map((x, i) => (i === 0 ? 1e300 : x)) },
          recurrentKernel,
          bias,
          outputKernel,
          outputBias,
        ],
      ),
    ],
    [
      'numbers that are not finite',
      /NaN/,
      named(
        ['kernel', 'recurrentKernel', 'bias', 'outputKernel', 'outputBias'],
        [{ ...kernel, data: kernel.data.map(() => NaN) }, recurrentKernel, bias, outputKernel, outputBias],
      ),
    ],
  ];
  for (const [what, says, entries] of wrong)
    it(`refuses ${what}, and leaves nothing behind`, async () => {
      const { exitCode, stderr } = await importing(entries);
      expect(exitCode).to.equal(2);
      expect(stderr)
        .to.match(says)
        .and.not.match(/\n {4}at /);
      expect(readdirSync(base())).to.deep.equal(['w.npz']);
    });

  it('reads the layers of an archive that has them: a state_dict with an LSTM, and what convert --to npz wrote', async () => {
    const lstm = named(
      ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0', 'fc.weight', 'fc.bias'],
      [zeros(20, 3), zeros(20, 5), zeros(20), zeros(20), zeros(4, 5), zeros(4)],
    );
    const named4 = await importing(lstm, '--class-names', 'a,b,c,d');
    expect(named4.exitCode, named4.stderr).to.equal(0);
    expect(named4.stdout).to.include('lstm:5,dense:4');
    const asWeights = await importing(lstm, '--force', '--layout', 'pytorch');
    expect(asWeights).to.include({ exitCode: 2 });
    expect(asWeights.stderr).to.match(/LSTM weights/);

    const [from, out] = [path.join(base(), 'lstm.npz'), path.join(base(), 'whole')];
    const model = path.join(modelFixtures, 'lstm.keras');
    expect((await runCli(['convert', model, '--to', 'npz', '--out', from])).exitCode).to.equal(0);
    const whole = await runCli(['import', '--from', from, '--out', out]);
    expect(whole.exitCode, whole.stderr).to.equal(0);
    expect(whole.stdout).to.include('lstm:4,dense:2');
  });

  it('notes that tanh is assumed, is confirmed by --activation tanh, and refuses relu', async () => {
    const torch = named(
      ['rnn.weight_ih_l0', 'rnn.weight_hh_l0', 'rnn.bias_ih_l0', 'rnn.bias_hh_l0', 'fc.weight', 'fc.bias'],
      [zeros(5, 3), zeros(5, 5), zeros(5), zeros(5), zeros(4, 5), zeros(4)],
    );
    expect((await importing(torch)).stdout).to.include('tanh is assumed');
    expect((await importing(torch, '--force', '--activation', 'tanh')).stdout).to.not.include('assumed');
    const relu = await importing(torch, '--force', '--activation', 'relu');
    expect(relu.exitCode).to.equal(2);
    expect(relu.stderr).to.include('--activation relu: only tanh is run');
  });

  it('reads a state_dict as --nonlinearity and --steps say', async () => {
    const [relu, all] = ['torch-rnn-relu.safetensors', 'torch-gru-all.state.npz'].map((name) =>
      path.join(modelFixtures, name),
    );
    const made = await runCli([
      'import',
      '--from',
      relu,
      '--nonlinearity',
      'relu',
      '--out',
      path.join(base(), 'r'),
    ]);
    expect(made.exitCode, made.stderr).to.equal(0);
    expect(made.stdout).to.include('simpleRNN:').and.include('activation=relu');
    const { config, network } = await loadNetwork(all, { side: 'scratch', steps: 'all' });
    expect(network.name).to.equal('scratch');
    expect(config.layers[0]).to.include({ layer: 'gru', returnSequences: true });
    const { config: plain } = await loadNetwork(all, { side: 'scratch' });
    expect(plain.layers[0]).to.not.have.property('returnSequences');
  });

  it('says of files in other formats what they are and what to do', async () => {
    for (const [name, content, says] of [
      ['m.pt', '\x80\x02', 'state_dict'],
      ['m.tflite', 'TFL3', 'is no model that is read'],
      // Keras 1.2, as its options stand in public configurations
      [
        'model.json',
        JSON.stringify({
          format: 'layers-model',
          modelTopology: {
            keras_version: '1.2.2',
            class_name: 'Sequential',
            config: [
              {
                class_name: 'LSTM',
                config: {
                  output_dim: 4,
                  inner_activation: 'hard_sigmoid',
                  init: 'glorot_uniform',
                  consume_less: 'cpu',
                },
              },
            ],
          },
          weightsManifest: [],
        }),
        'was written by Keras 1.2.2',
      ],
    ] as const) {
      const file = path.join(base(), name);
      writeFileSync(file, content, 'latin1');
      for (const args of [
        ['import', '--from', file, '--out', path.join(base(), 'o')],
        ['predict', '--model', file, '--data', 'notebook'],
      ]) {
        const { exitCode, stderr } = await runCli(args);
        expect(exitCode).to.equal(2);
        expect(stderr).to.include(says).and.include(name);
      }
    }
  });
});

describe('damaged files of a model', () => {
  const base = temporaryDirectory();
  const sizes = { features: 2, units: 3, classes: 2 };

  it('one flipped bit of a weight file is found, wherever it is, and so is a file of another model', async () => {
    const model = (seed: number) => new ScratchSimpleRNNClassifier({ ...sizes, seed });
    const directory = path.join(base(), 'a');
    await save(model(1), directory);
    for (const name of ['weights.bin', 'weights.npz']) {
      const file = path.join(directory, name);
      const whole = readFileSync(file);
      for (let at = 0; at < whole.length; at += 37) {
        const flipped = Buffer.from(whole);
        flipped[at] ^= 1 << (at % 8);
        writeFileSync(file, flipped);
        expect(await refusal(readSavedModel(directory)), `${name} ${at}`).to.match(
          /^UsageError: .*(SHA-256)/,
        );
      }
      writeFileSync(file, whole.subarray(0, whole.length - 4));
      expect(await refusal(readSavedModel(directory))).to.include('SHA-256');
      writeFileSync(file, whole);
    }
    expect(await refusal(readSavedModel(directory))).to.equal('taken');
    rmSync(path.join(directory, 'weights.npz'));
    const { notes } = await readSavedModel(directory);
    expect(notes.join()).to.match(/weights\.npz is not there: .* rounded to float32$/);
    const json = path.join(directory, 'model.json');
    const stripped = readFileSync(json, 'utf8').replace(/,\s*"checksums": \{[^}]*\}/, '');
    writeFileSync(json, stripped);
    await save(model(2), path.join(base(), 'b'));
    writeFileSync(path.join(directory, 'weights.npz'), readFileSync(path.join(base(), 'b', 'weights.npz')));
    expect(await refusal(readSavedModel(directory))).to.match(/weights of .* are different/);
  });

  it('one flipped bit of model.json is found, wherever it is: class names and standardisation, too', async () => {
    const directory = path.join(base(), 'c');
    await save(new ScratchSimpleRNNClassifier({ ...sizes, seed: 1 }), directory, {
      classNames: ['no', 'yes'],
      featureNames: ['left', 'right'],
      standardisation: { mean: [0.5, 1e-9], scale: [1.25, 2e-7] },
      masked: true,
    });
    const file = path.join(directory, 'model.json');
    const whole = readFileSync(file);
    const sound = await readSavedModel(directory);
    expect(sound.notes).to.deep.equal([]);
    for (let at = 0; at < whole.length; at += 2) {
      const flipped = Buffer.from(whole);
      flipped[at] ^= 1 << (at % 8);
      writeFileSync(file, flipped);
      const text = flipped.subarray(Math.max(0, at - 30), at + 30).toString();
      await readSavedModel(directory).then(
        // 1e-9 and 1E-9 are one number
        (read) => expect(read, text).to.deep.equal(sound),
        (error: unknown) => expect(error, `${text}: ${String(error)}`).to.be.instanceOf(UsageError),
      );
    }
    // another layout of the same content is the same; a model of an older version opens and says what is not checked
    const json = JSON.parse(whole.toString()) as {
      userDefinedMetadata: { classNames: string[]; checksums: Record<string, string> };
    };
    writeFileSync(file, JSON.stringify(json));
    expect((await readSavedModel(directory)).notes).to.deep.equal([]);
    json.userDefinedMetadata.classNames = ['nein', 'ja'];
    writeFileSync(file, JSON.stringify(json));
    expect(await refusal(readSavedModel(directory))).to.match(/SHA-256.*remove the line "model.json"/);
    delete json.userDefinedMetadata.checksums['model.json'];
    writeFileSync(file, JSON.stringify(json));
    const { metadata, notes } = await readSavedModel(directory);
    expect(metadata.classNames).to.deep.equal(['nein', 'ja']);
    expect(notes.join()).to.match(/no checksum of itself/);
  });

  it('nothing is saved that would not open again', async () => {
    const model = new ScratchSimpleRNNClassifier({ ...sizes, seed: 1 });
    const directory = path.join(base(), 'c');
    for (const options of [
      { standardisation: { mean: [0, 0], scale: [1, Infinity] } },
      { standardisation: { mean: [0, 0], scale: [1, 0] } },
      { classNames: ['a'] },
      { classNames: ['a', 'a'] },
      { classNames: ['1', '1.0'] },
    ])
      expect(await refusal(save(model, directory, options))).to.match(/^UsageError: /);
    expect(readdirSync(base())).to.deep.equal([]);
  });
});
