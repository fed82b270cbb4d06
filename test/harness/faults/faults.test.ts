import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { runParity } from '../../../harness/parity/index';
import type { Evaluation, Implementation, Precision, Problem } from '../../../harness/base/problem';
import {
  atStep,
  canShow,
  changeBy,
  catalogue,
  equivalents,
  families,
  faultsOfStep,
  replay,
  rightAnswer,
  stepFaultNames,
} from '../../../harness/faults/index';
import { makeProblem } from '../../../harness/problems/index';

/** Problems that differ in what they can show: everything given, labels only, upstream only, F = U, B = U, U = C, one of everything. */
const problems: readonly Problem[] = [
  problemOf({ initialState: true, upstreamStates: true, upstreamFinalState: true, mask: true }),
  problemOf({ batch: 5, timeSteps: 4, features: 6, units: 3, classes: 2 }),
  problemOf({ labels: false, upstreamStates: true, initialState: true }),
  problemOf({ labels: false, upstreamFinalState: true, batch: 4, units: 4 }),
  problemOf({ features: 4, units: 4, initialState: true, mask: true }),
  problemOf({ units: 3, classes: 3 }),
  problemOf({ labels: false, batch: 1, timeSteps: 1, features: 1, units: 1, upstreamFinalState: true }),
  problemOf({ labels: false }),
  problemOf({ batch: 1, timeSteps: 1, features: 2, units: 3, initialState: true }),
];

function problemOf(recipe: Partial<Parameters<typeof makeProblem>[0]>): Problem {
  const sizes = { batch: 3, timeSteps: 6, features: 2, units: 4, classes: 5, scale: 1, seed: 11 };
  const parts = {
    labels: true,
    upstreamStates: false,
    upstreamFinalState: false,
    initialState: false,
    mask: false,
  };
  return makeProblem({ id: 'faults', ...sizes, ...parts, ...recipe });
}

/** The same with logits so far apart that probabilities vanish, and so large that e^y overflows. */
function withLogitsTimes(factor: number, problem: Problem): Problem {
  const { outputKernel } = problem.weights;
  if (outputKernel === undefined) throw new Error('there is no output layer');
  const larger = { ...outputKernel, data: outputKernel.data.map((x) => factor * x) };
  return { ...problem, weights: { ...problem.weights, outputKernel: larger } };
}

const steps = [0, 2, 5];
const planted = [...catalogue, ...steps.flatMap(faultsOfStep)];

