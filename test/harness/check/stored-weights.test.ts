import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import {
  checkModel,
  convertModel,
  generateInputs,
  runReference,
  tensorOf,
} from '../../../harness/check/index';
import { causeOfStorage, deviationsOf } from '../../../harness/check/stored-weights';
import { createRandom } from '../../../scratch/index';
import { openModelFile, type ModelDescription } from '../../../harness/models/index';
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

  it('explain outputs of which no weight moves one: that of a unit whose relu is shut', () => {
    const tensor = (shape: number[], ...numbers: number[]) => ({ data: Float64Array.from(numbers), shape });
    const model = (weight: number): ModelDescription => ({
      ...{ format: 'keras', writtenBy: 'test', notes: [], outputs: [{ of: 'dense' }] },
      inputs: [{ name: 'x', shape: [1] }],
      layers: [
        {
          ...{ name: 'dense', kind: 'Dense', reads: { of: 'x' }, output: [2] },
          config: { layer: 'dense', units: 2, activation: 'relu' },
          weights: { kernel: tensor([1, 2], weight, 1), bias: tensor([2], 0, -9) },
        },
      ],
      storage: { 'dense.kernel': { dtype: 'uint8', reach: 0.01 } },
    });
    const inputs = { x: tensor([1, 1], 1) };
    const causes = (weight: number, of = inputs.x) =>
      causeOfStorage(
        model(0.5),
        inputs,
        [tensorOf(runReference(model(weight), { x: of }), { of: 'dense' })],
        [[1e-7, 1e-7]],
      ).map(({ id }) => id);
    expect(causes(0.509)).to.deep.equal(['stored-weights']);
    expect(causes(0.6)).to.deep.equal([]);
    // the shut unit is open there: no weight within its reach does that
    expect(causes(0.05, tensor([1, 1], 10))).to.deep.equal([]);
  });

  it('are the deviations by which weights within half a step of theirs scatter the outputs', async () => {
    const model = await openModelFile(path.join(modelFixtures, 'functional-states.keras'));
    const inputs = generateInputs(model, { seed: 1 });
    const reach = 1e-3;
    const spread = deviationsOf(model, inputs, () => reach);
    const random = createRandom(5);
    const draws = 300;
    const squares = spread.map(({ exact }) => new Float64Array(exact.data.length));
    for (let k = 0; k < draws; k++) {
      const layers = model.layers.map((layer) => ({
        ...layer,
        weights: Object.fromEntries(
          Object.entries(layer.weights).map(([name, { data, shape }]) => [
            name,
            { data: data.map((w) => w + reach * (2 * random.uniform() - 1)), shape },
          ]),
        ),
      }));
      const runs = runReference({ ...model, layers }, inputs);
      model.outputs.forEach((source, n) => {
        tensorOf(runs, source).data.forEach((y, i) => (squares[n][i] += (y - spread[n].exact.data[i]) ** 2));
      });
    }
    // the deviation of 300 draws is known within 1 / sqrt(600) = 4 %: five of these
    spread.forEach(({ sigma }, n) => {
      sigma.forEach((s, i) => expect(Math.sqrt(squares[n][i] / draws) / s).to.be.within(0.8, 1.2));
    });
  });

  it('and so are those of a scheme that the file does not say: a scale for each column, no zero point', async () => {
    const file = path.join(modelFixtures, 'bidirectional-lstm.keras');
    const model = await openModelFile(file);
    const inputs = generateInputs(model, { seed: 1 });
    /** Steps of max |w| / levels for every column by itself. */
    const causesWith = async (levels: number): Promise<string> => {
      const layers = model.layers.map((layer) => ({
        ...layer,
        weights: Object.fromEntries(
          Object.entries(layer.weights).map(([name, { data, shape }]) => {
            const width = shape[shape.length - 1];
            const column = (i: number) => data.filter((_, k) => k % width === i % width);
            const step = (i: number): number => Math.max(...column(i).map(Math.abs)) / levels || 1;
            return [name, { data: data.map((w, i) => step(i) * Math.round(w / step(i))), shape }];
          }),
        ),
      }));
      const runs = runReference({ ...model, layers }, inputs);
      const expected = model.outputs.map((source) => tensorOf(runs, source));
      const report = await checkModel(model, { inputs, expected, sides: [] });
      return report.sides[0].differences.flatMap(({ causes }) => causes.map(({ words }) => words)).join();
    };
    expect(await causesWith(127)).to.match(/explained by 8-bit weights/);
    // 16 bits of them are within rounding here
    expect(await causesWith(16_383)).to.match(/explained by 16-bit weights/);
    expect(await causesWith(7)).to.equal('');
  });
});
