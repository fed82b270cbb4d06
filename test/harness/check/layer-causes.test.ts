import path from 'node:path';
import { expect } from 'chai';
import { numbersOf, readNpz } from '../../../harness/base/files/index';
import { precisionModels, type PrecisionModel } from '../../../harness/budget/index';
import { causesOfLayer } from '../../../harness/check/causes';
import { judgeShown } from '../../../harness/check/judge';
import { unknownProgram } from '../../../harness/check/sides/framework';
import { openModelFile, type ModelDescription } from '../../../harness/models/index';
import { modelFixtures } from '../../support/model-fixtures';

/** The LSTM of lstm.keras with every step in its output, and a Dropout of its own. */
async function layers(): Promise<Record<'lstm' | 'dropout', ModelDescription>> {
  const model = await openModelFile(path.join(modelFixtures, 'lstm.keras'), { until: 'dense' });
  const [lstm] = model.layers;
  if (lstm.config.layer !== 'lstm') throw new Error('lstm.keras begins with an LSTM');
  const all = { ...lstm, config: { ...lstm.config, returnSequences: true } };
  const dropout = {
    ...lstm,
    name: 'dropout',
    kind: 'Dropout',
    config: { layer: 'identity' } as const,
    weights: {},
  };
  return {
    lstm: { ...model, layers: [all], outputs: [{ of: lstm.name }] },
    dropout: { ...model, layers: [dropout], outputs: [{ of: 'dropout' }] },
  };
}

describe('causes of a layer that a side shows', () => {
  for (const [cause, of] of [
    ['time-major', 'lstm'],
    ['order-of-steps', 'lstm'],
    ['dropout', 'dropout'],
  ] as const)
    it(`names ${cause}, from what Keras gave`, async () => {
      const model = (await layers())[of];
      const arrays = await readNpz(path.join(modelFixtures, 'layer-causes.npz'));
      const inputs = { [model.inputs[0].name]: numbersOf(arrays, 'inputs', 3, 'layer-causes.npz') };
      const given = numbersOf(arrays, cause, 3, 'layer-causes.npz');
      const { judged } = judgeShown(
        model,
        inputs,
        new Map([[model.layers[0].name, { output: given }]]),
        unknownProgram,
      );
      expect(judged.map(({ status }) => status)).to.deep.equal(['beyond']);
      expect(causesOfLayer(judged, unknownProgram).map(({ id }) => id)).to.deep.equal([cause]);
      // another number besides, and nothing explains it
      const off = {
        ...judged[0],
        given: { ...given, data: given.data.map((x, i) => (i === 7 ? x + 0.01 : x)) },
      };
      expect(causesOfLayer([off], unknownProgram)).to.deep.equal([]);
    });
});

describe('a gate that is almost shut', () => {
  it('may be 0 in a program of unknown form, whose error of sigmoid is absolute, but not in one that was measured', async () => {
    const { dropout: model } = await layers();
    const [{ name }] = model.inputs;
    const [layer] = model.layers;
    const sigmoid = { ...layer, config: { layer: 'activation', activation: 'sigmoid' } as const };
    const shape = [1, 1, 3];
    // of the first one, σ = 5e-28
    const inputs = { [name]: { data: Float64Array.of(-62.9, -20, 0.5), shape } };
    const exact = inputs[name].data.map((z) => 1 / (1 + Math.exp(-z)));
    const judged = (change: (y: number, i: number) => number, precision: PrecisionModel) =>
      judgeShown(
        { ...model, layers: [sigmoid] },
        inputs,
        new Map([[layer.name, { output: { data: exact.map(change), shape } }]]),
        precision,
      ).judged[0].status;
    const shut = (y: number): number => (y < 1e-20 ? 0 : y);
    expect(judged(shut, unknownProgram)).to.equal('explained');
    expect(judged(shut, precisionModels.tensorflow)).to.equal('beyond');
    expect(judged((y, i) => (i === 0 ? 1e-6 : y), unknownProgram)).to.equal('beyond');
  });
});
