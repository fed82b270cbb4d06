import path from 'node:path';
import { expect } from 'chai';
import { childScript } from '../../../src/index';
import { Bench } from '../../../harness/bench/bench';
import type { EngineEntry } from '../../../harness/bench/catalogue';
import type { SizeReport } from '../../../harness/bench/report/schema';
import { planAll } from '../../../harness/bench/plan';
import { parseSize } from '../../../harness/bench/size';
import type { Task } from '../../../harness/bench/task';

const entry = (name: string): EngineEntry => ({ name, title: name, runs: 'node' });

/** A bench of fake engines; the name says how each misbehaves. */
function fakeBench(longestCallMilliseconds = 20_000): Bench {
  return new Bench({
    seed: 1,
    tell: () => undefined,
    effort: {
      rounds: 3,
      milliseconds: 60_000,
      sampleMilliseconds: 1,
      longestCallMilliseconds,
      graceMilliseconds: 1000,
      restMilliseconds: 0,
    },
    launch: ({ name }) =>
      name === 'nowhere'
        ? { command: path.join(__dirname, 'no-such-program'), args: [] }
        : name === 'python'
          ? undefined
          : {
              command: process.execPath,
              args: [...childScript(path.join(__dirname, 'fake-engine')), name.split(' ')[0]],
            },
  });
}

const failuresOf = ({ engines }: SizeReport, name: string) =>
  engines.find(({ engine }) => engine === name)?.failures ?? [];

describe('harness/bench', () => {
  const plan = (names: readonly string[], ...tasks: readonly Task[]) =>
    planAll([parseSize('B4T3F2U3C2')], tasks, names.map(entry))[0];

  it('times engines that agree, and names the wrong, the dying and the absent', async () => {
    const bench = fakeBench();
    const names = ['good', 'noisy', 'wrong', 'dies', 'absent', 'nowhere', 'python'];
    const report = await bench.measureSize(plan(names, 'step', 'epoch', 'forward1', 'setup'));

    expect(bench.absent.map(({ engine }) => engine)).to.deep.equal(['absent', 'nowhere', 'python']);
    expect(bench.absent[0].reason).to.equal('it is not there');
    expect(bench.absent[1].reason).to.include('did not start');
    expect(bench.absent[2].reason).to.include('--python');
    expect(Object.keys(bench.versions)).to.deep.equal(['good', 'noisy', 'wrong', 'dies']);

    expect(failuresOf(report, 'good')).to.deep.equal([]);
    expect(failuresOf(report, 'wrong')).to.have.length(1);
    expect(failuresOf(report, 'wrong')[0]).to.include({ kind: 'wrong', during: 'parity' });
    expect(failuresOf(report, 'wrong')[0].message).to.include('gradients.layer1.recurrentKernel');
    expect(failuresOf(report, 'dies')[0]).to.include({ kind: 'failed', during: 'step' });
    expect(failuresOf(report, 'dies')[0].message).to.include('exit code 7').and.include('out of luck');

    expect(report.tasks.map(({ task }) => task)).to.deep.equal(['step', 'epoch', 'forward1', 'setup']);
    for (const { rounds, results } of report.tasks) {
      expect(rounds).to.equal(3);
      expect(results.map(({ engine }) => engine)).to.deep.equal(['good', 'noisy']);
      for (const { milliseconds, spread, memory } of results) {
        expect(milliseconds).to.have.length(3);
        for (const time of milliseconds) expect(time).to.be.above(0);
        expect(spread.count).to.equal(3);
        expect(memory.after.rssBytes).to.be.above(1e6);
      }
    }
  });

  it('ends an engine that does not answer in time and goes on with the others', async () => {
    const report = await fakeBench(500).measureSize(plan(['hangs', 'good'], 'step', 'forward1'));
    expect(failuresOf(report, 'hangs')).to.have.length(1);
    expect(failuresOf(report, 'hangs')[0].message).to.include('did not answer "run" within 1.5 s');
    for (const { results } of report.tasks) {
      expect(results.map(({ engine }) => engine)).to.deep.equal(['good']);
    }
  });

  it('leaves out an engine where one call takes too long, for that task only', async () => {
    const report = await fakeBench(0).measureSize(plan(['good'], 'step'));
    expect(failuresOf(report, 'good')[0]).to.include({ kind: 'slow', during: 'step' });
    expect(report.tasks[0]).to.deep.include({ rounds: 0, results: [] });
  });
});
