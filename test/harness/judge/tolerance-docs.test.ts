import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { budgetFor, precisionModels, singlePrecisionRun } from '../../../harness/budget/index';
import type { Problem } from '../../../harness/base/problem';
import { compareEvaluation, judgeEquations, problemForLocalJudgement } from '../../../harness/judge/index';

const side = { name: 'mine', precision: 'float32' } as const;
const problem: Problem = {
  id: 'two units, three steps',
  inputs: { data: Float64Array.of(1, -0.5, 0.25), shape: [1, 3, 1] },
  upstream: { finalState: { data: Float64Array.of(1, -1), shape: [1, 2] } },
  weights: {
    kernel: { data: Float64Array.of(0.5, -0.75), shape: [1, 2] },
    recurrentKernel: { data: Float64Array.of(0.5, 0.25, -0.25, 0.75), shape: [2, 2] },
    bias: { data: Float64Array.of(0.125, 0), shape: [2] },
  },
};

/** The worked example of docs/tolerance.md: unit 0 of every state of an emulated float32 run. */
function example(): string[] {
  const budget = budgetFor(problem, precisionModels.any);
  const given = singlePrecisionRun(problem);
  const { bound, sigma, allowed } = { ...budget.spread('states'), allowed: budget.allowed('states', false) };
  const reference = budget.evaluation.states?.data ?? new Float64Array(6);
  const found = given.states?.data ?? new Float64Array(6);
  const e = (x: number): string => x.toExponential(1);
  return [0, 1, 2].map((t) => {
    const i = 2 * t;
    const error = Math.abs(found[i] - reference[i]);
    const numbers = [error, bound[i], sigma[i], allowed[i]].map(e).join(' | ');
    return `| ${t} | ${reference[i].toFixed(10)} | ${found[i].toFixed(10)} | ${numbers} | ${(error / allowed[i]).toFixed(2)} |`;
  });
}

describe('docs/tolerance.md', () => {
  it('begins with an example whose numbers are those of the judge', () => {
    const text = readFileSync(path.join(__dirname, '..', '..', '..', 'docs', 'tolerance.md'), 'utf8');
    const start = text.indexOf('## One example');
    expect(start).to.be.within(0, text.indexOf('## Notation'));
    for (const line of example()) expect(text.slice(start)).to.include(line);
    const right = singlePrecisionRun(problem);
    const reference = budgetFor(problem, precisionModels.any).evaluation;
    expect(compareEvaluation(problem, reference, right, side).status).to.equal('pass');
    right.states?.data.forEach((x, i, data) => (data[i] = x * (1 + 1e-5)));
    expect(compareEvaluation(problem, reference, right, side).status).to.equal('fail');
  });
});

describe('states beyond 1, which no tanh gives', () => {
  it('leave every budget of a single equation at 0 or above', () => {
    const answer = singlePrecisionRun(problemForLocalJudgement(problem));
    answer.states?.data.forEach((_, i, data) => (data[i] = 1.5 + i));
    const equations = judgeEquations(problem, answer, { ...side, name: 'tfjs:wasm' });
    expect(equations.map(({ equation }) => equation.name)).to.include('dPreActivations');
    for (const { allowed, verdict } of equations) {
      expect(Math.min(...allowed), verdict.tensor).to.be.at.least(0);
      expect(verdict.worst?.usedShare ?? 0).to.be.below(1e100);
    }
  });
});
