import path from 'node:path';
import { expect } from 'chai';
import { numbersOf, readNpz } from '../../../harness/base/files/index';
import { checkModel, checkVerdict, differenceInWords, type CheckReport } from '../../../harness/check/index';
import { openModelFile } from '../../../harness/models/index';
import { fixtureAnswers, modelFixtures, namedInputs, type FixtureAnswer } from '../../support/model-fixtures';

describe('check of a model', () => {
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
    expect(differences[0]).to.include({ layer: 'decoder', layerNumber: 3, timeStep: 8 });
    expect(differences[0].causes.map(({ id }) => id)).to.deep.equal(['masked-rows']);
  });

  it('has a side that is required and cannot run end with exit code 3, and says why', async () => {
    const report = await checkModel(file('gru'), { sides: ['tfjs:cpu'] });
    expect(report).to.include({ verdict: 'side not run', exitCode: 3 });
    expect(report.sides[0].reason).to.include(
      'resets after the product (reset_after), which TensorFlow.js 4.22 does not have',
    );
  });

  it('checks what comes before a layer', async () => {
    const report = await checkModel(file('lstm'), { sides: ['tfjs:cpu'], until: 'dense' });
    expect(report.layers.map(({ name }) => name)).to.deep.equal(['lstm']);
    expect(report.verdict).to.equal('parity');
  });
});
