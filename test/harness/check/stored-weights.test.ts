import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { checkModel, convertModel } from '../../../harness/check/index';
import { openModelFile } from '../../../harness/models/index';
import { fixtureAnswers, modelFixtures, namedInputs } from '../../support/model-fixtures';
import { temporaryDirectory } from '../../support/temporary-directory';

interface Entry {
  readonly shape: readonly number[];
  quantization?: { readonly dtype: 'uint8'; readonly scale: number; readonly min: number };
}

/** Stores the weights of a web model in 8 bits, steps of (max - min) / 255. */
function quantise(folder: string): void {
  const file = path.join(folder, 'model.json');
  const json = JSON.parse(readFileSync(file, 'utf8')) as { weightsManifest: [{ weights: Entry[] }] };
  const bytes = readFileSync(path.join(folder, 'weights.bin'));
  let at = 0;
  const stored = json.weightsManifest[0].weights.map((entry) => {
    const count = entry.shape.reduce((a, b) => a * b, 1);
    const numbers = Array.from({ length: count }, () => bytes.readFloatLE((at += 4) - 4));
    const min = Math.min(...numbers);
    const scale = (Math.max(...numbers) - min) / 255 || 1;
    entry.quantization = { dtype: 'uint8', scale, min };
    return Buffer.from(numbers.map((x) => Math.round((x - min) / scale)));
  });
  writeFileSync(file, JSON.stringify(json));
  writeFileSync(path.join(folder, 'weights.bin'), Buffer.concat(stored));
}

describe('weights that a file stores in 8 bits', () => {
  const base = temporaryDirectory();

  it('explain what Keras gives with the weights as they were, and no larger difference', async () => {
    const folder = path.join(base(), 'web');
    await convertModel(path.join(modelFixtures, 'lstm.keras'), { to: 'tfjs', out: folder });
    quantise(folder);
    const model = await openModelFile(folder);
    const { inputs, outputs } = (await fixtureAnswers('keras.npz')).get('lstm')!;
    const ask = async (by: number) => {
      const expected = outputs.map(({ data, shape }) => ({
        data: data.map((x, i) => (i === 3 ? x + by : x)),
        shape,
      }));
      const report = await checkModel(model, { inputs: namedInputs(model, inputs), expected, sides: [] });
      return report.sides[0].differences.flatMap(({ causes }) => causes);
    };
    const [cause, ...others] = await ask(0);
    expect(cause).to.include({ id: 'stored-weights' });
    expect(cause.words).to.include('explained by 8-bit weights');
    expect(others).to.deep.equal([]);
    expect(await ask(0.05)).to.deep.equal([]);
  });
});
