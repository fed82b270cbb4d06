import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { BenchReport } from '../../../harness/bench/report/schema';
import { runCli } from '../../support/run-cli';
import { benchReport, sizeReport } from '../bench/synthetic-report';

const tiny = ['--sizes', 'B4T3F2U3C2', '--rounds', '2', '--rest', '0ms'];

const run = (...args: string[]) => runCli(args);

describe('rnn-parity bench', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'rnn-parity-bench-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const mistakes: [string[], string][] = [
    [['--sizes', 'XL'], '"XL" is not a size'],
    [['--engines', 'scratch,tvm'], '"tvm" is not an engine'],
    [['--tasks', 'sleep'], '"sleep" is not a task'],
    [['--rounds', '0'], "'--rounds <n>' argument '0' is invalid. a whole number from 1"],
    [['--time', '60'], "'--time <duration>' argument '60' is invalid. a number with ms, s, m or h"],
    [['--sweep', 'T'], '"T" is not a sweep'],
    [['--baseline', 'keras', '--engines', 'scratch'], 'keras is not among the engines to measure'],
    [['--sizes', 'none'], 'leave nothing to measure'],
    [['--python', 'no-such-python', '--engines', 'torch'], 'no-such-python does not run as Python'],
    [['--from', 'no-such-file.json'], 'no-such-file.json does not exist'],
    [['--color'], "unknown option '--color'"],
  ];
  for (const [args, message] of mistakes) {
    it(`refuses ${args.join(' ')} with exit code 2`, async () => {
      const { exitCode, stdout, stderr } = await run('bench', ...args);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: '' });
      expect(stderr).to.include(message);
    });
  }

  it('explains itself, with every size, task and engine', async () => {
    const { exitCode, stdout } = await run('bench', '--help');
    expect(exitCode).to.equal(0);
    for (const word of ['B32T28F28U128C10', 'forward256', 'layers:wasm', 'numpy-notebook:1', 'Exit codes']) {
      expect(stdout).to.include(word);
    }
  });

  it('measures, and names every peer absent with its reason or shows that it agrees', async () => {
    const engines = 'scratch,layers:cpu,numpy-notebook,torch,onnxruntime';
    const [json, html] = ['run.json', 'run.html'].map((name) => path.join(directory, name));
    const sweep = ['--sweep', 'U=2,3', '--sweep-base', 'S', '--sweep-engines', 'scratch'];
    const files = ['--json', json, '--html', html];
    const tasks = ['--tasks', 'step,epoch,forward256,setup'];
    const { exitCode, stdout } = await run(
      'bench',
      ...tiny,
      '--engines',
      engines,
      ...tasks,
      ...sweep,
      ...files,
    );
    expect(exitCode).to.equal(0);
    expect(stdout).to.include('training step').and.include('layers:cpu');
    const report = JSON.parse(await readFile(json, 'utf8')) as BenchReport;
    expect(report.baseline).to.equal('layers:cpu');
    expect(report.command).to.include('run.json').and.not.include(json);
    const absent = new Map(report.absent.map(({ engine, reason }) => [engine, reason]));
    const present = new Map(report.sizes[0].engines.map((engine) => [engine.engine, engine]));
    for (const engine of engines.split(',')) {
      if (absent.has(engine)) expect(absent.get(engine), engine).to.match(/install|--python/);
      else {
        expect(present.get(engine)?.failures, engine).to.deep.equal([]);
        expect(present.get(engine)?.parity.length, engine).to.equal(engine === 'onnxruntime' ? 2 : 8);
      }
    }
    for (const engine of ['scratch', 'layers:cpu']) expect(present.has(engine)).to.equal(true);
    expect(report.sizes.map(({ size }) => size.name)).to.deep.equal([
      'B4T3F2U3C2',
      'B10T5F2U2C3',
      'B10T5F2U3C3',
    ]);
    expect(report.sweeps[0].sizes).to.deep.equal(['B10T5F2U2C3', 'B10T5F2U3C3']);
    expect(await readFile(html, 'utf8')).to.include('</html>');
  });

  it('makes the reports again from the JSON of an earlier run, over another baseline', async () => {
    const file = path.join(directory, 'old.json');
    const markdown = path.join(directory, 'performance.md');
    const step = { scratch: [1, 1, 1], 'layers:tensorflow': [8, 8, 8] };
    await writeFile(file, JSON.stringify(benchReport([sizeReport('S', { step })])));
    const { exitCode, stdout } = await run('bench', '--from', file, '--markdown', markdown);
    expect(exitCode).to.equal(0);
    expect(stdout).to.include('8.00x');
    expect(await readFile(markdown, 'utf8')).to.include('| scratch | 1.00 ms |');
    const other = await run('bench', '--from', file, '--baseline', 'scratch', '--json');
    const report = JSON.parse(other.stdout) as BenchReport;
    expect(report.sizes[0].tasks[0].results[1].speedup?.ofMedians).to.equal(1 / 8);
  });

  it('docs/performance.md is what docs/performance.json gives, and judges every promise', async () => {
    const source = path.join('docs', 'performance.json');
    const markdown = path.join(directory, 'again.md');
    const { exitCode } = await run('bench', '--from', source, '--markdown', markdown);
    expect(exitCode).to.equal(0);
    const text = await readFile(markdown, 'utf8');
    expect(text).to.equal(await readFile(path.join('docs', 'performance.md'), 'utf8'));
    expect(text.match(/\| (met|missed) \|/g)).to.have.length(30);
  });

  const damaged: [string, object, string][] = [
    ['another format', { format: 'x' }, 'its format is "x"'],
    ['another version', { version: 2 }, 'its version is 2'],
    ['no machine', { machine: null }, 'it names no machine'],
    ['no sizes', { sizes: {} }, '"sizes" is no list'],
    ['a result without times', { sizes: [{ tasks: [{ results: [{ engine: 'x' }] }] }] }, 'without times'],
  ];
  for (const [what, change, message] of damaged) {
    it(`refuses a report with ${what}`, async () => {
      const file = path.join(directory, 'damaged.json');
      await writeFile(file, JSON.stringify({ ...benchReport([]), ...change }));
      const { exitCode, stderr } = await run('bench', '--from', file);
      expect(exitCode).to.equal(2);
      expect(stderr).to.include(message);
    });
  }

  it('exits with 3 when no engine could be timed', async () => {
    const { exitCode, stderr } = await run('bench', ...tiny, '--engines', 'scratch', '--max-call', '0ms');
    expect(exitCode).to.equal(3);
    expect(stderr).to.include('no engine could be timed');
  });
});
