import path from 'node:path';
import { expect } from 'chai';
import { checkModel, checkVerdict, generateInputs } from '../../../harness/check/index';
import { judgeShown } from '../../../harness/check/judge';
import { runReference, tensorOf } from '../../../harness/check/index';
import type { ShownLayers } from '../../../harness/check/sides/side';
import { precisionModels } from '../../../harness/budget/index';
import { openModelFile, type ModelDescription } from '../../../harness/models/index';
import type { LSTMConfig } from '../../../scratch/index';
import {
  allFixtures,
  fixtureAnswers,
  modelFixtures,
  namedInputs,
  type FixtureAnswer,
} from '../../support/model-fixtures';

/** Two programs in float64: sums of at most 20 terms a step, 6 steps, 4 layers lose far less than 2^-53 times 2000. */
const exact = 2000 * 2 ** -53;

/** The model with the bias of one layer, or one row of its first weight, changed by a hundredth of the largest number. */
function damaged(model: ModelDescription, at: number): ModelDescription {
  const layers = model.layers.map((layer, i) => {
    if (i !== at) return layer;
    const all = Object.entries(layer.weights);
    const [name, { data, shape }] = all.find(([one]) => /bias$/i.test(one)) ?? all[0];
    const most = data.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const own = data.map((x, n) => (n < shape[shape.length - 1] ? x + 0.01 * most : x));
    return { ...layer, weights: { ...layer.weights, [name]: { data: own, shape } } };
  });
  return { ...model, layers };
}

describe('models of other programs in float64', () => {
  const fixtures = allFixtures();
  const answers = new Map<string, ReadonlyMap<string, FixtureAnswer>>();
  before(async () => {
    for (const archive of new Set(fixtures.map((one) => one.archive)))
      answers.set(archive, await fixtureAnswers(archive));
  });

  it('are at least 40 models', () => {
    expect(fixtures.length).to.be.at.least(40);
  });

  for (const { file, name, archive, options } of fixtures)
    it(`${file} gives what the program that made it gives; with one weight changed, its layer is blamed alone`, async () => {
      const model = await openModelFile(path.join(modelFixtures, file), options);
      const answer = answers.get(archive)?.get(name);
      if (answer === undefined) throw new Error(`no answer for ${file}`);
      const inputs = namedInputs(model, answer.inputs);
      const runs = runReference(model, inputs);
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

      const blamed = (shownBy: ModelDescription): string[] => {
        const own = runReference(shownBy, inputs);
        const shown: ShownLayers = new Map(
          shownBy.layers.map(({ name: layer }) => {
            const { output, states } = own.get(layer)!;
            return [layer, { output, states }];
          }),
        );
        const { judged } = judgeShown(model, inputs, shown, precisionModels.tensorflow);
        const wrong = judged.filter(({ status }) => status !== 'explained');
        return [...new Set(wrong.map(({ layer }) => layer.name))];
      };
      expect(blamed(model)).to.deep.equal([]);
      const weighted = [...model.layers.keys()].filter(
        (i) => Object.keys(model.layers[i].weights).length > 0,
      );
      for (const at of weighted) expect(blamed(damaged(model, at))).to.deep.equal([model.layers[at].name]);
    });

  it('gives a layer that reads a state that state alone, on every side', async () => {
    const { layers, ...model } = await openModelFile(path.join(modelFixtures, 'lstm.keras'));
    const [{ config, ...lstm }, dense, ...others] = layers;
    // h, the first state, is the last row of the sequence
    const all = { ...lstm, config: { ...(config as LSTMConfig), returnSequences: true }, output: [null, 4] };
    const states = { ...model, layers: [all, { ...dense, reads: { of: lstm.name, state: 0 } }, ...others] };
    const inputs = generateInputs(states, { seed: 1 });
    const given = (one: ModelDescription) => tensorOf(runReference(one, inputs), model.outputs[0]);
    expect(given(states)).to.deep.equal(given({ ...model, layers }));
    const report = await checkModel(states, { inputs, sides: ['tfjs:cpu', 'twin:cpu'] });
    expect(report.verdict, checkVerdict(report)).to.equal('parity');
  });
});
