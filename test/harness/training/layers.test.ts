import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { loadNetwork } from '../../../harness/models/index';
import { train, type TrainChoices } from '../../../harness/training/index';
import { runInOneProgram } from '../../support/program';
import { runCli } from '../../support/run-cli';
import { temporaryDirectory } from '../../support/temporary-directory';

/** 24 sequences of 2 to 4 steps of two classes. */
function table(labels: readonly [string, string] = ['even', 'odd']): string {
  const rows = Array.from({ length: 24 }, (_, n) =>
    Array.from({ length: 2 + (n % 3) }, (_step, t) =>
      [`s${n}`, t, Math.sin(n * 7 + t), (n % 2) * 2 - t, labels[n % 2]].join(),
    ),
  );
  return ['sequence,step,x,y,label', ...rows.flat()].join('\n');
}

describe('training networks of layers', () => {
  const base = temporaryDirectory();
  const here = process.cwd();
  beforeEach(() => {
    process.chdir(base());
    writeFileSync('a.csv', table());
  });
  afterEach(() => process.chdir(here));
  const small = '--epochs 3 --batch-size 5 --learning-rate 0.02'.split(' ');
  const run = async (...args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await runCli(args);
    expect(exitCode, stderr).to.equal(0);
    return stdout;
  };

  for (const layers of [
    'lstm:4',
    'bidirectional(gru:3:resetAfter=false),simpleRNN:3,dense:5:activation=relu',
  ])
    it(`trains, stops, resumes, predicts and measures ${layers} like any other network`, async () => {
      const [whole, stopped] = [path.join(base(), 'whole'), path.join(base(), 'stopped')];
      const choices: TrainChoices = {
        ...{ model: 'graph', layers, epochs: 3, batchSize: 5 },
        data: { source: 'a.csv' },
      };
      (await train(choices, { out: whole })).dispose();
      const controller = new AbortController();
      let batches = 0;
      const signal = { signal: controller.signal, onBatch: () => ++batches === 6 && controller.abort() };
      (await train(choices, { out: stopped, ...signal })).dispose();
      expect(existsSync(path.join(stopped, 'model.json'))).to.equal(false);
      (await train({}, { out: stopped, resume: true })).dispose();
      const weights = (directory: string) => readFileSync(path.join(directory, 'weights.npz'), 'hex');
      expect(weights(stopped)).to.equal(weights(whole));

      const predict = ['predict', '--model', whole, '--data', 'a.csv'];
      const lines = (await run(...predict)).split('\n');
      expect(lines[0]).to.match(/^s\d+\t(even|odd)\t0\.\d{4}$/);
      const [kept, all] = runInOneProgram([predict, [...predict, '--part', 'all']], { cwd: base() }).ended;
      expect(kept.err).to.contain('of 24 sequences that were kept back are used (--part all: every one)');
      expect(all.err).to.not.contain('kept back');
      expect(all.out.trim().split('\n')).to.have.length(24);
      expect(await run(...predict, '--side', 'scratch')).to.equal(lines.join('\n'));
      expect(await run('evaluate', '--model', whole, '--data', 'a.csv', '--part', 'all')).to.match(
        /^graph on all 24 sequences of a.csv\naccuracy \d+/,
      );
      expect(readFileSync(path.join(whole, 'report.html'), 'utf8')).to.contain(
        `${layers.split(',').at(-1)},dense:2 learns to`,
      );
    });

  it('lets both sides train a GRU on the same batches, and finds that they learn the same', async () => {
    const text = await run('train', '--data', 'a.csv', '--layers', 'gru:3:resetAfter=false', ...small, '--model', 'both', '--backend', 'cpu', '--out', 'both'); // prettier-ignore
    expect(text).to.contain('both sides learned the same within rounding');
  });

  it('reads integers by an embedding', async () => {
    const rows = Array.from({ length: 20 }, (_, n) =>
      [0, 1, 2].map((t) => `s${n},${(n * 5 + t * (1 + (n % 2))) % 7},${n % 2}`),
    );
    writeFileSync('tokens.csv', ['sequence,token,label', ...rows.flat()].join('\n'));
    const flags = ['--data', 'tokens.csv', '--layers', 'embedding:7:3,lstm:4', ...small, '--out', 'words'];
    const few = ['--data', 'tokens.csv', '--layers', 'embedding:2:3,lstm:4', ...small, '--out', 'few'];
    const { exitCode, stderr } = await runCli(['train', ...few]);
    expect({ exitCode, made: existsSync('few') }).to.deep.equal({ exitCode: 2, made: false });
    expect(stderr).to.match(/the data hold \d+; the embedding reads whole numbers from 0 to 1/);
    expect(stderr).to.not.include('looks like a bug');
    await run('train', ...flags);
    expect(await run('evaluate', '--model', 'words', '--data', 'tokens.csv')).to.contain('accuracy');
    const { network } = await loadNetwork('words');
    expect(network.config.features).to.equal(undefined);
    network.dispose();
  });

  it('starts from a model: its layers, its weights, its scaling, the order of its classes', async () => {
    await run(
      'train',
      '--data',
      'a.csv',
      '--layers',
      'lstm:4',
      ...small,
      '--model',
      'scratch',
      '--out',
      'first',
    );
    // the other way round, classes sort the other way
    writeFileSync('b.csv', table(['odd', 'even']));
    const again = '--epochs 1 --learning-rate 1e-12 --model scratch --validation 0 --out second'.split(' ');
    await run('train', '--data', 'a.csv', '--from', 'first', ...again);
    const predict = (model: string) => run('predict', '--model', model, '--data', 'a.csv', '--part', 'all');
    expect(await predict('second')).to.equal(await predict('first'));
    const refused = async (...args: readonly string[]) => {
      const { exitCode, stderr } = await runCli(['train', ...args, '--out', 'no']);
      expect(exitCode).to.equal(2);
      expect(existsSync('no')).to.equal(false);
      return stderr;
    };
    const from = ['--data', 'a.csv', '--from', 'first'];
    expect(await refused(...from, '--units', '3')).to.contain('--units 3 is the size of the simple RNN');
    expect(await refused(...from, '--layers', 'gru:3')).to.contain('--from');
    writeFileSync('c.csv', table(['left', 'right']));
    expect(await refused('--data', 'c.csv', '--from', 'first')).to.match(
      /labels the model does not know: left, right; it knows even, odd/,
    );
    expect(await refused(...from, '--feature-columns', 'x')).to.match(/has 1 features, the model takes 2/);
    expect(await refused(...from, '--feature-columns', 'y,x')).to.match(
      /has the features y, x but the model was trained on x, y; put them in that order/,
    );
    // columns are found by name, as predict finds them: in another order, and among others
    const [head, ...rows] = table()
      .split('\n')
      .map((line) => line.split(','));
    const turned = [head, ...rows].map(([id, step, x, y, label], i) => [id, step, i && 7, label, y, x]);
    turned[0][2] = 'z';
    writeFileSync('d.csv', turned.map((row) => row.join()).join('\n'));
    await run('train', '--data', 'd.csv', '--from', 'first', ...again.slice(0, -1), 'third');
    expect(await predict('third')).to.equal(await predict('first'));
  });

  it('refuses layers that do not fit the data, in one line, before anything is written', async () => {
    for (const [layers, says] of [
      ['lstm:4,dense:3', /ends with 3 outputs, the data have 2 classes; write dense:2/],
      ['lstm:4:returnSequences=true', /gives an output at every time step/],
      ['embedding:5:2,lstm:3', /reads one integer a time step; the data have 2 features/],
      ['lstm:4:units=3:colour=red', /colour/],
      ['lstn:4', /"lstn:4" is not a layer/],
      ['lstm:1000000000', /--layers: .* bytes/],
    ] as const) {
      const { exitCode, stderr } = await runCli([
        'train',
        '--data',
        'a.csv',
        '--layers',
        layers,
        '--out',
        'x',
      ]);
      expect(exitCode, layers).to.equal(2);
      expect(stderr).to.match(says);
      expect(existsSync('x'), layers).to.equal(false);
    }
  });
});
