import path from 'node:path';
import { expect } from 'chai';
import { precisionModels } from '../../../harness/budget/index';
import { checkModel, checkVerdict, formatCheck, generateInputs } from '../../../harness/check/index';
import { differenceInWords } from '../../../harness/check/report';
import { Training } from '../../../harness/check/training';
import type { ChainTraining, TrainingAnswer, TrainingQuestion } from '../../../harness/check/sides/side';
import { openModelFile } from '../../../harness/models/index';
import { mapRecord } from '../../../harness/base/process/index';
import {
  ScratchNetwork,
  type NetworkConfig,
  type OptimizerConfig,
  type Tensor,
} from '../../../scratch/index';
import { modelFixtures } from '../../support/model-fixtures';
import { withAnswers, withRecorded } from '../../support/recorded-frameworks';

const lstm = path.join(modelFixtures, 'lstm.keras');
const recorded = (name: string): string =>
  path.join(__dirname, '..', '..', 'fixtures', 'frameworks', `training-${name}.json`);

/** A side that trains in float64, with settings that differ from those that are asked for, or with a changed answer. */
function sideWith(
  changed: Partial<Record<string, unknown>>,
  change: (answer: TrainingAnswer) => TrainingAnswer = (answer) => answer,
) {
  const train = (question: TrainingQuestion): Promise<TrainingAnswer> => {
    const { problem, optimizer, step, slots } = question as ChainTraining;
    const config = { ...optimizer, ...changed } as OptimizerConfig;
    const { inputs, labels = [], weights, model } = problem;
    const network = new ScratchNetwork({ ...(model as NetworkConfig), weights, optimizer: config });
    network.setOptimizerState({ config, step, slots });
    const { loss } = network.trainOnBatch(inputs, labels);
    const answer = { loss, weights: network.getWeights(), slots: network.getOptimizerState().slots };
    return Promise.resolve(change(answer));
  };
  return { name: 'changed', train, model: precisionModels.any };
}

/** What is derived of the steps is shared by the cases. */
const trainings = new Map<OptimizerConfig['name'], Promise<Training>>();

async function trainingBy(optimizer: OptimizerConfig): Promise<Training> {
  const model = await openModelFile(lstm);
  return new Training(model, generateInputs(model, { seed: 1 }), { steps: 2, seed: 1, optimizer });
}

async function judged(
  changed: Partial<Record<string, unknown>>,
  optimizer: OptimizerConfig = { name: 'adam' },
  change?: (answer: TrainingAnswer) => TrainingAnswer,
) {
  const training = trainings.get(optimizer.name) ?? trainingBy(optimizer);
  trainings.set(optimizer.name, training);
  return (await training).judge(sideWith(changed, change));
}

