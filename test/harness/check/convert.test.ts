import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { convertModel } from '../../../harness/check/index';
import { clearLeftovers } from '../../../harness/check/leftovers';
import { openModelFile, save, writeModel } from '../../../harness/models/index';
import { ScratchNetwork } from '../../../scratch/index';
import { testedBackends } from '../../support/backends';
import { fixtureAnswers, modelFixtures } from '../../support/model-fixtures';
import { temporaryDirectory } from '../../support/temporary-directory';

describe('conversion to TensorFlow.js', () => {
  const base = temporaryDirectory();
  const convertToTfjs = (from: string, out: string) => convertModel(from, { to: 'tfjs', out });
  const file = (name: string): string => path.join(modelFixtures, `${name}.keras`);

  for (const name of ['lstm', 'bidirectional-lstm', 'functional-states', 'embedding-mask'])
    it(`makes of ${name}.keras what plain tf.loadLayersModel opens, and predicts what Keras does`, async () => {
      const out = path.join(base(), name);
      const report = await convertToTfjs(file(name), out);
      expect(report.verdict).to.equal('parity');
      expect(readdirSync(out).toSorted()).to.deep.equal(['model.json', 'parity.json', 'weights.bin']);
      await tf.setBackend('cpu');
      const { modelTopology, weightsManifest } = JSON.parse(
        readFileSync(path.join(out, 'model.json'), 'utf8'),
      ) as {
        modelTopology: object;
        weightsManifest: [{ weights: tf.io.WeightsManifestEntry[] }];
      };
      const bytes = new Uint8Array(readFileSync(path.join(out, 'weights.bin')));
      const artifacts = { modelTopology, weightSpecs: weightsManifest[0].weights, weightData: bytes.buffer };
      const model = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
      const { inputs, outputs } = (await fixtureAnswers('keras.npz')).get(name)!;
      const tensors = inputs.map(({ data, shape }) => tf.tensor(Float32Array.from(data), [...shape]));
      const found = [model.predict(tensors.length === 1 ? tensors[0] : tensors)].flat()[0].dataSync();
      // float32, at most 6 steps and 3 layers: far below 2000 roundings
      outputs[0].data.forEach((y, i) => expect(found[i]).to.be.closeTo(y, 2000 * 2 ** -24));
      tf.dispose(tensors);
      model.dispose();
    });

  it('refuses by name what TensorFlow.js does not have, and leaves nothing behind', async () => {
    const out = path.join(base(), 'none');
    const error = await convertToTfjs(file('gru'), out).catch((found: unknown) => found as Error);
    expect((error as Error).message).to.match(
      /layer gru \(GRU\) is a GRU that resets after the product.*`rnn-parity import --from MODEL --out DIR`/,
    );
    expect(existsSync(out)).to.equal(false);
  });

  it('says what a run does besides its layers: inputs that it standardises, and the names of its classes', async () => {
    const run = path.join(base(), 'run');
    const layers = [
      { layer: 'lstm', units: 2 },
      { layer: 'dense', units: 2 },
    ] as const;
    const standardisation = { mean: [1], scale: [2] };
    const network = new ScratchNetwork({ features: 1, layers });
    await save(network, run, { classNames: ['no', 'yes'], standardisation });
    const { notes } = await convertModel(run, { to: 'npz', out: `${run}.npz` });
    expect(notes.join()).to.match(/the layers read standardised inputs.*its outputs are the classes no, yes/);
  });

  it('refuses a layer that would run by another rule about masked steps, also where nothing proves it', async () => {
    const out = path.join(base(), 'other');
    const says = async (work: Promise<unknown>) =>
      (await work.catch((error: unknown) => error as Error)) as Error;
    const refusal =
      /layer decoder \(LSTM\) runs under a mask, and does not see the mask .*; TensorFlow\.js repeats/;
    expect((await says(convertToTfjs(file('masked-states'), out))).message).to.match(refusal);
    expect(readdirSync(base())).to.not.include('other');
    const model = await openModelFile(file('masked-states'));
    expect((await says(writeModel(model, 'tfjs'))).message).to.match(refusal);
    const zeros = await openModelFile(file('masking-zero-output'));
    expect((await says(writeModel(zeros, 'tfjs'))).message).to.match(/gives zeros at masked steps/);
    // and the other way round: what repeats its states has no form in Keras where it has initial ones
    const layers = model.layers.map((layer) => ({ ...layer, maskedRows: 'state' as const }));
    for (const format of ['keras', 'npz'] as const)
      expect((await says(writeModel({ ...model, layers }, format))).message).to.match(
        /layer decoder \(LSTM\) .* gives at a masked step the state, .*; Keras 3 passes no mask/,
      );
    await writeModel({ ...model, layers }, 'tfjs');
  });

  it('refuses weights that float32 cannot hold before anything is written, in every format that keeps float32', async () => {
    const model = await openModelFile(file('gru'));
    const layers = model.layers.map((layer) => {
      const large = Object.entries(layer.weights).map(([name, { shape, data }]) => [
        name,
        { shape, data: data.map(() => 1e39) },
      ]);
      return { ...layer, weights: Object.fromEntries(large) as typeof layer.weights };
    });
    for (const format of ['tfjs', 'keras', 'onnx', 'savedmodel'] as const)
      expect(await writeModel({ ...model, layers }, format, 'my model').catch(String), format).to.match(
        /UsageError: my model: gru\.kernel holds 1e\+39 at position 0; .* as float32/,
      );
  });

  it('leaves a folder that exists alone', async () => {
    const error = await convertToTfjs(file('lstm'), base()).catch((found: unknown) => found as Error);
    expect((error as Error).message).to.match(/exists already and is left alone/);
  });
});

