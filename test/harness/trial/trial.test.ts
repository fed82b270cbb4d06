import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { scratchImplementation, sideSource, type OpenSide } from '../../../harness/sides/index';
import type { Implementation } from '../../../harness/base/problem';
import {
  equivalents,
  catalogue,
  stepFaultNames,
  updateEquivalents,
  updateFaults,
} from '../../../harness/faults/index';
import { heldOut, heldOutUpdates } from '../../../harness/faults/held-out';
import {
  formatTrial,
  rememberAnswers,
  runTrial,
  trialFormat,
  type TrialOptions,
  type TrialReport,
} from '../../../harness/trial/index';
import type { ClassifierGradients, Tensor } from '../../../scratch/index';
import { generatedProblem } from '../../../harness/problems/index';
import { writeProblem } from '../../../harness/sides/page/index';
import { runCli, type Ran } from '../../support/run-cli';

describe('trial', function () {
  let host: OpenSide;
  const float64 = { ...scratchImplementation(), name: 'float64 side' };

  before(async () => {
    host = await sideSource('cpu', true).open();
  });

  function trial(options: Partial<TrialOptions> = {}): Promise<TrialReport> {
    return runTrial({ hosts: [host], float64, shapes: 1, seeds: 1, seed: 1, ...options });
  }

  it('catches every planted fault, names its class and the side that made it, and blames no equivalent change', async () => {
    const report = await trial();
    expect(report.misses).to.deep.equal([]);
    const names = report.rows.map(({ name }) => name);
    expect(names).to.include.members(catalogue.map(({ name }) => name));
    expect(names).to.include.members(stepFaultNames.map((name) => `step/${name}`));
    expect(names).to.include.members(updateFaults.map(({ name }) => name));
    for (const row of report.rows) {
      expect(row.planted, row.name).to.be.at.least(1);
      expect(row.caught, row.name).to.equal(row.planted);
      expect(row.sideNamed, row.name).to.equal(row.planted);
      expect(row.scratchNamed, row.name).to.equal(row.planted);
      expect(row.kindNamed, row.name).to.equal(row.planted);
      expect(row.localised, row.name).to.equal(row.planted);
    }
    const { score } = report;
    expect([score.sideWrong, score.kindWrong, score.blamed]).to.deep.equal([0, 0, 0]);
    expect(report.equivalents.length).to.be.at.least(5);
    for (const row of report.equivalents)
      expect([row.planted > 0, row.caught, row.blamed]).to.deep.equal([true, 0, 0]);
    for (const row of report.heldOut)
      expect([row.planted, row.caught, row.kindWrong], row.name).to.deep.equal([1, 1, 0]);
    expect(report.format).to.equal(trialFormat);
    expect(report.exitCode).to.equal(0);
    expect(formatTrial(report)).to.match(/TRIAL PASSED/);
  });

  it('fails where faults slip through: a host that gives no gradients hides those of the backward pass', async () => {
    const blind: Implementation = {
      ...host.implementation,
      omits: ['gradients.kernel', 'gradients.inputs', 'gradients.outputKernel', 'gradients.outputBias'],
      evaluate: async (problem) => {
        const { gradients, ...answer } = await host.implementation.evaluate(problem);
        const { recurrentKernel, bias, initialState } = gradients ?? {};
        return { ...answer, ...(gradients && { gradients: seen({ recurrentKernel, bias, initialState }) }) };
      },
    };
    const only = (name: string): boolean => name === 'steps/next-input' || name === 'carry/dropped';
    const all = await trial({ hosts: [{ ...host, implementation: blind }], isWanted: only });
    expect(all.score.caught).to.equal(50);
    expect(all.exitCode).to.equal(1);
    expect(formatTrial(all)).to.match(
      /steps\/next-input on tfjs:cpu.*not caught[^]*TRIAL FAILED: 50 % caught/,
    );
    const half = await trial({ hosts: [{ ...host, implementation: blind }], isWanted: only, break: 50 });
    expect(half.exitCode).to.equal(0);
  });

  it('asks a side elsewhere once about each problem, and leaves faults of optimizers out where it does not train', async () => {
    const asked: string[] = [];
    const { name, precision } = host.implementation;
    const elsewhere: OpenSide = {
      implementation: {
        ...{ name, precision },
        evaluate: (problem) => {
          asked.push(writeProblem({ ...problem, id: '' }));
          return host.implementation.evaluate(problem);
        },
      },
      isElsewhere: true,
    };
    const only = (fault: string): boolean => /^slope\/one-minus-h$|^momentum\/not-carried$/.test(fault);
    const plain = await trial({ hosts: [elsewhere], isWanted: only });
    expect(new Set(asked).size).to.be.below(asked.length);
    asked.length = 0;
    const report = await trial({ hosts: [rememberAnswers(elsewhere)], isWanted: only });
    expect(new Set(asked).size).to.equal(asked.length);
    expect(report.rows).to.deep.equal(plain.rows);
    expect(report.rows.map((row) => [row.name, row.caught])).to.deep.equal([['slope/one-minus-h', 1]]);
    expect(report.notRun.map((one) => one.name)).to.deep.equal(['faults of optimizers']);
  });

  it('asks a side again what it could not answer at first', async () => {
    let fails = true;
    const { implementation } = rememberAnswers({
      implementation: {
        ...host.implementation,
        evaluate: (problem) =>
          fails ? Promise.reject(new Error('the page is gone')) : host.implementation.evaluate(problem),
      },
    });
    const problem = generatedProblem(1, 0);
    const first = await Promise.resolve(implementation.evaluate(problem)).catch(String);
    expect(first).to.match(/the page is gone/);
    fails = false;
    expect(await implementation.evaluate(problem)).to.have.property('states');
  });

  it('is the same for the same seed', async () => {
    const only = (name: string): boolean => name === 'slope/missing' || name === 'momentum/not-carried';
    const [one, other] = [
      await trial({ isWanted: only, seed: 3 }),
      await trial({ isWanted: only, seed: 3 }),
    ].map((report) => ({ ...report, seconds: 0 }));
    expect(one.rows.length).to.be.above(1);
    expect(one).to.deep.equal(other);
  });
});

