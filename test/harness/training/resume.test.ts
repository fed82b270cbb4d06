import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { formatNpz, isStringArray, readNpz, type ArrayToWrite } from '../../../harness/base/files/index';
import { readCheckpoint } from '../../../harness/training/checkpoint';
import { runCli } from '../../support/run-cli';
import { temporaryDirectory } from '../../support/temporary-directory';

describe('a run that is continued', () => {
  const base = temporaryDirectory();
  const here = process.cwd();
  afterEach(() => process.chdir(here));
  const rows = Array.from({ length: 40 }, (_, n) => `s${n},${n % 2 === 0 ? 0.5 : -0.5},${n % 2}`);
  const flags = '--model scratch --units 3 --epochs 2 --out run'.split(' ');

  async function started(): Promise<string> {
    process.chdir(base());
    writeFileSync('a.csv', ['sequence,x,label', ...rows].join('\n'));
    const { exitCode, stderr } = await runCli(['train', '--data', './a.csv', ...flags]);
    expect(exitCode, stderr).to.equal(0);
    return path.join(base(), 'run');
  }

  it('finds its data from another directory, and takes the same data under another path, not other data', async () => {
    const run = await started();
    // as a run that was never stopped
    expect((await runCli(['train', '--resume', 'run'])).exitCode).to.equal(0);
    const config = JSON.parse(readFileSync(path.join(run, 'config.json'), 'utf8')) as {
      settings: { data: { source: string } };
    };
    expect(config.settings.data.source).to.equal('./a.csv');
    mkdirSync(path.join(base(), 'elsewhere'));
    process.chdir(path.join(base(), 'elsewhere'));
    expect((await runCli(['train', '--resume', run])).exitCode).to.equal(0);
    expect((await runCli(['train', '--resume', '../run'])).exitCode).to.equal(0);
    cpSync('../a.csv', 'copy.csv');
    const copied = await runCli(['train', '--resume', run, '--data', 'copy.csv']);
    expect(copied.exitCode, copied.stderr).to.equal(0);
    writeFileSync('other.csv', readFileSync('copy.csv', 'utf8').replace('0.5', '0.75'));
    const other = await runCli(['train', '--resume', run, '--data', 'other.csv']);
    expect(other.exitCode).to.equal(2);
    expect(other.stderr).to.include('is not the data the run was started with');
  });

  it('refuses a damaged checkpoint in one line', async () => {
    const run = await started();
    const file = path.join(run, 'checkpoint.npz');
    const whole = readFileSync(file);
    const arrays = await readNpz(file);
    const text = arrays.get('meta');
    if (text === undefined || !isStringArray(text)) throw new Error('no meta');
    type Meta = Record<'settings' | 'data' | 'progress', Record<string, unknown>> & Record<string, unknown>;
    const damages: [what: string, change: (meta: Meta) => unknown][] = [
      ['no JSON', () => '{'],
      ['null', () => null],
      ['settings null', (meta) => ({ ...meta, settings: null })],
      ['data null', (meta) => ({ ...meta, data: null })],
      ['progress null', (meta) => ({ ...meta, progress: null })],
      ['members null', (meta) => ({ ...meta, members: null })],
      ['members empty', (meta) => ({ ...meta, members: [] })],
      ['units 1e9', (meta) => ({ ...meta, settings: { ...meta.settings, units: 1e9 } })],
      ['features', (meta) => ({ ...meta, data: { ...meta.data, features: 7 } })],
      [
        'position',
        (meta) => ({
          ...meta,
          progress: { ...meta.progress, position: { epoch: 1, batch: 1e6, randomState: [], partial: {} } },
        }),
      ],
      ['position null', (meta) => ({ ...meta, progress: { ...meta.progress, position: null } })],
      ['history', (meta) => ({ ...meta, progress: { ...meta.progress, history: 3 } })],
      ['history null', (meta) => ({ ...meta, progress: { ...meta.progress, history: null } })],
      ['an epoch null', (meta) => ({ ...meta, progress: { ...meta.progress, history: [null] } })],
      ['a side null', (meta) => ({ ...meta, progress: { ...meta.progress, history: [{ sides: [null] }] } })],
      ['sums null', (meta) => ({ ...meta, progress: { ...meta.progress, sums: null } })],
      ['a sum null', (meta) => ({ ...meta, progress: { ...meta.progress, sums: [null] } })],
      ['a step null', (meta) => ({ ...meta, progress: { ...meta.progress, comparisons: [null] } })],
    ];
    for (const [what, change] of damages) {
      const changed = change(JSON.parse(text.data[0]) as Meta);
      const meta = typeof changed === 'string' ? changed : JSON.stringify(changed);
      const entries: Record<string, ArrayToWrite> = Object.fromEntries(arrays) as never;
      writeFileSync(file, await formatNpz({ ...entries, meta: { shape: [1], data: [meta] } }));
      const { exitCode, stderr } = await runCli(['train', '--resume', run]);
      expect(exitCode, what).to.equal(2);
      expect(stderr, what)
        .to.match(/^error: .*checkpoint.*\n$/)
        .and.not.include('bug of rnn-parity');
    }
    for (let at = 0; at < whole.length; at += 611) {
      const flipped = Buffer.from(whole);
      flipped[at] ^= 1;
      writeFileSync(file, flipped);
      // a bit that no reader looks at (a time of day) changes nothing; every other one is found
      const found = await readCheckpoint(file).catch((error: unknown) => (error as Error).name);
      if (typeof found === 'string') expect(found).to.equal('UsageError');
      else {
        writeFileSync(file, whole);
        expect(found).to.deep.equal(await readCheckpoint(file));
      }
    }
  });

  it('trains on the fastest engine by default, and leaves nothing behind when it cannot', async () => {
    process.chdir(base());
    const data = '--data memory --examples 40 --time-steps 3 --units 3 --epochs 1'.split(' ');
    const { exitCode, stderr } = await runCli(['train', ...data]);
    expect(exitCode, stderr).to.equal(0);
    const config = JSON.parse(readFileSync('runs/memory-1/config.json', 'utf8')) as {
      settings: { model: string };
    };
    expect(config.settings.model).to.equal('scratch');
    expect((await runCli(['train', '--data', 'none.csv'])).exitCode).to.equal(2);
    expect(readdirSync('runs')).to.deep.equal(['memory-1']);
    expect((await runCli(['train', '--data', 'none.csv', '--out', 'new/deep'])).exitCode).to.equal(2);
    expect(readdirSync('.')).to.deep.equal(['runs']);
  });
});