describe('conversion onto something that exists, with force', () => {
  const base = temporaryDirectory();
  const lstm = path.join(modelFixtures, 'lstm.keras');
  const refusal = (from: string, to: 'tfjs' | 'keras' | 'npz', out: string): Promise<string> =>
    convertModel(from, { to, out, force: true }).then(
      () => 'was converted',
      (error: unknown) => (error as Error).message,
    );
  const at = (...names: string[]): string => path.join(base(), ...names);

  it('never removes a file that convert did not write', async () => {
    mkdirSync(at('project', 'src'), { recursive: true });
    writeFileSync(at('project', 'thesis.txt'), 'years of work');
    expect(await refusal(lstm, 'tfjs', at('project'))).to.match(
      /holds src, thesis.txt, which convert does not write/,
    );
    expect(await refusal(lstm, 'keras', at('project'))).to.match(/is a folder, and --to keras makes a file/);
    expect(await refusal(lstm, 'tfjs', at('project', 'thesis.txt'))).to.match(
      /is a file, and --to tfjs makes/,
    );
    expect(readdirSync(at('project'))).to.deep.equal(['src', 'thesis.txt']);
  });

  it('removes no file that is put there while it runs', async () => {
    mkdirSync(at('web'));
    const converted = refusal(lstm, 'tfjs', at('web'));
    const begins = (name: string): boolean => name.startsWith(`web.${process.pid}-`);
    while (!readdirSync(base()).some(begins)) await new Promise(setImmediate);
    writeFileSync(at('web', 'thesis.txt'), 'years of work');
    expect(await converted).to.match(/holds thesis.txt, which convert does not write/);
    expect(readFileSync(at('web', 'thesis.txt'), 'utf8')).to.equal('years of work');
    expect(readdirSync(base())).to.deep.equal(['web']);
  });

  it('goes by itself where another one writes there at once: each is whole, and none replaces the other unasked', async () => {
    const convert = (force: boolean) => convertModel(lstm, { to: 'tfjs', out: at('web'), force });
    const asked = await Promise.allSettled([false, false].map(convert));
    const reasons = asked.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    expect(reasons).to.have.length(1);
    expect(reasons[0]).to.match(/web exists already and is left alone/);
    await Promise.all([true, true].map(convert));
    expect(readdirSync(base())).to.deep.equal(['web']);
    expect(readdirSync(at('web')).toSorted()).to.deep.equal(['model.json', 'parity.json', 'weights.bin']);
  });

  it('refuses a name that is that of another format', async () => {
    expect(await refusal(lstm, 'npz', at('a.onnx'))).to.match(/a\.onnx must end in \.npz/);
    expect(await refusal(lstm, 'keras', at('a.h5'))).to.match(/a\.h5 must end in \.keras/);
    expect(await refusal(lstm, 'tfjs', at('a.keras'))).to.match(
      /the name of a \.keras file, and --to tfjs makes a folder/,
    );
    expect(readdirSync(base())).to.deep.equal([]);
  });

  it('never replaces the model that it reads', async () => {
    cpSync(lstm, at('own.keras'));
    expect(await refusal(at('own.keras'), 'keras', at('own.keras'))).to.match(
      /would replace the model that is/,
    );
    await convertModel(lstm, { to: 'tfjs', out: at('web') });
    for (const from of [at('web'), at('web', 'model.json')])
      expect(await refusal(from, 'tfjs', at('web'))).to.match(/would replace the model that is read/);
    // a file of its folder, and the model by another name
    for (const [to, name] of [
      ['keras', 'model.json'],
      ['npz', 'weights.bin'],
    ] as const)
      expect(await refusal(at('web'), to, at('web', name))).to.match(/would replace the model that is read/);
    symlinkSync(at('own.keras'), at('link.keras'));
    expect(await refusal(at('own.keras'), 'keras', at('link.keras'))).to.match(/would replace the model/);
    expect(readFileSync(at('own.keras')).equals(readFileSync(lstm))).to.equal(true);
  });

  it('replaces a folder of an earlier conversion, and leaves nothing besides', async () => {
    await convertModel(lstm, { to: 'tfjs', out: at('web') });
    await convertModel(path.join(modelFixtures, 'bidirectional-lstm.keras'), {
      to: 'tfjs',
      out: at('web'),
      force: true,
    });
    expect(readdirSync(at('web')).toSorted()).to.deep.equal(['model.json', 'parity.json', 'weights.bin']);
    expect(readdirSync(base()).toSorted()).to.deep.equal(['web']);
    expect(readFileSync(at('web', 'model.json'), 'utf8')).to.include('Bidirectional');
  });
});

