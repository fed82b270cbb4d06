import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { formatNpz, formatZip } from '../../../harness/base/files/index';
import {
  layersModelText,
  openModelFile,
  toLayersModel,
  type OpenOptions,
} from '../../../harness/models/index';
import { fromKeras1, weightsOfKeras1 } from '../../../harness/models/keras/keras1';
import { zeros } from '../../../scratch/index';
import { formatNames, openMutants } from '../../fuzz-readers/mutants';
import { modelFixtures } from '../../support/model-fixtures';
import { temporaryDirectory } from '../../support/temporary-directory';

type Layer = { class_name: string; name: string; config: Record<string, unknown> };
interface ModelJson {
  modelTopology: { config: { layers: Layer[] } };
  weightsManifest: [{ paths: string[]; weights: { name: string; shape: number[]; quantization?: object }[] }];
}

describe('model files that are damaged or hostile', () => {
  const base = temporaryDirectory();
  let text: string;
  let weights: Buffer;
  before(async () => {
    const written = toLayersModel(await openModelFile(path.join(modelFixtures, 'lstm.keras')));
    text = layersModelText(written);
    weights = written.weightData;
  });

  /** What opening the LayersModel says after a change. */
  async function refusal(change: (json: ModelJson) => void, bytes = weights): Promise<string> {
    const json = JSON.parse(text) as ModelJson;
    change(json);
    return refusalOf(JSON.stringify(json), bytes);
  }
  async function refusalOf(json: string, bytes = weights): Promise<string> {
    writeFileSync(path.join(base(), 'model.json'), json);
    writeFileSync(path.join(base(), 'weights.bin'), bytes);
    return openModelFile(base()).then(
      () => 'opened',
      (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
    );
  }

  it('opens what is sound', async () => {
    expect(await refusal(() => undefined)).to.equal('opened');
  });

  it('reads no file outside the folder of the model', async () => {
    for (const name of ['../weights.bin', '/etc/passwd', 'a/b.bin', '..', '.', '', 'a\\b', 'weights.bin\0']) {
      const said = await refusal(({ weightsManifest: [group] }) => (group.paths = [name]));
      expect(said, name).to.match(/^UsageError: .*plain file names were expected/);
    }
  });

  it('compares sizes with the files before memory is taken', async () => {
    const said = await refusal(
      ({ weightsManifest: [{ weights: list }] }) => (list[0].shape = [2 ** 20, 2 ** 20]),
    );
    expect(said).to.match(/^UsageError: .*(do not fit|declares)/);
    expect(await refusal(() => undefined, weights.subarray(4))).to.match(
      /^UsageError: .*declares \d+, so copy all files/,
    );
  });

  it('runs no code: a Lambda layer is refused', async () => {
    const said = await refusal(({ modelTopology }) => {
      modelTopology.config.layers[1].class_name = 'Lambda';
    });
    expect(said).to.match(/^UsageError: .*is Lambda, whose function is code, and no code of a file is run/);
  });

  it('refuses what has the name of a layer and computes something else', async () => {
    for (const [module, registered] of [
      ['my_package.layers', 'LSTM'],
      [null, 'mine>LSTM'],
    ])
      expect(
        await refusal(({ modelTopology }) =>
          Object.assign(modelTopology.config.layers[1], { module, registered_name: registered }),
        ),
      ).to.match(
        /^UsageError: .*layer lstm is a class LSTM of its own \((my_package.layers, LSTM|mine>LSTM)\)/,
      );
    expect(
      await refusal(({ modelTopology }) =>
        Object.assign(modelTopology.config.layers[1], { module: 'keras.layers', registered_name: null }),
      ),
    ).to.equal('opened');
    // Keras 2 and TensorFlow.js keep what the call said; Keras 3 passes training=False when predicting
    const called = { inbound_nodes: [[['input_layer', 0, 0, { training: true }]]] };
    expect(
      await refusal(({ modelTopology }) => Object.assign(modelTopology.config.layers[1], called)),
    ).to.match(/^UsageError: .*layer lstm \(LSTM\) is called with training=True/);
    const constants = { inbound_nodes: [[['input_layer', 0, 0, { constants: [['input_layer', 0, 0]] }]]] };
    expect(
      await refusal(({ modelTopology }) => Object.assign(modelTopology.config.layers[1], constants)),
    ).to.match(/^UsageError: .*layer lstm gets a tensor as its argument constants/);
  });

  it('refuses of Keras 1 what Keras 2 does not have, and leaves gates that are not complete to be reported', () => {
    const layer = (config: object): object => ({ class_name: 'BatchNormalization', config });
    expect(() => fromKeras1([layer({ name: 'bn', mode: 2 })], 'x.h5')).to.throw(
      /^x\.h5: layer bn is a BatchNormalization of Keras 1 with mode 2.*only mode 0 is read/,
    );
    expect(fromKeras1([layer({ name: 'bn', mode: 0, axis: -1 })], 'x.h5')).to.deep.equal([
      layer({ name: 'bn', axis: -1 }),
    ]);
    const entry = (gate: string) => ({ name: `a/a_W_${gate}`, shape: [2, 3], read: () => zeros(2, 3) });
    const named = (gates: string): string[] =>
      weightsOfKeras1(Array.from(gates, entry), new Set()).map(({ name }) => name);
    expect(named('fcio')).to.deep.equal(['a/a/kernel']);
    expect(named('fco')).to.deep.equal(['a/a_W_f', 'a/a_W_c', 'a/a_W_o']);
  });

  it('refuses axes and orders that it does not read, and a model without outputs', async () => {
    for (const [file, kind, option, says] of [
      ['flatten.keras', 'Flatten', { data_format: 'channels_first' }, /has data_format channels_first/],
      ['batch-normalization.keras', 'BatchNormalization', { axis: 1 }, /goes by axis 1 of what has 3 axes/],
      ['batch-normalization.keras', 'BatchNormalization', { axis: [2] }, /goes by axis 2 of what has 2 axes/],
    ] as const) {
      const model = await openModelFile(path.join(modelFixtures, file));
      const written = toLayersModel(model, 'the model', 'registered');
      const json = JSON.parse(layersModelText(written)) as ModelJson;
      for (const { class_name: name, config } of json.modelTopology.config.layers)
        if (name === kind) Object.assign(config, option);
      expect(await refusalOf(JSON.stringify(json), written.weightData)).to.match(says);
    }
    expect(
      await refusal(({ modelTopology }) => Object.assign(modelTopology.config, { output_layers: [] })),
    ).to.match(/^UsageError: .*names no outputs/);
    expect(
      await refusal(({ modelTopology }) =>
        Object.assign(modelTopology.config, { output_layers: [['lstm', 0, 3]] }),
      ),
    ).to.match(/^UsageError: .*an output reads state 3 of lstm, which gives none/);
    const byName = { answer: ['dense', 0, 0] };
    expect(
      await refusal(({ modelTopology }) => Object.assign(modelTopology.config, { output_layers: byName })),
    ).to.equal('opened');
  });

  it('names a layer and an option that it does not read', async () => {
    const conv = await refusal(({ modelTopology }) => (modelTopology.config.layers[1].class_name = 'Conv1D'));
    expect(conv).to.match(/layer lstm is Conv1D; read are InputLayer, Masking, .*--until LAYER/);
    const option = await refusal(
      ({ modelTopology }) => (modelTopology.config.layers[1].config['time_major'] = true),
    );
    expect(option).to.match(/layer lstm \(LSTM\) has time_major true/);
    const unknown = await refusal(
      ({ modelTopology }) => (modelTopology.config.layers[1].config['surprise'] = 'yes'),
    );
    expect(unknown).to.match(/layer lstm \(LSTM\) has surprise yes/);
  });

  it('lists both sides when weights and layers do not fit', async () => {
    const said = await refusal(({ weightsManifest: [{ weights: list }] }) => (list[1].name = 'other/kernel'));
    expect(said).to.match(
      /lstm\.recurrentKernel \[4, 16\] is missing; other\/kernel \[4, 16\] belongs to no layer\. The layers need .*; the file holds /,
    );
  });

  it('refuses JSON that is nested without end', async () => {
    expect(await refusalOf(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).to.match(
      /^UsageError: .*nested deeper than 200 levels/,
    );
  });

  it('expands quantised weights as TensorFlow.js does, and says so', async () => {
    const json = JSON.parse(text) as ModelJson;
    const [{ weights: list }] = json.weightsManifest;
    const [first] = list;
    first.quantization = { dtype: 'uint8', scale: 0.5, min: -1 };
    const size = first.shape[0] * first.shape[1];
    writeFileSync(path.join(base(), 'model.json'), JSON.stringify(json));
    writeFileSync(
      path.join(base(), 'weights.bin'),
      Buffer.concat([Buffer.from(new Uint8Array(size).fill(3)), weights.subarray(4 * size)]),
    );
    const model = await openModelFile(base());
    expect(Array.from(model.layers[0].weights['kernel'].data)).to.deep.equal(new Array(size).fill(0.5));
    expect(model.notes.join()).to.include('weights are stored as uint8');
    expect(model.storage).to.deep.equal({ 'lstm.kernel': { dtype: 'uint8', reach: 0.25 } });
  });

  it('refuses a cut HDF5 file with its innermost cause, in one line', async () => {
    const file = path.join(base(), 'model.h5');
    writeFileSync(file, readFileSync(path.join(modelFixtures, 'gru.h5')).subarray(0, 2000));
    expect(await openModelFile(file).catch((error: unknown) => (error as Error).message)).to.match(
      /^.*model\.h5 is not a sound HDF5 file \(truncated file: eof = 2000[^\n]*$/,
    );
  });

  it('refuses a cut or changed archive', async () => {
    const bytes = readFileSync(path.join(modelFixtures, 'lstm.keras'));
    const file = path.join(base(), 'model.keras');
    writeFileSync(file, bytes.subarray(0, bytes.length - 30));
    expect(await openModelFile(file).catch((error: unknown) => (error as Error).message)).to.match(
      /not a sound zip archive/,
    );
    const changed = Buffer.from(bytes);
    changed[1200] ^= 4;
    writeFileSync(file, changed);
    expect(await openModelFile(file).catch((error: unknown) => (error as Error).name)).to.equal('UsageError');
  });

  it('ends the reading of an HDF5 file on which the library loops for ever, and reads the next one', async () => {
    // keras2-gru.h5 with a few bytes changed: a mutant of test/fuzz-readers
    const file = path.join(modelFixtures, 'damaged', 'endless.h5');
    const said = await openModelFile(file, { patience: 1 }).catch(
      (error: unknown) => (error as Error).message,
    );
    expect(said).to.match(/is not a sound HDF5 file \(reading it did not end within 1 s\)/);
    expect((await openModelFile(path.join(modelFixtures, 'gru.h5'))).layers).to.have.length(3);
  });

  /** What opening a file with these bytes says. */
  async function saidOf(name: string, bytes: Buffer): Promise<string> {
    const file = path.join(base(), name);
    writeFileSync(file, bytes);
    return openModelFile(file).then(
      () => 'opened',
      (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
    );
  }

  it('refuses pickles, whatever their name is', async () => {
    const zipped = await formatZip([['model/data.pkl', Buffer.from('cos\nsystem\n')]]);
    for (const [name, bytes] of [
      ['model.pt', zipped],
      ['model.keras', zipped],
      ['model.onnx', Buffer.from('\x80\x02}q\x00.', 'latin1')],
    ] as const)
      expect(await saidOf(name, bytes), name).to.match(/^UsageError: .*is a pickle, which is code/);
    const pickled = await saidOf('w.npz', readFileSync(path.join(modelFixtures, '..', 'npz', 'pickled.npz')));
    expect(pickled).to.match(/^UsageError: /);
  });

  it('refuses names that are not UTF-8, of which two that differ could become one', async () => {
    for (const [name, word] of [
      ['torch-lstm.onnx', 'lstm'],
      ['gru.h5', 'gru'],
    ] as const) {
      const bytes = readFileSync(path.join(modelFixtures, name)).toString('latin1');
      const changed = bytes.replaceAll(word, `${word.slice(0, -1)}\xff`);
      expect(await saidOf(name, Buffer.from(changed, 'latin1')), name).to.match(
        /^UsageError: .*(not UTF-8|not valid for encoding utf-8)/,
      );
    }
  });

  it('reads numbers of an ONNX model from its own folder only', async () => {
    const model = readFileSync(path.join(modelFixtures, 'made-embedding-external.onnx'));
    const name = 'made-embedding-external.data';
    const outside = path.join(base(), '..', 'outside.data');
    for (const other of [
      '../../../../etc/passwdxxxxxx',
      `/etc/${'x'.repeat(name.length - 5)}`,
      `${'x'.repeat(name.length - 1)}\0`,
    ]) {
      const changed = Buffer.from(
        model.toString('latin1').replaceAll(name, other.slice(0, name.length).padEnd(name.length, '/x')),
        'latin1',
      );
      expect(await saidOf('m.onnx', changed), other).to.match(
        /^UsageError: .*only files in its own folder are read/,
      );
    }
    writeFileSync(outside, readFileSync(path.join(modelFixtures, name)));
    symlinkSync(outside, path.join(base(), name));
    expect(await saidOf('m.onnx', model)).to.match(/^UsageError: .*only files in its own folder are read/);
    rmSync(outside);
  });

  it('compares the sizes of a safetensors file with its bytes before memory is taken', async () => {
    const file = (tensors: Readonly<Record<string, object>>, more = 0): Buffer => {
      const json = Buffer.from(JSON.stringify(tensors));
      const length = Buffer.alloc(8);
      length.writeUInt32LE(json.length + more);
      return Buffer.concat([length, json, Buffer.alloc(64)]);
    };
    const whole = { dtype: 'F32', shape: [4, 4], data_offsets: [0, 64] };
    const one = (change: object): Buffer => file({ w: { ...whole, ...change } });
    const half = { ...whole, shape: [2, 4] };
    const refused: readonly (readonly [Buffer, RegExp])[] = [
      [one({ shape: [2 ** 20, 2 ** 20], data_offsets: [0, 2 ** 42] }), /w has 4398046511104 bytes at \[0,/],
      [one({ data_offsets: [32, 96] }), /w has 64 bytes at \[32, ?96\], where 64 bytes of numbers are/],
      [one({ data_offsets: [-64, 0] }), /w has 64 bytes at \[-64, ?0\]/],
      [one({ data_offsets: [0, 60] }), /w has 64 bytes at \[0, ?60\]/],
      [one({ data_offsets: null }), /w has 64 bytes at null/],
      [one({ dtype: 'X' }), /w is \{.*, where a shape and one of F64, F32, F16, BF16, I64, I32 was expected/],
      [one({ shape: [4, -4] }), /w is \{.*, where a shape and one of/],
      [file({ w: whole }, 1000), /its header has \d+ bytes, the whole file has \d+/],
      [
        file({ v: { ...half, data_offsets: [0, 32] }, w: { ...half, data_offsets: [28, 60] } }),
        /two tensors lie on the same bytes/,
      ],
    ];
    for (const [bytes, says] of refused)
      expect(await saidOf('m.safetensors', bytes))
        .to.match(/^UsageError: .*is not a sound safetensors file: /)
        .and.match(says);
    // of a file with several types each weight has the reach of its own
    const mixed = file({
      'fc.bias': { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
      'fc.weight': { dtype: 'F16', shape: [1, 1], data_offsets: [4, 6] },
      'rnn.weight_hh_l0': { dtype: 'BF16', shape: [1, 1], data_offsets: [6, 8] },
      'rnn.weight_ih_l0': { dtype: 'F32', shape: [1, 2], data_offsets: [8, 16] },
    });
    writeFileSync(path.join(base(), 'mixed.safetensors'), mixed);
    expect((await openModelFile(path.join(base(), 'mixed.safetensors'))).storage).to.deep.equal({
      'rnn.recurrentKernel': { dtype: 'bfloat16', reach: 2 ** -8 },
      'fc.kernel': { dtype: 'float16', reach: 2 ** -11 },
    });
    const odd = file({ '?': whole });
    odd[10] = 0xfc;
    expect(await saidOf('m.safetensors', odd)).to.match(
      /^UsageError: .*header: line 1 is not UTF-8 \(byte fc at 2/,
    );
  });

  it('refuses modules of PyTorch that it does not read by name', async () => {
    const array = (...shape: number[]) => ({
      shape,
      data: new Float64Array(shape.reduce((a, b) => a * b, 1)),
    });
    const lstm = { 'lstm.weight_ih_l0': array(16, 3), 'lstm.weight_hh_l0': array(16, 4) };
    for (const [says, arrays] of [
      [/lstm has a projection \(proj_size\)/, { ...lstm, 'lstm.weight_hr_l0': array(2, 4) }],
      [/lstm has weight_ih_l2, which fits no layer/, { ...lstm, 'lstm.weight_ih_l2': array(16, 4) }],
      [
        /lstm has weights of layer 1 whose shapes do not fit each other/,
        { ...lstm, 'lstm.weight_ih_l1': array(16, 5), 'lstm.weight_hh_l1': array(16, 4) },
      ],
      [
        /lstm has weight_hh_l0 \[10, 4\], where \[U, U\], \[3 U, U\] or \[4 U, U\]/,
        { 'lstm.weight_ih_l0': array(10, 3), 'lstm.weight_hh_l0': array(10, 4) },
      ],
      [/holds the text a; a state_dict holds numbers only/, { ...lstm, a: { shape: [1], data: ['b'] } }],
      [/lstm lacks a weight of layer 0;/, { 'lstm.weight_ih_l0': array(16, 3) }],
      [/lstm lacks a weight of layer 0;/, { ...lstm, 'lstm.bias_ih_l0': array(16) }],
      [
        /fc has scale, which is no weight of such a module/,
        { ...lstm, 'fc.weight': array(2, 4), 'fc.scale': array(2) },
      ],
      [
        /has 13 modules, where 1 to 12 were expected/,
        Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`m${i}.weight`, array(4, 4)])),
      ],
      [
        /more than one order fits\. A chain of modules is read/,
        {
          ...{ 'a.weight': array(4, 4), 'a.bias': array(4) },
          ...{ 'b.weight': array(4, 4), 'b.bias': array(4) },
          ...lstm,
        },
      ],
      [
        /conv is no module that is read \(its weight has 3 axes\)/,
        { ...lstm, 'conv.weight': array(4, 4, 3) },
      ],
      [
        /fc has a weight without numbers; save a layer with units/,
        { ...lstm, 'fc.weight': array(0, 4), 'fc.bias': array(0) },
      ],
      [/cell is a single cell/, { 'cell.weight_ih': array(16, 3), 'cell.weight_hh': array(16, 4) }],
      [
        /in no order does each read what the one before it gives/,
        { ...lstm, 'fc.weight': array(2, 5), 'fc.bias': array(2) },
      ],
      [/has no nn.RNN, nn.LSTM or nn.GRU/, { 'fc.weight': array(2, 5), 'fc.bias': array(2) }],
      [
        /fc\.bias has shape \[1\]; \[2\] was expected/,
        { ...lstm, 'fc.weight': array(2, 4), 'fc.bias': array(1) },
      ],
      [
        /bn\.movingVariance has shape \[1\]; \[4\] was expected/,
        { ...lstm, 'bn.running_mean': array(4), 'bn.running_var': array(1) },
      ],
    ] as const)
      expect(await saidOf('m.npz', await formatNpz(arrays)))
        .to.match(/^UsageError: /)
        .and.match(says);
  });

  it('refuses options that change nothing for a file, and --until for a state_dict', async () => {
    const open = (name: string, options: OpenOptions): Promise<string> =>
      openModelFile(path.join(modelFixtures, name), options).then(
        () => 'opened',
        (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
      );
    for (const [name, options, says] of [
      ['gru.keras', { steps: 'all' }, /--steps all is for a state_dict of PyTorch; .* leave it out/],
      [
        'torch-gru.safetensors',
        { nonlinearity: 'relu' },
        /--nonlinearity relu is for an nn\.RNN in a state_dict/,
      ],
      ['torch-gru.safetensors', { until: 'fc' }, /is a state_dict, which is read whole; leave out --until/],
      ['torch-lstm.state.npz', { until: 'fc' }, /is a state_dict, which is read whole; leave out --until/],
    ] as const)
      expect(await open(name, options))
        .to.match(/^UsageError: /)
        .and.match(says);
  });

  it('notes that a square weight of PyTorch without a bias can be an embedding', async () => {
    const array = (...shape: number[]) => ({ shape, data: new Float64Array(shape[0] * shape[1]) });
    const lstm = { 'lstm.weight_ih_l0': array(16, 3), 'lstm.weight_hh_l0': array(16, 4) };
    for (const [name, kind] of [
      ['tok', 'nn.Linear'],
      ['embedding', 'nn.Embedding'],
    ]) {
      const file = path.join(base(), 'm.npz');
      writeFileSync(file, await formatNpz({ [`${name}.weight`]: array(3, 3), ...lstm }));
      const { layers, notes } = await openModelFile(file);
      expect(layers[0].kind).to.equal(kind);
      expect(notes.join()).to.contain(`can be nn.Linear or nn.Embedding: ${kind} is assumed`);
      expect(notes.join()).to.contain('which activations stand between the modules');
    }
  });

  for (const format of formatNames)
    it(`opens or refuses 25 damaged files: ${format}`, async () => {
      const counts = await openMutants(format, { mutants: 25, seed: 7, folder: path.join(base(), format) });
      expect(counts.wrong).to.deep.equal([]);
      expect(counts.opened + counts.refused).to.equal(25);
    });
});