describe('faults', () => {
  it('have names of their own, and are at least 140', () => {
    expect(catalogue.length).to.be.at.least(140);
    expect(new Set(catalogue.map(({ name }) => name)).size).to.equal(catalogue.length);
  });

  it("hold the notebook's two mistakes, and both together", () => {
    expect(catalogue.filter(({ family }) => family === 'notebook').length).to.equal(3);
  });

  it('are explained in docs/bptt.md, each under its own anchor', () => {
    const page = readFileSync(join(__dirname, '../../../docs/bptt.md'), 'utf8');
    for (const family of families) expect(page).to.include(`<a id="${family}"></a>`);
    for (const { family } of [...planted, ...equivalents]) expect(families).to.include(family);
  });

  it('come from a network that is right where nothing is planted', async () => {
    const implementation: Implementation = { name: 'formulas', precision: 'float64', evaluate: rightAnswer };
    const sides = [{ name: 'formulas', required: true, open: () => Promise.resolve({ implementation }) }];
    const report = await runParity({ sides, cases: 60 });
    expect(report.cases.filter(({ status }) => status === 'fail')).to.deep.equal([]);
    expect(report.exitCode).to.equal(0);
  });

  it('change the answer to one of these problems at least, each of them', () => {
    const extreme = [300, 3000].map((factor) => withLogitsTimes(factor, problems[0]));
    const shown = planted.filter((fault) =>
      [...problems, ...extreme].some((problem) => canShow(fault, problem, fault.precision ?? 'float64')),
    );
    const names = new Set(shown.map(({ name }) => name));
    const silent = planted.filter(({ name }) => !names.has(name));
    expect(silent.map(({ name }) => name)).to.deep.equal(['memory/answer-overwritten-by-next-call']);
  });

  it('are seen by exact replay where a problem can show them, and only there', () => {
    const seen = (name: string, problem: Problem, precision: Precision = 'float64'): boolean => {
      const fault = catalogue.find((one) => one.name === name);
      if (fault === undefined) throw new Error(`there is no fault ${name}`);
      return canShow(fault, problem, precision);
    };
    const [everything, labels, upstream, , square, , one] = problems;
    expect(seen('loss/sum-for-mean', labels), 'B > 1').to.equal(true);
    expect(seen('loss/sum-for-mean', upstream), 'no loss').to.equal(false);
    expect(seen('loss/sum-for-mean', problems[8]), 'B = 1').to.equal(false);
    expect(seen('carry/not-transposed', one), 'U = 1').to.equal(false);
    const { labels: _labels, ...unlabelled } = labels;
    expect(seen('loss/temperature', unlabelled), 'probabilities without labels').to.equal(true);
    for (const name of ['slope/step-after', 'steps/next-input', 'steps/previous-input'])
      expect(seen(name, one), `${name}: T = 1, and that step keeps its own`).to.equal(false);
    expect(seen('transpose/kernel-on-import', square), 'F = U').to.equal(true);
    expect(seen('transpose/kernel-on-import', everything), 'F is not U').to.equal(false);
    expect(seen('masks/ignored', everything), 'masked').to.equal(true);
    expect(seen('masks/ignored', labels), 'no mask').to.equal(false);
    expect(seen('weights/biases-swapped', problems[5]), 'U = C').to.equal(true);
    expect(seen('precision/float32-states', everything)).to.equal(true);
    expect(seen('precision/float32-states', everything, 'float32')).to.equal(false);
    expect(seen('loss/logarithm-of-softmax', everything), 'ordinary logits').to.equal(false);
    expect(seen('loss/logarithm-of-softmax', withLogitsTimes(3000, everything))).to.equal(true);
    expect(
      seen('loss/softmax-without-shift-in-float32', withLogitsTimes(300, everything), 'float32'),
    ).to.equal(true);
    expect(seen('loss/softmax-without-shift', withLogitsTimes(300, everything)), 'above 709').to.equal(false);
  });

  it('can be made at one step alone: the sum over the steps of what they change is what the fault changes at all of them', () => {
    const [problem] = problems;
    const right = rightAnswer(problem);
    for (const name of stepFaultNames.filter((one) => /^sums\/.*(zero|twice)$/.test(one))) {
      const fault = catalogue.find((one) => one.name === name);
      if (fault === undefined) throw new Error(`there is no fault ${name}`);
      const change = (answer: Evaluation): number =>
        Object.keys(right.gradients ?? {})
          .map((key) => key as keyof NonNullable<Evaluation['gradients']>)
          .reduce((sum, key) => {
            const [a = [], b = []] = [answer, right].map(({ gradients }) =>
              Array.from(gradients?.[key]?.data ?? []),
            );
            return a.reduce((s, x, i) => s + (x - b[i]) * Math.cos(i), sum);
          }, 0);
      const all = [0, 1, 2, 3, 4, 5].map((step) => change(replay(atStep(fault, step), problem)));
      expect(all.filter((x) => x !== 0).length, name).to.be.above(1);
      expect(
        all.reduce((sum, x) => sum + x, 0),
        name,
      ).to.be.closeTo(change(replay(fault, problem)), 1e-12);
    }
    const [carry] = catalogue.filter(({ name }) => name === 'carry/dropped');
    expect(atStep(carry, 3).wrong).to.deep.equal({ tensor: 'dPreActivations', timeStep: 2 });
    expect(atStep(carry, 0).wrong).to.deep.equal({ tensor: 'gradients.initialState' });
    const [whole] = catalogue.filter(({ name }) => name === 'carry/forwards');
    expect(() => atStep(whole, 1)).to.throw('not a fault of an equation of one step');
  });

  it('that are equivalent everywhere change nothing but rounding', () => {
    for (const fault of equivalents) {
      expect(fault.equivalent, fault.name).to.be.a('string');
      for (const problem of problems) expect(changeBy(fault, problem), fault.name).to.be.below(1e-12);
    }
  });
});
