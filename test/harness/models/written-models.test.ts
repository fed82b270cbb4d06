import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { openModelFile, writeModel, type ModelDescription } from '../../../harness/models/index';
import { fixtureFiles, modelFixtures } from '../../support/model-fixtures';
import { temporaryDirectory } from '../../support/temporary-directory';

/** What a file must hold of a model. */
const content = ({ inputs, layers, outputs }: ModelDescription) => ({
  inputs,
  outputs,
  layers: layers.map(({ name, config, reads, initialStates, weights, output, maskedRows }) => ({
    ...{ name, config, reads, initialStates, weights, output, maskedRows },
  })),
});

describe('models written for Keras', () => {
  const base = temporaryDirectory();
  // what Keras 3 gives for the written files was compared once with keras.npz: at most 2e-7 apart, in float32
  for (const file of fixtureFiles('.keras'))
    it(`${file} is the same after writing and reading`, async () => {
      const model = await openModelFile(path.join(modelFixtures, file));
      const { files } = await writeModel(model, 'keras', file);
      const written = path.join(base(), 'written');
      writeFileSync(written, files.get('')!);
      const again = await openModelFile(written);
      expect(content(again)).to.deep.equal(content(model));
    });

  it('refuses by name what Keras 3 does not have', async () => {
    const model = await openModelFile(path.join(modelFixtures, 'keras2-lstm-hard-sigmoid.h5'));
    const error = await writeModel(model, 'keras', 'm.h5').catch((found: unknown) => found as Error);
    expect((error as Error).message).to.match(
      /^m.h5: layer lstm \(LSTM\) has the hard_sigmoid of Keras 2 .*, which Keras 3 does not have/,
    );
  });
});
