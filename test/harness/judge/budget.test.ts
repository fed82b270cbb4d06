import { expect } from 'chai';
import { budgetFor } from '../../../harness/judge/budget/budget';
import { precisionModels } from '../../../harness/judge/budget/precision-model';
import { compareEvaluation } from '../../../harness/judge/index';
import { generatedProblem } from '../../../harness/judge/sweep/generated-problem';
import { tensorOf, type TensorName } from '../../../harness/problem';
import { singlePrecisionRun } from '../../../harness/referee/single-precision';
import { zeros } from '../../../scratch/index';
import { honestRun } from './honest-run';

const sides = { wasm: 'tfjs:wasm', tensorflow: 'tfjs:tensorflow' } as const;

describe('error budgets', () => {
  for (const [name, side] of Object.entries(sides) as [keyof typeof sides, string][]) {
    it(`let 250 honest float32 runs with the errors of ${name} pass, well- and ill-conditioned`, () => {
      let pass = 0;
      for (let i = 0; i < 250; i++) {
        const problem = generatedProblem(11, i);
        const { trace } = budgetFor(problem, precisionModels[name]);
        const given = honestRun(problem, precisionModels[name], i);
        const verdict = compareEvaluation(problem, trace.evaluation, given, {
          name: side,
          precision: 'float32',
        });
        const red = verdict.tensors.filter((t) => t.status === 'differs').map((t) => t.tensor);
        expect(red, problem.id).to.deep.equal([]);
        if (verdict.status === 'pass') pass++;
      }
      expect(pass).to.be.above(180);
    });
  }

  it('the rigorous bound holds for every element of every run', () => {
    for (let i = 0; i < 200; i++) {
      const problem = generatedProblem(12, i);
      const budget = budgetFor(problem, precisionModels.tensorflow);
      const given = honestRun(problem, precisionModels.tensorflow, i);
      for (const name of Object.keys(budget.bound) as TensorName[]) {
        const reference = tensorOf(budget.trace.evaluation, name)?.data ?? new Float64Array(0);
        const values = tensorOf(given, name)?.data ?? new Float64Array(0);
        expect(values.length).to.equal(reference.length);
        const bound = budget.bound[name];
        reference.forEach((r, k) => {
          if (!(Math.abs(values[k] - r) <= (bound?.[k] ?? NaN)))
            expect.fail(
              `${problem.id} ${name}[${k}]: ${values[k]} against ${r}, bound ${String(bound?.[k])}`,
            );
        });
      }
    }
  });

  it('is tight: weight gradients of well-conditioned problems within 64 eps32 of their largest entry', () => {
    const shares: number[] = [];
    for (let i = 0; i < 150; i++) {
      const problem = generatedProblem(13, i, {
        kinds: ['gaussian'],
        scales: [0.3, 1],
        normalized: true,
        plain: true,
      });
      const budget = budgetFor(problem, precisionModels.tensorflow);
      for (const name of ['gradients.kernel', 'gradients.recurrentKernel'] as const) {
        const reference = tensorOf(budget.trace.evaluation, name)?.data ?? [];
        const largest = Math.max(...Array.from(reference, Math.abs));
        if (largest > 0) for (const e of budget.allowed(name, false)) shares.push(e / largest / 2 ** -23);
      }
    }
    shares.sort((a, b) => a - b);
    expect(shares[shares.length >> 1]).to.be.below(64);
  });

  it('refuses a float32 judgement of numbers that float32 can not hold', () => {
    const problem = generatedProblem(14, 0);
    problem.inputs.data[0] = 0.1;
    expect(() => budgetFor(problem, precisionModels.wasm)).to.throw(RangeError, /inputs .* roundProblem/s);
  });

  it('zeros where the reference has none are red; NaN is red', () => {
    const problem = generatedProblem(16, 1, {
      kinds: ['gaussian'],
      scales: [0.3],
      normalized: true,
      plain: true,
    });
    const { trace } = budgetFor(problem, precisionModels.wasm);
    const side = { name: 'tfjs:wasm', precision: 'float32' } as const;
    const honest = singlePrecisionRun(problem);
    const [f, u] = problem.weights.kernel.shape;
    const lost = { ...honest, gradients: { ...honest.gradients, kernel: zeros(f, u) } };
    expect(compareEvaluation(problem, trace.evaluation, lost, side).status).to.equal('fail');
    const broken = { ...honest, loss: { data: Float64Array.of(NaN), shape: [] } };
    expect(compareEvaluation(problem, trace.evaluation, broken, side).status).to.equal('fail');
  });
});
