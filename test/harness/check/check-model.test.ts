import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { formatNpz, numbersOf, readNpz } from '../../../harness/base/files/index';
import {
  checkModel,
  checkVerdict,
  differenceInWords,
  generateInputs,
  readInputs,
  runReference,
  tensorOf,
  type CheckReport,
  type ModelInputs,
} from '../../../harness/check/index';
import { UsageError } from '../../../harness/base/outcome';
import { describeNetwork, openModelFile } from '../../../harness/models/index';
import { createRandom } from '../../../scratch/index';
import { withRecorded } from '../../support/recorded-frameworks';
import { fixtureAnswers, modelFixtures, namedInputs, type FixtureAnswer } from '../../support/model-fixtures';
import { temporaryDirectory } from '../../support/temporary-directory';

describe('check of a model', () => {
  const base = temporaryDirectory();
  let answers: ReadonlyMap<string, FixtureAnswer>;
  before(async () => {
    answers = await fixtureAnswers('keras.npz');
  });

  const file = (name: string): string => path.join(modelFixtures, `${name}.keras`);
  const withoutSides = (name: string, outputs: FixtureAnswer['outputs']): Promise<CheckReport> =>
    openModelFile(file(name)).then((model) =>
      checkModel(model, {
        inputs: namedInputs(model, answers.get(name)?.inputs ?? []),
        expected: outputs,
        sides: [],
      }),
    );

  it('finds parity with what the program that made the model gives', async () => {
    for (const name of [
      'lstm',
      'gru',
      'functional-states',
      'masking-bidirectional-gru',
      'two-heads',
      'flatten',
      'batch-normalization',
    ]) {
      const report = await withoutSides(name, answers.get(name)?.outputs ?? []);
      expect(report.verdict, `${name}: ${checkVerdict(report)}`).to.equal('parity');
      expect(report.exitCode).to.equal(0);
    }
  });

  it('names the cause of every known mistake, from the outputs alone', async () => {
    const arrays = await readNpz(path.join(modelFixtures, 'causes.npz'));
    expect(arrays.size).to.be.at.least(15);
    for (const [key, { shape }] of arrays) {
      const [name, cause] = key.split('/');
      const report = await withoutSides(name, [numbersOf(arrays, key, shape.length, 'causes.npz')]);
      expect(report.verdict, key).to.equal('mismatch');
      const [difference] = report.sides[0].differences;
      expect(
        difference.causes.map(({ id }) => id),
        key,
      ).to.include(cause);
      expect(difference.causes.length, `${key}: ${differenceInWords(difference)}`).to.be.at.most(2);
    }
  });

  it('says at which layer and time step TensorFlow.js differs, and names no other layer', async () => {
    const report = await checkModel(file('masked-states'), { sides: ['tfjs:cpu'] });
    expect(report.verdict).to.equal('mismatch');
    const [{ differences }] = report.sides;
    expect(differences).to.have.length(1);
    expect(differences[0]).to.include({ layer: 'decoder', layerNumber: 3, timeStep: 0 });
    expect(differences[0].causes.map(({ id }) => id)).to.deep.equal(['masked-rows']);
  });

  it('has a side that is required and cannot run end with exit code 3, and says why', async () => {
    const report = await checkModel(file('gru'), { sides: ['tfjs:cpu'] });
    expect(report).to.include({ verdict: 'side not run', exitCode: 3 });
    expect(report.sides[0].reason).to.include(
      'resets after the product (reset_after), which TensorFlow.js 4.22 does not have',
    );
  });

  it('refuses inputs that do not fit and options that would change nothing, before any side runs', async () => {
    const model = await openModelFile(file('lstm'));
    const [{ name }] = model.inputs;
    const { data, shape } = generateInputs(model, { seed: 1 })[name];
    const inputs = (given: Record<string, unknown>) => ({ inputs: given as ModelInputs });
    for (const [options, message] of [
      [{ until: 'dense' }, /until is "dense", and the model is opened already/],
      [inputs({}), /has no tensors; the model takes input_layer/],
      [
        inputs({ [name]: { data, shape }, other: { data, shape } }),
        /has input_layer, other; the model takes/,
      ],
      [inputs({ [name]: data }), /input_layer is not a tensor/],
      [inputs({ [name]: { data: data.slice(1), shape } }), /119 numbers do not fill shape \[4, 10, 3\]/],
      [inputs({ [name]: { data, shape: [12, 10] } }), /takes \[B, T, 3\]|do not fill/],
      [inputs({ [name]: { data: data.map(() => NaN), shape } }), /holds NaN at position 0/],
    ] as const) {
      const error = await checkModel(model, { sides: ['twin:cpu'], ...options }).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(Error).with.property('message').that.matches(message);
    }
  });

  it('rounds inputs to float32 as every side does, and says so', async () => {
    const model = await openModelFile(file('lstm'));
    const [{ name }] = model.inputs;
    const { data, shape } = generateInputs(model, { seed: 1 })[name];
    const inputs = { [name]: { data: data.map((x, i) => (i < 3 ? x + 2 ** -40 : x)), shape } };
    const report = await checkModel(model, { inputs, sides: ['twin:cpu', 'twin:cpu'], forwardOnly: true });
    expect(report.verdict).to.equal('parity');
    expect(report.sides).to.have.length(1);
    expect(report.notes.join()).to.include('3 numbers of the inputs are not exact in float32');
  });

  it('says of expected outputs in float16 that they were rounded, and refuses outputs that the model does not have', async () => {
    const model = await openModelFile(file('lstm'));
    const inputs = generateInputs(model, { seed: 1 });
    const { data, shape } = tensorOf(runReference(model, inputs), model.outputs[0]);
    const toHalf = (y: number): number => {
      const step = 2 ** (Math.floor(Math.log2(y)) - 10);
      return Math.round(y / step) * step;
    };
    const half = { data: data.map(toHalf), shape };
    const report = await checkModel(model, { inputs, expected: [half], sides: [] });
    expect(report.sides[0].differences.flatMap(({ causes }) => causes.map(({ id }) => id))).to.deep.equal([
      'rounded-outputs',
    ]);
    const [{ name }] = model.inputs;
    const archive = path.join(base(), 'more.npz');
    writeFileSync(archive, await formatNpz({ inputs: inputs[name], outputs: half, 'outputs/1': half }));
    const refused = await readInputs(archive, model).catch((error: unknown) => (error as Error).message);
    expect(refused).to.match(/more\.npz holds outputs\/1, and the model has 1 inputs and 1 outputs/);
  });

  it('refuses inputs with which a layer leaves what float32 holds', async () => {
    const opened = await openModelFile(file('lstm'));
    const [lstm, ...others] = opened.layers;
    if (lstm.config.layer !== 'lstm') throw new Error('lstm.keras begins with an LSTM');
    const linear = { activation: 'linear', recurrentActivation: 'linear' } as const;
    const model = { ...opened, layers: [{ ...lstm, config: { ...lstm.config, ...linear } }, ...others] };
    const [{ name }] = model.inputs;
    const { data, shape } = generateInputs(model, { seed: 1 })[name];
    const inputs = { [name]: { data: data.map((x) => Math.fround(x * 1e12)), shape } };
    const error = await checkModel(model, { inputs, sides: ['twin:cpu'] }).catch((thrown: unknown) => thrown);
    expect(error)
      .to.be.instanceOf(UsageError)
      .with.property('message')
      .that.matches(
        /^layer \w+ \(LSTM\) gives \S+ with these inputs, and float32 holds numbers up to 3\.4e38; give smaller or shorter inputs/,
      );
  });

  it('refuses expected outputs with NaN, which no program can equal', async () => {
    const outputs = [{ data: Float64Array.of(1, NaN), shape: [1, 2] }];
    const error = await withoutSides('lstm', outputs).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(UsageError);
    expect(String(error)).to.include('The expected output 1 of 1 holds NaN at position 1');
  });

  it('names both shapes where an expected output has another one', async () => {
    const report = await withoutSides('lstm', [{ data: Float64Array.of(1, 2), shape: [1, 2] }]);
    expect(report.verdict).to.equal('mismatch');
    expect(checkVerdict(report)).to.match(/output: it has the shape \[1, 2\] instead of \[\d+, 2\]/);
  });

  it('counts a side that has nothing to show, or no side at all, as not run', async () => {
    const masking = await openModelFile(file('masking-bidirectional-gru'));
    const [, { name: second }] = masking.layers;
    const onlyMasking = await openModelFile(file('masking-bidirectional-gru'), { until: second });
    const named = await checkModel(onlyMasking, { sides: ['twin:cpu'] });
    expect(named).to.include({ verdict: 'side not run', exitCode: 3 });
    expect(named.sides[0]).to.include({ status: 'cannot run', tensors: 0 });
    const [layer] = onlyMasking.layers;
    const lastStep = { ...onlyMasking, layers: [{ ...layer, config: { layer: 'lastStep' } as const }] };
    const report = await withRecorded('torch', 'nothing-recorded', (python) =>
      checkModel(lastStep, { python }),
    );
    expect(report).to.include({ verdict: 'side not run', exitCode: 3 });
    expect(checkVerdict(report)).to.equal('NOTHING COMPARED: no side can run model');
  });

  it('is no parity where rounding alone may move every number so far that it shows nothing', async () => {
    // recurrent weights of deviation 5 / sqrt(U): states in chaos
    const random = createRandom(3);
    const normal = (deviation: number, ...shape: [number, number?]) => ({
      shape: shape as number[],
      data: Float64Array.from({ length: shape[0] * (shape[1] ?? 1) }, () =>
        Math.fround(deviation * random.normal()),
      ),
    });
    const model = describeNetwork({
      config: { features: 2, layers: [{ layer: 'simpleRNN', units: 16 }], loss: 'meanSquaredError' },
      weights: [
        { kernel: normal(0.1, 2, 16), recurrentKernel: normal(1.25, 16, 16), bias: normal(0.01, 16) },
      ],
    });
    const { data } = normal(0.1, 2 * 150, 2);
    const inputs = { input: { data, shape: [2, 150, 2] } };
    const report = await checkModel(model, { inputs, sides: ['tfjs:cpu'], forwardOnly: true });
    expect(report.sides[0]).to.include({ status: 'ill', tensors: 1, unclear: 1 });
    expect(report).to.include({ verdict: 'side not run', exitCode: 3 });
    expect(checkVerdict(report)).to.match(/^NOTHING COMPARED: rounding alone may move every number/);
  });

  it('checks what comes before a layer', async () => {
    const report = await checkModel(file('lstm'), { sides: ['tfjs:cpu'], until: 'dense' });
    expect(report.layers.map(({ name }) => name)).to.deep.equal(['lstm']);
    expect(report.verdict).to.equal('parity');
  });
});
