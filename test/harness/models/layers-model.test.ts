import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { maskOf } from '../../../harness/training/data/index';
import { load, maskValue, readSavedModel, save } from '../../../harness/models/index';
import { UsageError } from '../../../harness/base/outcome';
import {
  createRandom,
  initialClassifierWeights,
  ScratchSimpleRNNClassifier,
  weightNames,
} from '../../../scratch/index';

const folder = mkdtempSync(join(tmpdir(), 'layers-'));
after(() => rmSync(folder, { recursive: true }));

function network(seed: number): ScratchSimpleRNNClassifier {
  const sizes = { features: 3, units: 8, classes: 4 };
  const weights = initialClassifierWeights({ ...sizes, seed });
  const random = createRandom(seed + 1);
  // Numbers that float32 cannot hold, as training leaves them.
  for (const name of weightNames)
    weights[name].data.forEach((x, i) => (weights[name].data[i] = x + 0.3 * random.normal()));
  return new ScratchSimpleRNNClassifier({ ...sizes, weights });
}

async function plainPredictions(
  directory: string,
  inputs: { shape: readonly number[]; data: ArrayLike<number> },
): Promise<number[]> {
  const file = join(folder, 'inputs.json');
  writeFileSync(file, JSON.stringify({ shape: inputs.shape, data: Array.from(inputs.data) }));
  const script = join(__dirname, '../../support/plain-tfjs.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, directory, file]);
  return JSON.parse(stdout.slice(stdout.indexOf('['))) as number[];
}

describe('a saved model', () => {
  it('opens in plain TensorFlow.js and predicts the same classes', async () => {
    const model = network(1);
    const directory = join(folder, 'plain');
    await save(model, directory);
    const random = createRandom(2);
    const inputs = {
      shape: [300, 6, 3],
      data: Float64Array.from({ length: 300 * 6 * 3 }, () => Math.fround(random.normal())),
    };
    const classes = await plainPredictions(directory, inputs);
    expect(classes).to.eql(Array.from(model.predict(inputs)));
    expect(new Set(classes).size).to.equal(4);
  });

  it('opens there with masks too: steps that hold the mask value are skipped', async () => {
    const model = network(3);
    const directory = join(folder, 'masked');
    await save(model, directory, { masked: true });
    const random = createRandom(4);
    const lengths = Int32Array.from({ length: 200 }, () => 1 + random.integer(6));
    const data = Float64Array.from({ length: 200 * 6 * 3 }, () => Math.fround(random.normal()));
    const inputs = { shape: [200, 6, 3], data };
    const mask = maskOf(lengths, 6);
    if (mask === undefined) throw new Error('no sequence was short');
    const padded = data.map((x, i) => (mask.data[Math.floor(i / 3)] === 1 ? x : maskValue));
    const classes = await plainPredictions(directory, { shape: inputs.shape, data: padded });
    expect(classes).to.eql(Array.from(model.predict(inputs, { mask })));
    // The mask matters: without it other classes come out.
    expect(classes).not.to.eql(Array.from(model.predict(inputs)));
  });

  it('loads back on every side, in full precision', async () => {
    const model = network(5);
    const directory = join(folder, 'sides');
    await save(model, directory, { classNames: ['a', 'b', 'c', 'd'] });
    const scratch = await load(directory);
    expect(scratch.classifier.name).to.equal('scratch');
    for (const name of weightNames)
      expect(Array.from(scratch.classifier.getWeights()[name].data)).to.eql(
        Array.from(model.getWeights()[name].data),
      );
    const { classifier } = await load(directory, { side: 'tfjs', backend: 'cpu' });
    const inputs = { shape: [5, 2, 3], data: Float64Array.from({ length: 30 }, (_, i) => Math.sin(i)) };
    expect(Array.from(classifier.predict(inputs))).to.eql(Array.from(model.predict(inputs)));
    classifier.dispose();
  });

  it('is refused with a reason when its files are no such model', async () => {
    const directory = join(folder, 'bad');
    await save(network(7), directory);
    // without its own checksum, which would refuse every change alike
    const sound = readFileSync(join(directory, 'model.json'), 'utf8').replace(/,\s*"model.json": "\w+"/, '');
    const refusal = async (text: string): Promise<string> => {
      writeFileSync(join(directory, 'model.json'), text);
      return readSavedModel(directory).then(
        () => 'accepted',
        (error: unknown) => (error instanceof UsageError ? error.message : `crashed: ${String(error)}`),
      );
    };
    expect(await refusal('{')).to.match(/is not JSON/);
    expect(await refusal('null')).to.match(/has no modelTopology/);
    const { modelTopology } = JSON.parse(sound) as { modelTopology: unknown };
    for (const weightsManifest of [3, null, [null], [{ weights: 3 }], [{ weights: [null, 3] }]])
      expect(
        await refusal(
          JSON.stringify({ modelTopology, weightsManifest, userDefinedMetadata: weightsManifest }),
        ),
      ).to.match(/names the weight files|has the weight null/);
    expect(await refusal(sound.replace('simple_rnn/bias', 'gru/bias'))).to.match(/simple_rnn.*bias/);
    expect(await refusal(sound.replace('"weights.bin"', '"../weights.bin"'))).to.match(/plain file names/);
    expect(await refusal(sound.replace('"shape": [\n            3,', '"shape": [\n            4,'))).to.match(
      /kernel \[4, 8\]|declares \d+/,
    );
    expect(await refusal(sound.replace('"units": 8', '"units": 1000000000'))).to.match(/1000000000/);
    expect(await refusal(sound)).to.equal('accepted');
    writeFileSync(join(directory, 'weights.bin'), Buffer.alloc(7));
    expect(await refusal(sound)).to.match(/SHA-256/);
    expect(await readSavedModel(join(folder, 'none')).catch((e: unknown) => (e as Error).message)).to.match(
      /does not exist/,
    );
  });
});