describe('training steps of a model', () => {
  it('are the same on every side of this machine: loss, weights, and the memory of Adam', async () => {
    const sides = ['tfjs:cpu', 'twin:wasm', 'graph'] as const;
    const report = await checkModel(lstm, { sides: [...sides], forwardOnly: true, trainSteps: 2 });
    expect(report.verdict, checkVerdict(report)).to.equal('parity');
    // a loss, and the weights, m and v of five tensors, twice
    expect(report.sides.map(({ updates }) => updates)).to.deep.equal([32, 32, 32]);
    expect(checkVerdict(report)).to.match(/and 2 training steps of adam make the same weights in tfjs:cpu/);
    expect(formatCheck(report)).to.match(/of training steps.*\n.*parity +\d+ +0 +32 /);
  });

  it('are those of a model with an output at every step, with a label for each', async () => {
    const report = await checkModel(path.join(modelFixtures, 'bidirectional-sum.keras'), {
      ...{ sides: ['tfjs:cpu', 'twin:cpu'], forwardOnly: true, trainSteps: 1, optimizer: 'sgd' },
    });
    expect(report.verdict, checkVerdict(report)).to.equal('parity');
    expect(report.sides.map(({ updates = 0 }) => updates > 0)).to.deep.equal([true, true]);
  });

  for (const name of ['keras', 'torch'] as const)
    it(`are those of the optimizer of ${name}`, async () => {
      const report = await withAnswers(recorded(name), (python) =>
        checkModel(lstm, { sides: [name], trainSteps: 2, python }),
      );
      expect(report.verdict, checkVerdict(report)).to.equal('parity');
      expect(report.sides[0].updates).to.equal(32);
    });

  it("names Adam's form where it is another one than asked for", async () => {
    const report = await checkModel(lstm, {
      ...{ sides: ['tfjs:cpu'], forwardOnly: true, trainSteps: 1 },
      optimizer: { name: 'adam', epsilon: 1e-4, form: 'keras' },
    });
    expect(report).to.include({ verdict: 'mismatch', exitCode: 1 });
    expect(checkVerdict(report)).to.match(
      /tfjs:cpu differs at layer 1 lstm \(LSTM\), \w+ after training step 1, row \d, unit \d, gate [ifco]: .*as if Adam adds epsilon to sqrt\(v \/ \(1 - beta2\^t\)\), as TensorFlow.js/,
    );
  });

  it('names another epsilon of Adam, and only that', async () => {
    const { differences } = await judged({ epsilon: 1e-4 });
    expect(differences.flatMap(({ causes }) => causes)).to.deep.equal([
      {
        id: 'adam-epsilon',
        words: "Adam's epsilon is 0.0001, and not the one that was asked for",
        layer: '',
      },
    ]);
    expect(await judged({}))
      .to.have.property('differences')
      .that.has.length(0);
  });

  it('finds other mistakes of an optimizer, and names no cause for them', async () => {
    for (const [changed, optimizer, tensor] of [
      [{ learningRate: 0.00101 }, undefined, /^\w+ after training step 1$/],
      [{ beta1: 0.8 }, undefined, /^m of \w+ after training step 1$/],
      [{ momentum: 0.8 }, { name: 'sgd', momentum: 0.9 }, /^velocity of \w+ after training step 2$/],
    ] as const) {
      const { differences } = await judged(changed, optimizer);
      expect(differences.map(({ causes }) => causes)).to.deep.equal([[]]);
      expect(differences[0].tensor).to.match(tensor);
    }
  });

  it('finds an update that lacks a tensor, or has one of another shape or too many, and says both shapes', async () => {
    const changes: readonly [(answer: TrainingAnswer) => TrainingAnswer, RegExp][] = [
      [
        ({ weights: [{ bias: _, ...rest }, ...layers], ...answer }) => ({
          ...answer,
          weights: [rest, ...layers],
        }),
        /layer 1 lstm \(LSTM\), bias after training step 1: it is missing, where \[16\] was expected$/,
      ],
      [
        ({ slots: { m: _, ...slots }, ...answer }) => ({ ...answer, slots }),
        /layer 1 lstm \(LSTM\), m of kernel after training step 1: it is missing, where \[3, 16\] was expected$/,
      ],
      [
        ({ loss: _, ...answer }) => answer,
        /loss of training step 1: it is missing, where \[\] was expected$/,
      ],
      [
        ({ weights: [layer, ...layers], ...answer }) => ({
          ...answer,
          weights: [{ ...layer, bias: { ...layer['bias'], shape: [4, 4] } }, ...layers],
        }),
        /bias after training step 1: it has the shape \[4, 4\] instead of \[16\]$/,
      ],
      [
        ({ weights: [layer, ...layers], ...answer }) => ({
          ...answer,
          weights: [{ ...layer, peephole: layer['bias'] }, ...layers],
        }),
        /peephole after training step 1: it has the shape \[16\], and no such tensor was expected$/,
      ],
    ];
    for (const [change, words] of changes) {
      const { differences } = await judged({}, undefined, change);
      expect(differences.map(differenceInWords).join('\n')).to.match(words);
    }
  });

  it('are those of any model of layers by the sum of its outputs: states passed on, repeated, backwards', async () => {
    for (const [file, sides] of [
      ['functional-states.keras', ['tfjs:cpu', 'tfjs:wasm']],
      ['autoencoder.keras', ['tfjs:cpu']],
      ['masking-backwards.keras', ['tfjs:cpu']],
    ] as const) {
      const report = await checkModel(path.join(modelFixtures, file), {
        ...{ sides, trainSteps: 2, forwardOnly: true, optimizer: { name: 'adam', learningRate: 0.01 } },
      });
      expect(report.verdict, `${file}: ${checkVerdict(report)}`).to.equal('parity');
      expect(report.sides.every(({ updates = 0 }) => updates >= 12)).to.equal(true);
      expect(report.notes.join()).to.match(/its training steps make Σ output · r smaller/);
    }
  });

  it('finds another optimizer there as well', async () => {
    const report = await checkModel(path.join(modelFixtures, 'functional-states.keras'), {
      ...{ sides: ['tfjs:cpu'], forwardOnly: true, trainSteps: 1 },
      optimizer: { name: 'adam', epsilon: 1e-4, form: 'keras' },
    });
    expect(report).to.include({ verdict: 'mismatch', exitCode: 1 });
    expect(checkVerdict(report)).to.match(
      /after training step 1, .*as if Adam adds epsilon to sqrt\(v \/ \(1/,
    );
  });

  it('says that nothing was compared where rounding moves the weights as far as a step does', async () => {
    const model = await openModelFile(lstm);
    // far from zero, where float32 has few numbers
    const larger = ({ data, shape }: Tensor): Tensor => ({
      data: data.map((w) => (w < 0 ? w - 0.6 : w + 0.6)),
      shape,
    });
    const layers = model.layers.map((layer) => ({ ...layer, weights: mapRecord(layer.weights, larger) }));
    const report = await checkModel(
      { ...model, layers },
      {
        sides: ['tfjs:cpu'],
        forwardOnly: true,
        trainSteps: 1,
        optimizer: { name: 'sgd', learningRate: 2e-7 },
      },
    );
    expect(report).to.include({ verdict: 'side not run', exitCode: 3 });
    expect(checkVerdict(report)).to.match(
      /^NOT RUN: tfjs:cpu \(its training steps, which are ill-conditioned\)/,
    );
    const unasked = { ...report, sides: report.sides.map((side) => ({ ...side, required: false })) };
    expect(checkVerdict(unasked)).to.match(
      /^NOT TRAINED: rounding alone may move the weights of model as far as/,
    );
  });

  it('refuses what it cannot show, and settings that make no sense, before anything runs', async () => {
    const refusal = (file: string, options: object): Promise<string> =>
      checkModel(path.join(modelFixtures, file), { sides: ['tfjs:cpu'], ...options }).then(
        () => 'taken',
        (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
      );
    expect(await refusal('batch-normalization.keras', { trainSteps: 1 })).to.match(
      /^UsageError: .*--train-steps.*batch_normalization \(BatchNormalization\) normalizes by the means of the batch/,
    );
    for (const [file, side, why] of [
      ['lstm.keras', 'onnxruntime', /side onnxruntime takes none: it only predicts here; take it out/],
      ['two-heads.keras', 'twin:cpu', /side twin:cpu takes none: it trains a chain of layers/],
      ['embedding-mask.keras', 'tfjs:wasm', /no gradient of an embedding on wasm \(layer embedding\)/],
    ] as const)
      expect(await refusal(file, { trainSteps: 1, sides: [side] })).to.match(why);
    const masked = { data: new Float64Array(2 * 3 * 3).fill(-1), shape: [2, 3, 3] };
    expect(
      await refusal('masking-sequences.keras', { trainSteps: 1, inputs: { input_layer: masked } }),
    ).to.match(/^UsageError: Training steps \(--train-steps\): all 6 time steps are masked/);
    expect(await refusal('lstm.keras', { trainSteps: 0.5 })).to.match(/^RangeError: .*trainSteps/);
    expect(await refusal('lstm.keras', { optimizer: 'adam' })).to.match(
      /^RangeError: .*trainSteps is not given/,
    );
    const adam = (settings: object) =>
      refusal('lstm.keras', { trainSteps: 1, optimizer: { name: 'adam', ...settings } });
    expect(await adam({ epsilon: -1 })).to.match(/^RangeError: optimizer: epsilon is -1/);
    expect(await adam({ learningRate: 1e39 })).to.match(
      /^UsageError: .*--train-steps.*step 1 makes weights\.layer1\.kernel -?\S+e\+3[89].*smaller learning rate/,
    );
    for (const learningRate of [0, 1e-20])
      expect(await adam({ learningRate })).to.match(
        /^UsageError: .*step 1 leaves all \d+ weights as they were in float32 \(learning rate \S+\).*larger learning rate/,
      );
  });

  it('is not run, exit code 3, where a side that must run cannot train', async () => {
    const report = await withRecorded('torch', 'lstm', (python) =>
      checkModel(lstm, { sides: ['torch'], trainSteps: 1, python }),
    );
    expect(report).to.include({ verdict: 'side not run', exitCode: 3 });
    expect(checkVerdict(report)).to.equal(
      'NOT RUN: torch (its training steps); what else was compared agrees with the reference',
    );
    expect(formatCheck(report)).to.match(/torch: its training steps were not compared: no answer left/);
  });
});
