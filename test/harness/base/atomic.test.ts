import { execFile, execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import {
  makeDirectory,
  removeLeftovers,
  replaceTogether,
  writeFileAtomic,
  writeFilesAtomic,
} from '../../../harness/base/files/index';
import { UsageError } from '../../../harness/base/outcome';
import { program, runToEnd, type Ended } from '../../support/program';
import { runCli } from '../../support/run-cli';
import { temporaryDirectory } from '../../support/temporary-directory';

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(UsageError);
  return (error as UsageError).message;
}

/**
 * A command line under a limit of KB for every file, by the system: a write that crosses the limit is short, the next one fails. Just
 * so a disk behaves that becomes full.
 */
function limited(kilobytes: number, args: readonly string[], into?: string): Ended {
  const redirect = into === undefined ? '' : ` > ${into}`;
  const script = `ulimit -f ${kilobytes}; exec "$@"${redirect}`;
  return runToEnd('bash', ['-c', script, 'bash', process.execPath, program, ...args]);
}

describe('writeFileAtomic', () => {
  const base = temporaryDirectory();
  const file = (name: string): string => path.join(base(), name);

  it('replaces the file, keeps its mode, and leaves nothing alongside', async () => {
    writeFileSync(file('a'), 'old', { mode: 0o600 });
    await writeFileAtomic(file('a'), 'new');
    await writeFileAtomic(file('b'), new Uint8Array([1, 2, 3, 4]).subarray(1, 3));
    expect(readFileSync(file('a'), 'utf8')).to.equal('new');
    expect(statSync(file('a')).mode & 0o777).to.equal(0o600);
    expect([...readFileSync(file('b'))]).to.deep.equal([2, 3]);
    expect(readdirSync(base())).to.deep.equal(['a', 'b']);
  });

  it('replaces what a link points to, and not the link', async () => {
    mkdirSync(file('there'));
    writeFileSync(file('there/a'), 'old');
    symlinkSync(file('there/a'), file('link'));
    await writeFileAtomic(file('link'), 'new');
    expect(readFileSync(file('there/a'), 'utf8')).to.equal('new');
    expect(readdirSync(file('there'))).to.deep.equal(['a']);
  });

  it('writes where a link leads to nothing yet, through further links, and ends where links lead in a circle', async () => {
    mkdirSync(file('there'));
    symlinkSync('there/../there', file('folder'));
    symlinkSync('../new', file('there/second'));
    symlinkSync('folder/second', file('first'));
    await writeFileAtomic(file('first'), 'new');
    expect(readlinkSync(file('first'))).to.equal('folder/second');
    expect(readFileSync(file('new'), 'utf8')).to.equal('new');
    expect(readdirSync(base()).sort()).to.deep.equal(['first', 'folder', 'new', 'there']);
    symlinkSync('b', file('a'));
    symlinkSync('a', file('b'));
    expect(await refusal(writeFileAtomic(file('a'), 'new'))).to.match(/a cannot be written \(ELOOP/);
  });

  it('mixes no files of two writes at once that belong together', async () => {
    const names = ['a', 'b', 'c'].map(file);
    const all = (text: string) => writeFilesAtomic(names.map((name) => [name, text]));
    for (let i = 0; i < 5; i++) {
      await Promise.all([all('one'), all('other'), all('third')]);
      const found = names.map((name) => readFileSync(name, 'utf8'));
      expect(new Set(found).size, found.join()).to.equal(1);
    }
    expect(readdirSync(base()).sort()).to.deep.equal(['a', 'b', 'c']);
  });

  it('takes no name that is taken, as by another process of the same number in another container', async () => {
    let taken = '';
    function* files(): Generator<[string, string]> {
      yield [file('a'), 'new'];
      const [, count] = /-(\d+)\.tmp$/.exec(readdirSync(base())[0])!;
      taken = file(`b.${process.pid}-${Number(count) + 1}.tmp`);
      writeFileSync(taken, 'of another process');
      yield [file('b'), 'new'];
    }
    await writeFilesAtomic(files());
    expect(readFileSync(file('b'), 'utf8')).to.equal('new');
    expect(readFileSync(taken, 'utf8')).to.equal('of another process');
  });

  it('says in one line why it cannot, and what to do', async () => {
    mkdirSync(file('directory'));
    expect(await refusal(writeFileAtomic(file('none/a'), ''))).to.match(
      /none\/a cannot be written \(ENOENT.*make its directory/,
    );
    expect(await refusal(writeFileAtomic(file('directory'), ''))).to.match(/cannot be written \(EISDIR/);
    expect(await refusal(writeFileAtomic('/dev/full', 'a'))).to.match(
      /ENOSPC: no space left on device\); .*make room/,
    );
  });

  it('replaces all files that belong together or none: what was replaced is put back where one cannot be', async () => {
    writeFileSync(file('old'), 'old', { mode: 0o600 });
    function* files(): Generator<[string, string]> {
      yield [file('old'), 'new'];
      yield [file('none'), 'new'];
      yield [file('taken'), 'new'];
      // as another program may, after the last file was written and before it gets its name
      mkdirSync(file('taken/inside'), { recursive: true });
    }
    const message = await refusal(writeFilesAtomic(files()));
    expect(message)
      .to.match(/taken cannot be written \(E\w+: .*unchanged/)
      .and.not.include('put back');
    expect(readFileSync(file('old'), 'utf8')).to.equal('old');
    expect(statSync(file('old')).mode & 0o777).to.equal(0o600);
    expect(readdirSync(base()).sort()).to.deep.equal(['old', 'taken']);
    expect(readdirSync(file('taken'))).to.deep.equal(['inside']);
    await writeFilesAtomic([
      [file('old'), 'new'],
      [file('none'), 'new'],
    ]);
    expect(['old', 'none'].map((name) => readFileSync(file(name), 'utf8'))).to.deep.equal(['new', 'new']);
    expect(readdirSync(base()).sort()).to.deep.equal(['none', 'old', 'taken']);
  });

  it('puts a folder back where what belongs to it cannot be replaced', async () => {
    for (const name of ['model', 'model.new', 'taken/inside']) mkdirSync(file(name), { recursive: true });
    writeFileSync(file('model/a'), 'old');
    writeFileSync(file('model.new/a'), 'new');
    writeFileSync(file('proof.new'), '');
    const both = (proof: string) => [
      { temporary: file('model.new'), target: file('model') },
      { temporary: file('proof.new'), target: file(proof) },
    ];
    await refusal(replaceTogether(both('taken')));
    expect(readFileSync(file('model/a'), 'utf8')).to.equal('old');
    expect(readdirSync(base()).sort()).to.deep.equal(['model', 'taken']);
    mkdirSync(file('model.new'));
    writeFileSync(file('proof.new'), '');
    await replaceTogether(both('proof'));
    expect(readdirSync(file('model'))).to.deep.equal([]);
    expect(readdirSync(base()).sort()).to.deep.equal(['model', 'proof', 'taken']);
  });

  it('writes into a named pipe that is read, and does not wait for a reader', async () => {
    const pipe = file('pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await refusal(writeFileAtomic(pipe, 'a'))).to.match(
      /pipe cannot be written \(ENXIO.*start the program/,
    );
    const read = promisify(execFile)('cat', [pipe]);
    const written = async (): Promise<void> =>
      writeFileAtomic(pipe, 'result').catch(() =>
        new Promise((resolve) => setTimeout(resolve, 20)).then(written),
      );
    await written();
    expect((await read).stdout).to.equal('result');
    expect(statSync(pipe).isFIFO()).to.equal(true);
  });

  it('writes into a device and does not replace it', async () => {
    await writeFileAtomic('/dev/null', 'a');
    expect(statSync('/dev/null').isCharacterDevice()).to.equal(true);
  });

  it('knows its own leftovers from files of others', async () => {
    const names = ['a', 'a.12', 'a.12-3.tmp', 'a.12-4.old', 'a.bak', 'a.1.bak', 'b.12', 'a.12-3.tmp.gz'];
    for (const name of names) writeFileSync(file(name), '');
    await removeLeftovers([file('a')]);
    expect(readdirSync(base())).to.deep.equal(['a', 'a.1.bak', 'a.12', 'a.12-3.tmp.gz', 'a.bak', 'b.12']);
  });
});

describe('makeDirectory', () => {
  const base = temporaryDirectory();

  it('makes what is missing, and says which was the first', async () => {
    expect(await makeDirectory(path.join(base(), 'a', 'b', 'c'))).to.equal(path.join(base(), 'a'));
    expect(await makeDirectory(path.join(base(), 'a', 'b', 'c'))).to.equal(undefined);
    expect(statSync(path.join(base(), 'a', 'b', 'c')).isDirectory()).to.equal(true);
  });

  it('ends with what the system says where a directory cannot be: below a file, in /proc', async () => {
    writeFileSync(path.join(base(), 'file'), '');
    for (const place of [path.join(base(), 'file', 'a'), '/proc/rnn-parity/a'])
      expect(await makeDirectory(place).catch((error: unknown) => (error as Error).name)).to.equal('Error');
  });
});

describe('a disk that becomes full', function () {
  // whole command lines, on a machine that may be busy
  this.timeout(300_000);
  const base = temporaryDirectory();

  it('a report: exit code 2 with one line, the earlier report is unchanged', async () => {
    const file = path.join(base(), 'r.json');
    const args = ['parity', '--backends', 'cpu', '--only', 'edge/one-step', '--json', file];
    expect((await runCli(args)).exitCode).to.equal(0);
    const before = readFileSync(file, 'utf8');
    const full = limited(4, args);
    expect(full.code, full.err).to.equal(2);
    expect(full.err)
      .to.match(/^error: .*r\.json cannot be written \(EFBIG/m)
      .and.not.match(/\n    at /);
    expect(full.out, 'the result is not lost with its file').to.include('PARITY');
    expect(readFileSync(file, 'utf8')).to.equal(before);
    expect(readdirSync(base())).to.deep.equal(['r.json']);
  });

  it('stdout: exit code 2 with one line, no cut result with exit code 0', () => {
    const args = ['parity', '--backends', 'cpu', '--only', 'edge/one-step', '--json'];
    const { code, err } = limited(4, args, path.join(base(), 'out'));
    expect(code).to.equal(2);
    expect(err).to.include('error: the result cannot be written to stdout: EFBIG');
  });

  it('a checkpoint: exit code 2, the last whole one is there and continues', async () => {
    const out = path.join(base(), 'run');
    const args = (epochs: number): string[] =>
      `train --data memory --examples 60 --time-steps 4 --units 12 --model scratch --epochs ${epochs} --decay none --out ${out}`.split(
        ' ',
      );
    // the history in the checkpoint grows until it crosses the limit
    const full = limited(24, args(80));
    expect(full.code, full.err).to.equal(2);
    expect(full.err).to.match(/error: .*(checkpoint\.npz|history\.jsonl) cannot be written \(EFBIG/);
    expect(full.err).to.not.match(/\n    at /);
    expect(readdirSync(out).sort()).to.deep.equal(['checkpoint.npz', 'history.jsonl']);
    const resumed = await runCli(['train', '--resume', out]);
    expect(resumed.exitCode, resumed.stderr).to.equal(0);
  });
});
