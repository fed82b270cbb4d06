import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { writeFilesAtomic } from '../../../harness/base/files/index';
import { claimDirectory, lockDirectory, save } from '../../../harness/models/index';
import { ScratchNetwork, ScratchSimpleRNNClassifier } from '../../../scratch/index';
import { UsageError } from '../../../harness/base/outcome';
import { temporaryDirectory } from '../../support/temporary-directory';

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => expect.fail('it was not refused'),
    (error: unknown) => {
      expect(error).to.be.instanceOf(UsageError);
      return (error as UsageError).message;
    },
  );

describe('the directory of a run', () => {
  const base = temporaryDirectory();
  const out = (): string => path.join(base(), 'deep', 'run');

  it('belongs to one run at a time, also within one process', async () => {
    const release = await claimDirectory(out(), false);
    expect(await refusal(claimDirectory(out(), false))).to.include(
      `in use by another run (process ${process.pid}`,
    );
    expect(await refusal(claimDirectory(out(), true))).to.include('in use by another run');
    expect(await refusal(lockDirectory(out()))).to.include('in use by another run');
    await release();
    await (
      await claimDirectory(out(), false)
    )();
  });

  it('gets a network of another realm, as the sandbox of a test runner has them', async () => {
    const network = new ScratchNetwork({ features: 2, layers: [{ layer: 'lstm', units: 2 }] });
    const { name, config } = network;
    const given = { name, config, getWeights: () => network.getWeights() };
    await save(runInNewContext('({ ...given })', { given }) as typeof network, out());
    expect(readdirSync(out())).to.include('model.json');
  });

  it('is taken by one of many that ask at once', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => claimDirectory(out(), true)));
    const taken = asked.filter(({ status }) => status === 'fulfilled');
    expect(taken.length).to.equal(1);
    expect(readdirSync(out())).to.deep.equal(['run.lock']);
  });

  it('is removed again when nothing was written, and nothing else is', async () => {
    await (
      await claimDirectory(out(), false)
    )();
    expect(readdirSync(base())).to.deep.equal([]);
    mkdirSync(path.join(base(), 'deep'));
    await (
      await claimDirectory(out(), false)
    )();
    expect(readdirSync(base())).to.deep.equal(['deep']);
    const release = await claimDirectory(out(), false);
    writeFileSync(path.join(out(), 'model.json'), '{}');
    await release();
    expect(readdirSync(out())).to.deep.equal(['model.json']);
  });

  it('is free again when the run that locked it is dead, or its process number belongs to another process now', async () => {
    mkdirSync(out(), { recursive: true });
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.on('exit', resolve));
    const host = os.hostname();
    for (const stale of [
      JSON.stringify({ pid: child.pid, host }),
      JSON.stringify({ pid: process.pid, host, started: '1' }),
      'cut',
      '',
    ]) {
      writeFileSync(path.join(out(), 'run.lock'), stale);
      const asked = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(out())));
      const taken = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(taken.length, stale).to.equal(1);
      await taken[0]();
    }
    expect(readdirSync(out())).to.deep.equal([]);
  });

  it('is free where its lock is a named pipe, which would block for ever', async () => {
    mkdirSync(out(), { recursive: true });
    execFileSync('mkfifo', [path.join(out(), 'run.lock')]);
    await (
      await lockDirectory(out())
    )();
    expect(readdirSync(out())).to.deep.equal([]);
  });

  it('is not taken from a run on another host, which cannot be asked', async () => {
    mkdirSync(out(), { recursive: true });
    const lock = path.join(out(), 'run.lock');
    writeFileSync(lock, JSON.stringify({ pid: 12, host: 'elsewhere' }));
    expect(await refusal(claimDirectory(out(), true)))
      .to.include('host elsewhere (process 12)')
      .and.include(lock);
    expect(readFileSync(lock, 'utf8')).to.include('elsewhere');
  });

  it('loses what killed writes left behind, and no file of others', async () => {
    mkdirSync(out(), { recursive: true });
    const names = ['checkpoint.npz', 'checkpoint.npz.12345', 'weights.bin.7-1.tmp', 'notes.12'];
    for (const name of names) writeFileSync(path.join(out(), name), '');
    await (
      await lockDirectory(out())
    )();
    expect(readdirSync(out())).to.deep.equal(['checkpoint.npz', 'checkpoint.npz.12345', 'notes.12']);
  });

  it('that is a file, a dangling link or below a file is refused in one line', async () => {
    const file = path.join(base(), 'file');
    writeFileSync(file, '');
    symlinkSync(path.join(base(), 'none', 'at all'), path.join(base(), 'link'));
    for (const wrong of [file, path.join(file, 'run'), path.join(base(), 'link')])
      expect(await refusal(claimDirectory(wrong, true))).to.match(
        /^\S.*(cannot be written to|not a directory).*$/,
      );
    expect(existsSync(path.join(base(), 'none'))).to.equal(false);
  });

  it('has the old model as a whole where a new one cannot be written', async () => {
    const directory = path.join(base(), 'model');
    const model = (seed: number) =>
      new ScratchSimpleRNNClassifier({ features: 1, units: 2, classes: 2, seed });
    await save(model(1), directory);
    const files = (): string[] =>
      readdirSync(directory).map((name) => name + readFileSync(path.join(directory, name)).toString('hex'));
    const before = files();
    // the last of its files: no name is as long as this one
    const long = path.join(directory, 'x'.repeat(250));
    expect(
      await refusal(
        writeFilesAtomic([
          [path.join(directory, 'weights.bin'), 'new'],
          [long, 'new'],
        ]),
      ),
    ).to.include('ENAMETOOLONG');
    expect(files()).to.deep.equal(before);
    await save(model(2), directory);
    const [names, changed] = [(all: string[]) => all.map((one) => one.slice(0, 9)), files()];
    expect(names(changed)).to.deep.equal(names(before));
    expect(changed.filter((one, i) => one === before[i])).to.deep.equal([]);
  });
});