/** Without the gradients that are not there. */
function seen(
  gradients: Partial<Record<keyof ClassifierGradients, Tensor | undefined>>,
): Partial<ClassifierGradients> {
  return Object.fromEntries(Object.entries(gradients).filter(([, tensor]) => tensor !== undefined));
}

describe('docs/trial.md', () => {
  it('counts the faults as they are', () => {
    const page = readFileSync(join(__dirname, '../../../docs/trial.md'), 'utf8');
    const counts = [...page.matchAll(/^\| (of .*|equivalent changes|faults that .*?) \| (\d+) \|/gm)];
    expect(counts.map(([, , count]) => Number(count))).to.deep.equal([
      catalogue.length,
      stepFaultNames.length,
      updateFaults.length,
      equivalents.length + updateEquivalents.length,
      heldOut.length + heldOutUpdates.length,
    ]);
    const readme = readFileSync(join(__dirname, '../../../README.md'), 'utf8');
    const all = catalogue.length + stepFaultNames.length + updateFaults.length;
    expect(readme).to.include(`plants ${all} faults`);
  });
});

describe('rnn-parity trial', () => {
  const cli = (...args: string[]): Promise<Ran> => runCli(['trial', ...args]);

  it('prints the matrix and a verdict, and writes the same as JSON', async () => {
    const { exitCode, stdout, stderr } = await cli(
      '--only',
      'carry/drop*',
      '--shapes',
      '1',
      '--seeds',
      '1',
      '--backends',
      'cpu',
      '--json',
    );
    expect(exitCode, stderr).to.equal(0);
    const report = JSON.parse(stdout) as TrialReport;
    expect(report.rows.map(({ name, planted, caught }) => [name, planted, caught])).to.deep.equal([
      ['carry/dropped', 1, 1],
    ]);
    expect(stderr)
      .to.match(/carry\/dropped +1 +1/)
      .and.to.match(/TRIAL PASSED/);
  });

  it('measures the judge itself, and the functions of a backend', async () => {
    const measured = await cli('--sensitivity', 'cpu', '--cases', '2', '--seed', '3', '--json');
    expect(measured.exitCode, measured.stderr).to.equal(0);
    expect(JSON.parse(measured.stdout)).to.include({ implementation: 'tfjs:cpu', problems: 2 });
    const inLayer = await cli('--sensitivity', 'cpu', '--layers', 'lstm:2', '--cases', '1', '--json');
    expect(inLayer.exitCode, inLayer.stderr).to.equal(0);
    expect(JSON.parse(inLayer.stdout)).to.include({ problems: 1 });
    const errors = await cli('--function-errors', 'cpu', '--stride', '200000', '--json');
    expect((JSON.parse(errors.stdout) as { name: string }[]).map(({ name }) => name)).to.include.members([
      'tanh',
      'exp',
      'log',
    ]);
    expect((await cli('--sensitivity', 'cpu', '--only', 'carry')).exitCode).to.equal(2);
  });

  const refused: [args: string[], says: string][] = [
    [['--only', 'no-such-fault'], 'no-such-fault'],
    [['--backends', 'gpu'], '"gpu"'],
    [['--break', '101'], '101'],
    [['--layers', 'lstm:4:activatoin=relu'], 'the nearest is activation'],
    [['--layers', 'lstm:1000000'], 'more than the 4,294,967,296 that there may be'],
    [['--layers', 'embedding:5:3,lstm:2', '--only', 'no-such-fault'], 'no fault matches'],
  ];
  for (const [args, says] of refused)
    it(`refuses ${args.join(' ')}`, async () => {
      const { exitCode, stderr } = await runCli(['trial', ...args]);
      expect(exitCode).to.equal(2);
      expect(stderr).to.include(says).and.not.include('looks like a bug');
    });
});
