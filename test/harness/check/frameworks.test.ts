import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { checkModel, checkVerdict, convertModel, formatCheck } from '../../../harness/check/index';
import { Framework } from '../../../harness/sides/frameworks/index';
import { modelFixtures } from '../../support/model-fixtures';
import { temporaryDirectory } from '../../support/temporary-directory';
import { withRecorded } from '../../support/recorded-frameworks';

const lstm = path.join(modelFixtures, 'lstm.keras');
/** runs, and answers nothing */
const silent = path.join(__dirname, '..', '..', 'fixtures', 'frameworks', 'silent-python.sh');

describe('Keras and PyTorch as sides of check', () => {
  it('finds parity with what they answered, and says their versions', async () => {
    for (const name of ['keras', 'torch'] as const) {
      const report = await withRecorded(name, 'lstm', (python) =>
        checkModel(lstm, { sides: [name], python }),
      );
      expect(report.verdict, checkVerdict(report)).to.equal('parity');
      expect(report.sides[0].version).to.match(name === 'keras' ? /^Keras 3\./ : /^PyTorch 2\./);
      expect(report.sides[0].gradients).to.be.at.least(6);
    }
  });

  it('finds the layer where another model was answered for', async () => {
    const report = await withRecorded('keras', 'lstm-backwards', (python) =>
      checkModel(lstm, { sides: ['keras'], python }),
    );
    expect(report).to.include({ verdict: 'mismatch', exitCode: 1 });
    expect(report.sides[0].differences[0]).to.include({ layerNumber: 1 });
  });

  it('reports what the framework says when it cannot run a model, with exit code 3', async () => {
    const report = await withRecorded('torch', 'nothing-recorded', (python) =>
      checkModel(lstm, { sides: ['torch'], python }),
    );
    expect(report).to.include({ verdict: 'side not run', exitCode: 3 });
  });

  it('says in one sentence that the Python that was named does not run', async () => {
    const report = await checkModel(lstm, {
      sides: ['torch'],
      python: path.join(__dirname, 'no-python'),
    }).catch((error: unknown) => error as Error);
    expect(report).to.be.instanceOf(Error);
    expect((report as Error).message).to.match(/--python: .* does not run as Python 3\.8 or later/);
  });

  it('ends the process of a framework where the check itself is interrupted by an error', async () => {
    const children = (): number =>
      process.getActiveResourcesInfo().filter((resource) => resource === 'ProcessWrap').length;
    const before = children();
    const progress = (line: string): void => {
      if (line.startsWith('twin:cpu')) throw new Error('the terminal is gone');
    };
    await withRecorded('keras', 'lstm', async (python) => {
      const error = await checkModel(lstm, { sides: ['twin:cpu', 'keras'], python, progress }).catch(
        (thrown: unknown) => thrown,
      );
      expect((error as Error).message).to.equal('the terminal is gone');
      // a process that was forgotten is there by then; one that ended is gone
      await setTimeout(400);
    });
    expect(children()).to.equal(before);
  });

  it('lists every side with its gradients', async () => {
    const report = await withRecorded('keras', 'lstm', (python) =>
      checkModel(lstm, { sides: ['keras'], python }),
    );
    expect(formatCheck(report)).to.match(/keras \(Keras 3[^)]*\) +parity +14 +9 /);
  });

  it('says in words that the weights are too many to travel to its process', async () => {
    const weight = { data: new Float64Array(4e6), shape: [4e6] };
    const weights = Object.fromEntries(Array.from({ length: 24 }, (_, i) => [`weight${i}`, weight]));
    const layers = [{ name: 'one', config: { layer: 'identity' }, reads: { of: 'x' }, weights }];
    const error = await withRecorded('torch', 'lstm', async (python) => {
      const framework = await Framework.start('torch', { python });
      const found = await framework
        .run({ modelInputs: [], layers, inputs: {} })
        .catch((thrown: unknown) => thrown);
      await framework.stop();
      return found;
    });
    expect((error as Error).message).to.match(
      /the weights and inputs are 384 MB, and at most 375 MB travel to the process of torch; .*--until LAYER/,
    );
  });

  it('ends one that does not answer within the time limit, and says so', async () => {
    const report = await withRecorded('torch', 'lstm', () =>
      checkModel(lstm, { sides: ['torch'], python: silent, timeoutSeconds: 0.3 }),
    );
    expect(report).to.include({ verdict: 'side not run', exitCode: 3 });
    expect(report.sides[0].reason).to.match(/did not answer "start" within 0\.3 s/);
  });

  const base = temporaryDirectory();
  it('has Keras open what convert wrote, and writes nothing where Keras gives something else', async () => {
    for (const [recorded, verdict] of [
      ['lstm', 'parity'],
      ['lstm-backwards', 'mismatch'],
    ] as const) {
      const out = path.join(base(), `${recorded}.keras`);
      const report = await withRecorded('keras', recorded, (python) =>
        convertModel(lstm, { to: 'keras', out, python }),
      );
      expect(report.verdict, checkVerdict(report)).to.equal(verdict);
      expect(report.sides.map(({ name }) => name)).to.deep.equal(['expected', 'keras']);
      expect(existsSync(out)).to.equal(verdict === 'parity');
    }
  });
});
