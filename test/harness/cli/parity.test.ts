import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { runProgram, type Ended } from '../../support/program';
import { runCli } from '../../support/run-cli';
import { temporaryDirectory } from '../../support/temporary-directory';

const root = path.join(__dirname, '..', '..', '..');

const cli = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Ended =>
  runProgram(args, { env: { ...process.env, ...env } });

describe('rnn-parity parity, as a program', () => {
  const base = temporaryDirectory();

  it('parity: 0, a table on stdout, the report in a file that accounts for everything', async () => {
    const file = path.join(base(), 'report.json');
    const { code, out } = cli(['parity', '--backends', 'cpu', '--only', 'edge/one-*', '--json', file]);
    expect(code).to.equal(0);
    expect(out).to.include('tfjs:cpu').and.include('PARITY');
    for (const group of ['states', 'output', 'gradients']) expect(out).to.include(group);
    expect((await runCli(['parity', '--check-report', file])).exitCode).to.equal(0);

    const report = JSON.parse(readFileSync(file, 'utf8')) as { cases: { tensors: unknown[] }[] };
    report.cases[0].tensors.pop();
    writeFileSync(file, JSON.stringify(report));
    const damaged = await runCli(['parity', '--check-report', file]);
    expect(damaged.exitCode).to.equal(1);
    expect(damaged.stdout).to.include('not accounted for');
  });

  it('--json to stdout holds nothing else', () => {
    const { code, out, err } = cli(['parity', '--backends', 'cpu', '--only', 'edge/one-step', '--json', '-']);
    expect(code).to.equal(0);
    expect(JSON.parse(out)).to.include({ format: 'rnn-parity-report/1', verdict: 'parity' });
    expect(err).to.include('PARITY');
  });

  it('--junit, --html and --json to files; an earlier report is replaced, any other file is not', async () => {
    const [xml, json, html] = ['p.xml', 'p.json', 'p.html'].map((name) => path.join(base(), name));
    const files = ['--junit', xml, '--json', json, '--html', html];
    const args = ['parity', '--backends', 'cpu', '--only', 'edge/one-step', ...files];
    expect((await runCli(args)).exitCode).to.equal(0);
    expect(readFileSync(xml, 'utf8')).to.include('classname="tfjs:cpu" name="edge/one-step"');
    const page = readFileSync(html, 'utf8');
    expect(page).to.include('--only edge/one-step --junit p.xml').and.include('tfjs:cpu: edge/one-step');
    expect((await runCli(args)).exitCode).to.equal(0);
    writeFileSync(xml, 'my notes');
    const refused = await runCli(args);
    expect(refused.exitCode).to.equal(2);
    expect(refused.stderr).to.include('--junit').and.include('left alone');
    expect(readFileSync(xml, 'utf8')).to.equal('my notes');
    const nowhere = await runCli(['parity', '--json', path.join(base(), 'none', 'r.json')]);
    expect(nowhere).to.include({ exitCode: 2, stdout: '' });
    expect(nowhere.stderr).to.include('does not exist');
  });

  it('a wrong vector: 1, the failure reported with both numbers', async () => {
    const file = path.join(base(), 'v.json');
    const kernel = [[1]];
    writeFileSync(
      file,
      JSON.stringify({
        format: 'rnn-parity-vectors/1',
        cases: [
          {
            id: 'wrong',
            problem: { inputs: [[[0.5]]], weights: { kernel, recurrentKernel: kernel, bias: [0] } },
            expected: { finalState: [[0.46]] },
          },
        ],
      }),
    );
    const { exitCode, stdout: out } = await runCli(['parity', '--vectors', file, '--backends', 'cpu']);
    expect(exitCode).to.equal(1);
    expect(out).to.include('MISMATCH').and.include('0.46211715').and.include('expected 0.46');
    expect(out).to.include('scratch').and.include('tfjs:cpu');
  });

  it('a candidate that throws: 2; what it prints goes to stderr', () => {
    const file = path.join(base(), 'mine.cjs');
    writeFileSync(
      file,
      `module.exports = { name: 'mine', precision: 'float64', evaluate() { console.log('hello'); throw new Error('no luck'); } };`,
    );
    const { code, out, err } = cli(['parity', '--candidate', file, '--only', 'edge/one-step']);
    expect(code).to.equal(2);
    expect(out).to.include('mine threw: Error: no luck').and.include('mine.cjs');
    expect(out).to.not.include('hello');
    expect(err).to.include('hello');
  });

  it('an unplugged backend: named; 3 when it was required', () => {
    const env = {
      NODE_OPTIONS: `--require ${JSON.stringify(path.join(root, 'test', 'support', 'unplug-wasm.cjs'))}`,
    };
    const free = cli(['parity', '--only', 'edge/one-step'], { ...env, NATIVE_REQUIRED: '0' });
    expect(free.code, free.err).to.equal(0);
    expect(free.out).to.include('tfjs:wasm: NOT RUN');
    const required = cli(['parity', '--only', 'edge/one-step', '--backends', 'cpu,wasm'], env);
    expect(required.code).to.equal(3);
    expect(required.out).to.include('tfjs:wasm: NOT RUN (required)');
  });

  const mistakes: [args: string[], says: string][] = [
    [['--backends', 'gpu'], '"gpu"'],
    [['--only', 'nowhere'], 'no case matches'],
    [['--vectors', 'absent.json'], 'absent.json does not exist'],
    [['--candidate', 'absent.ts'], 'absent.ts does not exist'],
    [['--seed', '-1'], 'whole number'],
  ];
  it('mistakes of the caller: 2, in words', async () => {
    const { code, err, out } = cli(['parity', '--nonsense']);
    expect({ code, out }).to.deep.equal({ code: 2, out: '' });
    expect(err).to.include('--nonsense').and.not.include('    at ');
    for (const [args, says] of mistakes) {
      const { exitCode, stderr, stdout } = await runCli(['parity', ...args]);
      expect(exitCode, args.join(' ')).to.equal(2);
      expect(stderr).to.include(says).and.not.include('    at ');
      expect(stdout).to.equal('');
    }
  });

  it('--help lists the flags and the exit codes', async () => {
    const { exitCode, stdout } = await runCli(['parity', '--help']);
    expect(exitCode).to.equal(0);
    for (const word of [
      '--backends',
      '--vectors',
      '--candidate',
      '--json',
      'Exit codes',
      'NATIVE_REQUIRED',
    ]) {
      expect(stdout).to.include(word);
    }
  });
});
