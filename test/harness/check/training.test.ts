import path from 'node:path';
import { expect } from 'chai';
import { checkModel, checkVerdict, formatCheck, generateInputs } from '../../../harness/check/index';
import { Training } from '../../../harness/check/training';
import type { TrainingAnswer, TrainingQuestion } from '../../../harness/check/sides/side';
import { openModelFile } from '../../../harness/models/index';
import { ScratchNetwork, type NetworkConfig, type OptimizerConfig } from '../../../scratch/index';
import { modelFixtures } from '../../support/model-fixtures';
import { withAnswers, withRecorded } from '../../support/recorded-frameworks';

const lstm = path.join(modelFixtures, 'lstm.keras');
const recorded = (name: string): string =>
  path.join(__dirname, '..', '..', 'fixtures', 'frameworks', `training-${name}.json`);

/** A side that trains in float64, with settings that differ from those that are asked for. */
function sideWith(changed: Partial<Record<string, unknown>>) {
  const train = ({ problem, optimizer, step, slots }: TrainingQuestion): Promise<TrainingAnswer> => {
    const config = { ...optimizer, ...changed } as OptimizerConfig;
    const { inputs, labels = [], weights, model } = problem;
    const network = new ScratchNetwork({ ...(model as NetworkConfig), weights, optimizer: config });
    network.setOptimizerState({ config, step, slots });
    const { loss } = network.trainOnBatch(inputs, labels);
    return Promise.resolve({ loss, weights: network.getWeights(), slots: network.getOptimizerState().slots });
  };
  return { name: 'changed', train };
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
) {
  const training = trainings.get(optimizer.name) ?? trainingBy(optimizer);
  trainings.set(optimizer.name, training);
  return (await training).judge(sideWith(changed));
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

  it('refuses what is no chain of layers, and settings that make no sense, before anything runs', async () => {
    const refusal = (file: string, options: object): Promise<string> =>
      checkModel(path.join(modelFixtures, file), { sides: ['tfjs:cpu'], ...options }).then(
        () => 'taken',
        (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
      );
    expect(await refusal('batch-normalization.keras', { trainSteps: 1 })).to.match(
      /^UsageError: .*--train-steps.*batch_normalization \(BatchNormalization\) is not run/,
    );
    expect(await refusal('masking-backwards.keras', { trainSteps: 1 })).to.match(
      /^UsageError: .*--train-steps.*goes backwards and returns sequences/,
    );
    expect(await refusal('lstm.keras', { trainSteps: 0.5 })).to.match(/^RangeError: .*trainSteps/);
    expect(await refusal('lstm.keras', { optimizer: 'adam' })).to.match(
      /^RangeError: .*trainSteps is not given/,
    );
    expect(await refusal('lstm.keras', { trainSteps: 1, optimizer: { name: 'adam', epsilon: -1 } })).to.match(
      /^RangeError: optimizer: epsilon is -1/,
    );
    const far = { name: 'adam', learningRate: 1e39 };
    expect(await refusal('lstm.keras', { trainSteps: 1, optimizer: far })).to.match(
      /^UsageError: .*--train-steps.*step 1 makes weights\.layer1\.kernel -?\S+e\+3[89].*smaller learning rate/,
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
