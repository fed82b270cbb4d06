import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { runParity } from '../../../harness/parity/index';
import {
  tensorNames,
  tensorOf,
  type Evaluation,
  type Implementation,
  type Problem,
} from '../../../harness/base/problem';
import {
  canShow,
  equivalents,
  families,
  HandNetwork,
  catalogue,
  faultsOfStep,
  type Fault,
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
  return makeProblem({ id: 'catalogue', ...sizes, ...parts, ...recipe });
}

/** The answer to the problem when it is asked for the second time. */
function second(network: Fault['network'], problem: Problem): Evaluation {
  const first = new network(problem);
  first.evaluate();
  return new network(problem, first).evaluate();
}

/** The largest difference between two answers, as a share of the largest number of the tensor it is in. */
function distance(one: Evaluation, other: Evaluation): number {
  let largest = 0;
  for (const name of tensorNames) {
    const [a, b] = [tensorOf(one, name), tensorOf(other, name)];
    if (a?.shape.join() !== b?.shape.join()) return Infinity;
    const scale = a?.data.reduce((max, x) => Math.max(max, Math.abs(x)), 1e-300) ?? 1;
    a?.data.forEach((x, i) => (largest = Math.max(largest, Math.abs(x - (b?.data[i] ?? NaN)) / scale)));
  }
  return largest;
}

const planted = [...catalogue, ...[0, 2, 5].flatMap((step) => faultsOfStep(step))];

describe('catalogue', () => {
  it('are at least 45, and no two share a name', () => {
    expect(catalogue.length).to.be.at.least(45);
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
    const evaluate = (problem: Problem): Evaluation => new HandNetwork(problem).evaluate();
    const implementation: Implementation = { name: 'by hand', precision: 'float64', evaluate };
    const sides = [{ name: 'by hand', required: true, open: () => Promise.resolve({ implementation }) }];
    const report = await runParity({ sides, cases: 60 });
    expect(report.cases.filter(({ status }) => status === 'fail')).to.deep.equal([]);
    expect(report.exitCode).to.equal(0);
  });

  it('change the answer to every problem that they say can show them, and to no other', () => {
    const shown = new Set<string>();
    const wrong: string[] = [];
    for (const fault of planted) {
      for (const [i, problem] of problems.entries()) {
        const difference = distance(second(HandNetwork, problem), second(fault.network, problem));
        const can = canShow(fault, problem, 'float64');
        if (can) shown.add(fault.name);
        if (difference > 1e-9 !== can) wrong.push(`${fault.name} on problem ${i}: ${difference}`);
      }
    }
    expect(wrong).to.deep.equal([]);
    const silent = planted.map(({ name }) => name).filter((name) => !shown.has(name));
    expect(silent).to.deep.equal(['memory/answer-overwritten-by-next-call']);
  });

  it('that show only on some problems say why they are equivalent elsewhere', () => {
    for (const fault of planted) {
      const silent = problems.some(
        (problem) =>
          (problem.labels ?? problem.upstream) !== undefined && !canShow(fault, problem, 'float64'),
      );
      if (silent) expect(fault.equivalent, fault.name).to.be.a('string');
    }
  });

  it('that are equivalent everywhere change nothing but rounding', () => {
    for (const fault of equivalents) {
      expect(fault.equivalent, fault.name).to.be.a('string');
      for (const problem of problems)
        expect(
          distance(second(HandNetwork, problem), second(fault.network, problem)),
          fault.name,
        ).to.be.below(1e-12);
    }
  });
});
