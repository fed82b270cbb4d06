import { expect } from 'chai';
import { scratchImplementation } from '../../../harness/sides/index';
import { notebookProblem } from '../../../harness/problems/notebook';
import { suiteProblems } from '../../../harness/problems/digits/index';
import { expectedNames, roundProblem, sizesOf, tensorOf, type Problem } from '../../../harness/base/problem';

describe('the suite', () => {
  let problems: Problem[];
  let generated: Problem[];
  before(async () => {
    problems = await suiteProblems(1);
    generated = problems.filter(({ id }) => id.startsWith('generated/'));
  });

  it('holds at least 200 generated problems, digits, edges, masks and extreme logits, under ids of their own', () => {
    expect(generated.length).to.be.at.least(200);
    expect(new Set(problems.map(({ id }) => id)).size).to.equal(problems.length);
    for (const group of ['notebook/', 'digits/', 'edge/', 'mask/', 'extreme/']) {
      expect(
        problems.some(({ id }) => id.startsWith(group)),
        group,
      ).to.equal(true);
    }
  });
  it('generated sizes all differ', () => {
    for (const problem of generated) {
      const { batch, timeSteps, features, units, classes } = sizesOf(problem);
      const sizes = [batch, timeSteps, features, units, ...(classes === undefined ? [] : [classes])];
      expect(new Set(sizes).size, problem.id).to.equal(sizes.length);
      expect(Math.min(...sizes)).to.be.at.least(2);
    }
  });
  it('most initial states are there and not zero; masks, labels and both upstreams occur', () => {
    const some = (is: (problem: Problem) => boolean): number => generated.filter(is).length;
    expect(some(({ initialState }) => initialState?.data.every((x) => x !== 0) ?? false)).to.be.at.least(160);
    expect(some(({ mask }) => mask !== undefined)).to.be.at.least(30);
    expect(some(({ labels }) => labels !== undefined)).to.be.at.least(100);
    expect(some(({ upstream }) => upstream?.states !== undefined)).to.be.at.least(100);
    expect(some(({ upstream }) => upstream?.finalState !== undefined)).to.be.at.least(100);
    expect(some(({ labels, upstream }) => labels === undefined && upstream === undefined)).to.equal(0);
  });
  it('states reach from almost linear to saturated', async () => {
    const scratch = scratchImplementation();
    const largest = await Promise.all(
      generated.map(async ({ id, inputs, weights }) => {
        const { states } = await scratch.evaluate({ id, inputs, weights });
        return states?.data.reduce((max, h) => Math.max(max, Math.abs(h)), 0) ?? 0;
      }),
    );
    expect(Math.min(...largest)).to.be.below(0.05);
    expect(largest.filter((h) => h > 0.9999).length).to.be.greaterThan(20);
  });
  it('every number is exact in float32, but for the notebook', () => {
    for (const problem of problems) {
      if (problem.id !== 'notebook/example') expect(roundProblem(problem), problem.id).to.deep.equal(problem);
    }
  });
  it('the same seed gives the same problems, another seed others', async () => {
    const isSome = (id: string): boolean => id.startsWith('generated/00') || id === 'digits/keras-weights';
    const first = await suiteProblems(1, 5, isSome);
    expect(await suiteProblems(1, 5, isSome)).to.deep.equal(first);
    const other = await suiteProblems(2, 5, isSome);
    expect(other.map(({ inputs }) => inputs)).to.not.deep.equal(first.map(({ inputs }) => inputs));
  });
  it('the reference answers every problem in full with finite numbers', async () => {
    const scratch = scratchImplementation();
    for (const problem of problems) {
      const answer = await scratch.evaluate(problem);
      for (const name of expectedNames(problem)) {
        expect(tensorOf(answer, name)?.data.every(Number.isFinite), `${problem.id} ${name}`).to.equal(true);
      }
    }
  });
  it("gives the notebook's final state", async () => {
    const { finalState } = await scratchImplementation().evaluate(notebookProblem());
    const printed = [0.79494228, 0.81839002, 0.83939649, 0.85584174];
    finalState?.data.forEach((h, i) => expect(h).to.be.closeTo(printed[i], 1e-8));
  });
});
