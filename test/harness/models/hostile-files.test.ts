import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { layersModelText, openModelFile, toLayersModel } from '../../../harness/models/index';
import { modelFixtures } from '../../support/model-fixtures';
import { temporaryDirectory } from '../../support/temporary-directory';

type Layer = { class_name: string; name: string; config: Record<string, unknown> };
interface ModelJson {
  modelTopology: { config: { layers: Layer[] } };
  weightsManifest: [{ paths: string[]; weights: { name: string; shape: number[]; quantization?: object }[] }];
}

describe('model files that are damaged or hostile', () => {
  const base = temporaryDirectory();
  let text: string;
  let weights: Buffer;
  before(async () => {
    const written = toLayersModel(await openModelFile(path.join(modelFixtures, 'lstm.keras')));
    text = layersModelText(written);
    weights = written.weightData;
  });

  /** What opening the LayersModel says after a change. */
  async function refusal(change: (json: ModelJson) => void, bytes = weights): Promise<string> {
    const json = JSON.parse(text) as ModelJson;
    change(json);
    return refusalOf(JSON.stringify(json), bytes);
  }
  async function refusalOf(json: string, bytes = weights): Promise<string> {
    writeFileSync(path.join(base(), 'model.json'), json);
    writeFileSync(path.join(base(), 'weights.bin'), bytes);
    return openModelFile(base()).then(
      () => 'opened',
      (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
    );
  }

  it('opens what is sound', async () => {
    expect(await refusal(() => undefined)).to.equal('opened');
  });

  it('reads no file outside the folder of the model', async () => {
    for (const name of ['../weights.bin', '/etc/passwd', 'a/b.bin', '..', '.', '', 'a\\b', 'weights.bin\0']) {
      const said = await refusal(({ weightsManifest: [group] }) => (group.paths = [name]));
      expect(said, name).to.match(/^UsageError: .*plain file names were expected/);
    }
  });

  it('compares sizes with the files before memory is taken', async () => {
    const said = await refusal(
      ({ weightsManifest: [{ weights: list }] }) => (list[0].shape = [2 ** 20, 2 ** 20]),
    );
    expect(said).to.match(/^UsageError: .*(do not fit|declares)/);
    expect(await refusal(() => undefined, weights.subarray(4))).to.match(
      /^UsageError: .*declares \d+, so copy all files/,
    );
  });

  it('runs no code: a Lambda layer is refused', async () => {
    const said = await refusal(({ modelTopology }) => {
      modelTopology.config.layers[1].class_name = 'Lambda';
    });
    expect(said).to.match(/^UsageError: .*is Lambda, whose function is code, and no code of a file is run/);
  });

  it('names a layer and an option that it does not read', async () => {
    const conv = await refusal(({ modelTopology }) => (modelTopology.config.layers[1].class_name = 'Conv1D'));
    expect(conv).to.match(/layer lstm is Conv1D; read are InputLayer, Masking, .*--until LAYER/);
    const option = await refusal(
      ({ modelTopology }) => (modelTopology.config.layers[1].config['time_major'] = true),
    );
    expect(option).to.match(/layer lstm \(LSTM\) has time_major true/);
    const unknown = await refusal(
      ({ modelTopology }) => (modelTopology.config.layers[1].config['surprise'] = 'yes'),
    );
    expect(unknown).to.match(/layer lstm \(LSTM\) has surprise yes/);
  });

  it('lists both sides when weights and layers do not fit', async () => {
    const said = await refusal(({ weightsManifest: [{ weights: list }] }) => (list[1].name = 'other/kernel'));
    expect(said).to.match(
      /lstm\.recurrentKernel \[4, 16\] is missing; other\/kernel \[4, 16\] belongs to no layer\. The layers need .*; the file holds /,
    );
  });

  it('refuses JSON that is nested without end', async () => {
    expect(await refusalOf(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).to.match(
      /^UsageError: .*nested deeper than 200 levels/,
    );
  });

  it('expands quantised weights as TensorFlow.js does, and says so', async () => {
    const json = JSON.parse(text) as ModelJson;
    const [{ weights: list }] = json.weightsManifest;
    const [first] = list;
    first.quantization = { dtype: 'uint8', scale: 0.5, min: -1 };
    const size = first.shape[0] * first.shape[1];
    writeFileSync(path.join(base(), 'model.json'), JSON.stringify(json));
    writeFileSync(
      path.join(base(), 'weights.bin'),
      Buffer.concat([Buffer.from(new Uint8Array(size).fill(3)), weights.subarray(4 * size)]),
    );
    const model = await openModelFile(base());
    expect(Array.from(model.layers[0].weights['kernel'].data)).to.deep.equal(new Array(size).fill(0.5));
    expect(model.notes.join()).to.include('weights are stored as uint8');
    expect(model.storage).to.deep.equal({ 'lstm.kernel': { dtype: 'uint8', reach: 0.25 } });
  });

  it('refuses a cut or changed archive', async () => {
    const bytes = readFileSync(path.join(modelFixtures, 'lstm.keras'));
    const file = path.join(base(), 'model.keras');
    writeFileSync(file, bytes.subarray(0, bytes.length - 30));
    expect(await openModelFile(file).catch((error: unknown) => (error as Error).message)).to.match(
      /not a sound zip archive/,
    );
    const changed = Buffer.from(bytes);
    changed[1200] ^= 4;
    writeFileSync(file, changed);
    expect(await openModelFile(file).catch((error: unknown) => (error as Error).name)).to.equal('UsageError');
  });
});