describe('conversion to Keras', () => {
  const base = temporaryDirectory();

  it('writes a .keras file with its proof alongside, and replaces it only when asked', async () => {
    const out = path.join(base(), 'again.keras');
    const from = path.join(modelFixtures, 'keras2-forecast.h5');
    const report = await convertModel(from, { to: 'keras', out });
    expect(report.verdict).to.equal('parity');
    expect(readdirSync(base()).toSorted()).to.deep.equal(['again.keras', 'again.keras.parity.json']);
    const first = readFileSync(out);
    const error = await convertModel(from, { to: 'keras', out }).catch((found: unknown) => found as Error);
    expect((error as Error).message).to.match(/exists already and is left alone; .*--force/);
    const other = path.join(base(), 'other.keras');
    writeFileSync(`${other}.parity.json`, 'mine');
    const taken = await convertModel(from, { to: 'keras', out: other }).catch(
      (found: unknown) => found as Error,
    );
    expect((taken as Error).message).to.match(
      /other\.keras\.parity\.json, where the proof goes, exists already/,
    );
    const link = path.join(base(), 'link.keras');
    symlinkSync('other.keras', link);
    const linked = await convertModel(from, { to: 'keras', out: link }).catch(
      (found: unknown) => found as Error,
    );
    expect((linked as Error).message).to.equal((taken as Error).message);
    rmSync(link);
    expect(readdirSync(base())).to.not.include('other.keras');
    await convertModel(path.join(modelFixtures, 'gru.keras'), { to: 'keras', out, force: true });
    expect(readFileSync(out).equals(first)).to.equal(false);
    expect(readdirSync(base())).to.have.length(3);
  });

  it('replaces no folder by a proof, and never the model that it reads', async () => {
    const out = path.join(base(), 'mine.npz');
    const proof = `${out}.parity.json`;
    const refusal = (from: string): Promise<string> =>
      convertModel(from, { to: 'npz', out, force: true }).then(
        () => 'was converted',
        (error: unknown) => (error as Error).message,
      );
    const lstm = path.join(modelFixtures, 'lstm.keras');
    cpSync(lstm, proof);
    expect(await refusal(proof)).to.match(/is the model that is read; choose another name for --out/);
    rmSync(proof);
    mkdirSync(proof);
    expect(await refusal(lstm)).to.match(/where the proof goes, exists already and is left alone; [^,]*$/);
    expect(existsSync(out)).to.equal(false);
  });
});

