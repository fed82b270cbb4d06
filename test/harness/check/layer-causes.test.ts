import path from 'node:path';
import { expect } from 'chai';
import { numbersOf, readNpz } from '../../../harness/base/files/index';
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
