import path from 'node:path';
import { expect } from 'chai';
import { runReference, tensorOf } from '../../../harness/check/reference';
import { openModelFile } from '../../../harness/models/index';
import {
  fixtureAnswers,
  fixtureFiles,
  modelFixtures,
  namedInputs,
  type FixtureAnswer,
} from '../../support/model-fixtures';

/** Two programs in float64: sums of at most 20 terms a step, 6 steps, 3 layers lose far less than 2^-53 times 2000. */
const exact = 2000 * 2 ** -53;

describe('models of other programs in float64', () => {
  for (const { archive, extensions } of [{ archive: 'keras.npz', extensions: ['.keras', '.h5'] }]) {
    let answers: ReadonlyMap<string, FixtureAnswer>;
    before(async () => {
      answers = await fixtureAnswers(archive);
    });
    for (const file of extensions.flatMap(fixtureFiles))
      it(`${file} gives what the program that made it gives`, async () => {
        const model = await openModelFile(path.join(modelFixtures, file));
        const answer = answers.get(file.replace(/\.\w+$/, ''));
        if (answer === undefined) throw new Error(`no answer for ${file}`);
        const runs = runReference(model, namedInputs(model, answer.inputs));
        expect(model.outputs).to.have.length(answer.outputs.length);
        model.outputs.forEach((source, i) => {
          const { data, shape } = tensorOf(runs, source);
          const wanted = answer.outputs[i];
          expect(shape).to.deep.equal(wanted.shape);
          const worst = data.reduce(
            (most, x, n) => Math.max(most, Math.abs(x - wanted.data[n]) / (1 + Math.abs(x))),
            0,
          );
          expect(worst).to.be.below(exact);
        });
      });
  }
});
