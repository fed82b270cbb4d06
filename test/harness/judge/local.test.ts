import { expect } from 'chai';
import { budgetFor } from '../../../harness/budget/budget';
import {
  compareEvaluation,
  judgeLocally,
  problemForLocalJudgement,
  resolveIllConditioned,
  type TensorVerdict,
} from '../../../harness/judge/index';
import { precisionModels } from '../../../harness/budget/precision-model';
import { weightProbe } from '../../../harness/examine/weight-probe';
import { adversarialProblem, type GeneratedOptions } from '../../../harness/problems/adversarial';
import type { Evaluation, Problem } from '../../../harness/base/problem';
import { createRandom, type Tensor } from '../../../scratch/index';
import { honestRun } from './honest-run';

const model = precisionModels.wasm;
const side = { name: 'tfjs:wasm', precision: 'float32' } as const;
const wellConditioned: GeneratedOptions = {
  kinds: ['gaussian'],
  scales: [0.3, 1],
  normalized: true,
  plain: true,
};

const local = (problem: Problem, seed: number, from = problem): TensorVerdict[] =>
  judgeLocally(problem, honestRun(problemForLocalJudgement(from), model, seed), side);
const red = (verdicts: readonly TensorVerdict[]): string[] =>
  verdicts.filter((v) => v.status === 'differs').map((v) => v.tensor);

describe('local judgement', () => {
  it('lets 150 honest runs pass and settles most of the ill-conditioned', () => {
    let ill = 0;
    let settled = 0;
    for (let i = 0; i < 150; i++) {
      const problem = adversarialProblem(21, i);
      const reference = budgetFor(problem, model).evaluation;
      const verdicts = local(problem, i);
      expect(red(verdicts), problem.id).to.deep.equal([]);
      if (compareEvaluation(problem, reference, honestRun(problem, model, i), side).status !== 'ill')
        continue;
      ill++;
      if (verdicts.every((v) => v.status === 'pass' || v.status === 'zero')) settled++;
    }
    expect(ill).to.be.above(5);
    expect(settled / ill).to.be.above(0.35);
  });

  it('names the time step at which a state went wrong', () => {
    for (let i = 0; i < 25; i++) {
      const problem = adversarialProblem(22, i, wellConditioned);
      const answer = honestRun(problemForLocalJudgement(problem), model, i);
      const { states } = answer as { states: Tensor };
      const at = createRandom(i).integer(states.data.length);
      states.data[at] += 0.001;
      const timeStep = Math.floor(at / states.shape[2]) % states.shape[1];
      const verdict = judgeLocally(problem, answer, side).find((v) => v.tensor === 'states');
      expect(verdict?.status).to.equal('differs');
      // the next step starts from the wrong state, so it may differ even more
      expect(verdict?.worst?.at.timeStep).to.be.oneOf([timeStep, timeStep + 1]);
    }
  });

  it('names the example and the class of wrong logits', () => {
    const problem = adversarialProblem(22, 3, wellConditioned);
    const answer = honestRun(problemForLocalJudgement(problem), model, 3);
    const { data, shape } = (answer as { logits: Tensor }).logits;
    data[data.length - 1] += 1;
    const verdict = judgeLocally(problem, answer, side).find((v) => v.tensor === 'logits');
    expect(verdict?.worst?.at).to.deep.equal({ example: shape[0] - 1, class: shape[1] - 1 });
  });

  it('finds chaotic problems wrong that no comparison of results can', () => {
    const problem = adversarialProblem(23, 4, {
      kinds: ['gaussian'],
      scales: [6],
      plain: true,
      largest: { units: 24, timeSteps: 40 },
    });
    const { recurrentKernel } = problem.weights;
    const transposed = { data: recurrentKernel.data.slice(), shape: recurrentKernel.shape };
    transposed.data[0] *= 1.001;
    const wrong = { ...problem, weights: { ...problem.weights, recurrentKernel: transposed } };
    expect(red(local(problem, 1, wrong))).to.include('states');
    expect(red(local(problem, 1))).to.deep.equal([]);
  });
});

describe('sensitivity', () => {
  const problems = Array.from({ length: 50 }, (_, i) => adversarialProblem(24, i, wellConditioned));
  const globally = (problem: Problem, given: Evaluation): boolean =>
    compareEvaluation(problem, budgetFor(problem, model).evaluation, given, side).status === 'fail';

  it('finds one recurrent weight wrong by 1e-5 in at least 90 % of the problems', () => {
    let found = 0;
    problems.forEach((problem, i) => {
      const { recurrentKernel } = problem.weights;
      const changed = { data: recurrentKernel.data.slice(), shape: recurrentKernel.shape };
      const at = createRandom(i).integer(changed.data.length);
      changed.data[at] = Math.fround(changed.data[at] * (1 + 1e-5));
      const wrong = { ...problem, weights: { ...problem.weights, recurrentKernel: changed } };
      const probe = weightProbe(problem);
      expect(globally(probe, honestRun(probe, model, i))).to.equal(false);
      if (
        red(local(problem, i, wrong)).length > 0 ||
        globally(probe, honestRun(weightProbe(wrong), model, i))
      )
        found++;
    });
    expect(found / problems.length).to.be.at.least(0.9);
  });

  it('finds all gradients scaled by 1 + 1e-6 in at least 80 % of the problems', () => {
    let found = 0;
    problems.forEach((problem, i) => {
      if (globally(problem, scaled(honestRun(problem, model, i)))) found++;
      else if (
        red(judgeLocally(problem, scaled(honestRun(problemForLocalJudgement(problem), model, i)), side))
          .length > 0
      )
        found++;
    });
    expect(found / problems.length).to.be.at.least(0.8);
  });
});

function scaled(answer: Evaluation): Evaluation {
  const gradients = Object.fromEntries(
    Object.entries(answer.gradients ?? {}).map(([key, { data, shape }]: [string, Tensor]) => [
      key,
      { shape, data: data.map((x) => Math.fround(x * (1 + 1e-6))) },
    ]),
  );
  return { ...answer, gradients };
}

describe('settling', () => {
  const find = (from: number): Problem => {
    for (let i = from; i < from + 400; i++) {
      const problem = adversarialProblem(26, i, { kinds: ['gaussian'], scales: [3], plain: true });
      const reference = budgetFor(problem, model).evaluation;
      const verdict = compareEvaluation(problem, reference, honestRun(problem, model, i), side);
      const steps = local(problem, i);
      if (verdict.status === 'ill' && steps.every((v) => v.status === 'pass' || v.status === 'zero'))
        return problem;
    }
    throw new Error('no ill-conditioned problem whose steps are well-conditioned');
  };

  it('turns ill-conditioned into pass when every step holds, into differs when one does not', () => {
    const problem = find(0);
    const reference = budgetFor(problem, model).evaluation;
    const ill = compareEvaluation(problem, reference, honestRun(problem, model, 0), side);
    expect(ill.status).to.equal('ill');
    expect(resolveIllConditioned(problem, ill, local(problem, 0)).status).to.equal('pass');
    const answer = honestRun(problemForLocalJudgement(problem), model, 0);
    (answer.states as Tensor).data[0] += 1e-4;
    const settled = resolveIllConditioned(problem, ill, judgeLocally(problem, answer, side));
    expect(settled.status).to.equal('fail');
    expect(settled.tensors.find((t) => t.status === 'differs')?.reason).to.match(
      /step by step: states is wrong at example 0, time step [01]/,
    );
  });
});