describe('what a conversion that was killed leaves', () => {
  const base = temporaryDirectory();
  const at = (...names: string[]): string => path.join(base(), ...names);
  /** above the largest number of a process on Linux */
  const dead = 2 ** 22 + 1;
  const folderWith = (name: string, file: string, text: string): void => {
    mkdirSync(at(name));
    writeFileSync(at(name, file), text);
  };
  const listed = (): string[] => readdirSync(base()).toSorted();

  it('is put right by the next one: a folder that made room is there again, what was not finished is gone', async () => {
    folderWith(`web.${dead}-2.old`, 'model.json', 'old');
    folderWith(`web.${dead}-1.tmp`, 'model.json', 'new');
    writeFileSync(at(`web.${dead}-1.tmp`, `weights.bin.${dead}-1.tmp`), 'a part');
    writeFileSync(at(`web.${dead}-1.tmp.${dead}-3.tmp`), 'a part');
    writeFileSync(at(`web.parity.json.${dead}-2.tmp`), '{}');
    for (const name of ['web', 'web.parity.json']) await clearLeftovers(at(name));
    expect(listed()).to.deep.equal(['web']);
    expect(readFileSync(at('web', 'model.json'), 'utf8')).to.equal('old');
  });

  it('is removed where the new folder took its place', async () => {
    folderWith('web', 'model.json', 'new');
    folderWith(`web.${dead}-1.old`, 'model.json', 'old');
    await clearLeftovers(at('web'));
    expect(listed()).to.deep.equal(['web']);
    expect(readFileSync(at('web', 'model.json'), 'utf8')).to.equal('new');
  });

  it('is left alone where it has files of others, where its process runs, and where another folder took its place', async () => {
    const kept = ['web', `web.${dead}-1.tmp`, `web.${dead}-2.old`, `web.${process.pid}-1.old`];
    folderWith(kept[0], 'model.json', 'of the user');
    folderWith(kept[1], 'thesis.txt', 'years of work');
    folderWith(kept[2], 'model.json', 'old');
    folderWith(kept[3], 'model.json', 'of this process');
    writeFileSync(at(`web.${dead}-1.tmp.txt`), 'another file');
    await clearLeftovers(at('web'));
    expect(listed()).to.deep.equal([...kept, `web.${dead}-1.tmp.txt`].toSorted());
  });
});

describe('conversion to a SavedModel', () => {
  const base = temporaryDirectory();
  const names = ['functional-states', 'masking-bidirectional-gru', 'embedding-mask', 'batch-normalization'];

  // what tf.saved_model.load of TensorFlow 2.21 gives was compared once for all 75 fixtures: at most 1e-6 apart, in float32
  for (const name of testedBackends.includes('tensorflow') ? names : [])
    it(`writes ${name}.keras with the signature serving_default, which TensorFlow runs`, async () => {
      const out = path.join(base(), name);
      const report = await convertModel(path.join(modelFixtures, `${name}.keras`), { to: 'savedmodel', out });
      expect(report.verdict).to.equal('parity');
      expect(report.sides.map(({ tensors }) => tensors)).to.deep.equal([1]);
      expect(readdirSync(out).toSorted()).to.deep.equal(['parity.json', 'saved_model.pb']);
    });

  it('writes no SavedModel that gives something else', async () => {
    const out = path.join(base(), 'wrong');
    const model = await openModelFile(path.join(modelFixtures, 'masked-states.keras'));
    const layers = model.layers.map((layer) => ({ ...layer, maskedRows: 'output' as const }));
    const error = await convertModel({ ...model, layers }, { to: 'savedmodel', out }).catch(
      (found: unknown) => found as Error,
    );
    expect((error as Error).message).to.match(
      /layer decoder \(LSTM\) has initial states, and zeros at masked steps/,
    );
    expect(readdirSync(base())).to.not.include('wrong');
  });
});
