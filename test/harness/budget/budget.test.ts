import { expect } from 'chai';
import { budgetFor } from '../../../harness/budget/budget';
import { commonShare } from '../../../harness/budget/inflation';
import { precisionModels } from '../../../harness/budget/precision-model';
import { compareEvaluation, judgeTensor, type TensorVerdict } from '../../../harness/judge/index';
import { adversarialProblem } from '../../../harness/problems/adversarial';
import {
  expectedNames,
  tensorAxes,
  tensorOf,
  type Problem,
  type TensorName,
} from '../../../harness/base/problem';
import { singlePrecisionRun } from '../../../harness/budget/index';
import { createRandom, zeros, type Tensor } from '../../../scratch/index';
import { honestRun } from '../judge/honest-run';

const sides = { wasm: 'tfjs:wasm', tensorflow: 'tfjs:tensorflow' } as const;

describe('error budgets', () => {
  for (const [name, side] of Object.entries(sides) as [keyof typeof sides, string][]) {
    it(`let 250 honest float32 runs with the errors of ${name} pass, well- and ill-conditioned`, () => {
      let pass = 0;
      for (let i = 0; i < 250; i++) {
        const problem = adversarialProblem(11, i);
        const { evaluation } = budgetFor(problem, precisionModels[name]);
        const given = honestRun(problem, precisionModels[name], i);
        const verdict = compareEvaluation(problem, evaluation, given, {
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
      const problem = adversarialProblem(12, i);
      const budget = budgetFor(problem, precisionModels.tensorflow);
      const given = honestRun(problem, precisionModels.tensorflow, i);
      for (const name of expectedNames(problem)) {
        const reference = tensorOf(budget.evaluation, name)?.data ?? new Float64Array(0);
        const values = tensorOf(given, name)?.data ?? new Float64Array(0);
        expect(values.length).to.equal(reference.length);
        const { bound } = budget.spread(name);
        reference.forEach((r, k) => {
          if (!(Math.abs(values[k] - r) <= bound[k]))
            expect.fail(`${problem.id} ${name}[${k}]: ${values[k]} against ${r}, bound ${bound[k]}`);
        });
      }
    }
  });

  it('is tight: weight gradients of well-conditioned problems within 64 eps32 of their largest entry', () => {
    const shares: number[] = [];
    for (let i = 0; i < 150; i++) {
      const problem = adversarialProblem(13, i, {
        kinds: ['gaussian'],
        scales: [0.3, 1],
        normalized: true,
        plain: true,
      });
      const budget = budgetFor(problem, precisionModels.tensorflow);
      for (const name of ['gradients.kernel', 'gradients.recurrentKernel'] as const) {
        const reference = tensorOf(budget.evaluation, name)?.data ?? [];
        const largest = Math.max(...Array.from(reference, Math.abs));
        if (largest > 0) for (const e of budget.allowed(name, false)) shares.push(e / largest / 2 ** -23);
      }
    }
    shares.sort((a, b) => a - b);
    expect(shares[shares.length >> 1]).to.be.below(64);
  });

  it('many errors may not all be large, though each is within its own tolerance; errors that go together may', () => {
    const off = (problem: Problem, name: TensorName): TensorVerdict => {
      const budget = budgetFor(problem, precisionModels.wasm);
      const reference = tensorOf(budget.evaluation, name);
      if (reference === undefined) throw new Error(`no ${name}`);
      const data = reference.data.map((x, i) => x + 7 * budget.spread(name).sigma[i]);
      const expected = { reference, allowed: 0, axes: tensorAxes[name], tolerance: '' };
      return judgeTensor('tfjs:wasm', problem.id, name, expected, { ...reference, data }, budget);
    };
    const gaussian = { kinds: ['gaussian'], scales: [0.3], normalized: true, plain: true } as const;
    const many = adversarialProblem(17, 1, gaussian);
    expect(many.weights.recurrentKernel.data.length).to.be.above(30);
    const red = off(many, 'gradients.recurrentKernel');
    expect([red.status, red.beyond]).to.deep.equal(['differs', 0]);
    expect(red.reason).to.match(/root mean square is 7.00 standard deviations; 5\.\d\d are allowed/);
    // one weight for all: every class has the same logit, and the same error in it
    const { weights } = many;
    const alike = (tensor: Tensor | undefined): Tensor => ({
      shape: tensor?.shape ?? [],
      data: Float64Array.from(tensor?.data ?? [], () => 0.125),
    });
    const outputKernel = alike(weights.outputKernel);
    const outputBias = alike(weights.outputBias);
    const equal = { ...many, weights: { ...weights, outputKernel, outputBias } };
    expect(off(equal, 'logits').status).to.equal('pass');
  });

  it('how much a common cause can hold: all of equal errors, 1 / sqrt(n) or little more of n independent ones', () => {
    const random = createRandom(3);
    const run = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.normal());
    const runs = (n: number): Float64Array[] => Array.from({ length: 8 }, () => run(n));
    const values = run(400);
    expect(commonShare(values, runs(400))).to.be.within(0.03, 0.07);
    const common = runs(1).map(([x]) => new Float64Array(400).fill(x));
    expect(commonShare(values, common)).to.be.closeTo(1, 1e-12);
    // one cause that holds half of the variance
    const half = common.map(([x]) => run(400).map((y) => (x + y) / Math.SQRT2));
    expect(commonShare(values, half)).to.be.within(0.3, 1);
    // 100 copies of each of 4 values
    expect(
      commonShare(
        values.map((_, i) => i % 4),
        runs(400),
      ),
    ).to.equal(0.25);
    expect(commonShare(run(1), runs(1))).to.be.closeTo(1, 1e-12);
    expect(commonShare(run(9), [new Float64Array(9), ...runs(9)])).to.be.at.most(1);
    expect(commonShare(run(9), [new Float64Array(9), new Float64Array(9)])).to.equal(1);
  });

  it('refuses a float32 judgement of numbers that float32 can not hold', () => {
    const problem = adversarialProblem(14, 0);
    problem.inputs.data[0] = 0.1;
    expect(() => budgetFor(problem, precisionModels.wasm)).to.throw(RangeError, /inputs .* roundProblem/s);
  });

  it('zeros where the reference has none fail; NaN fails', () => {
    const problem = adversarialProblem(16, 1, {
      kinds: ['gaussian'],
      scales: [0.3],
      normalized: true,
      plain: true,
    });
    const { evaluation } = budgetFor(problem, precisionModels.wasm);
    const side = { name: 'tfjs:wasm', precision: 'float32' } as const;
    const honest = singlePrecisionRun(problem);
    const [f, u] = problem.weights.kernel.shape;
    const lost = { ...honest, gradients: { ...honest.gradients, kernel: zeros(f, u) } };
    expect(compareEvaluation(problem, evaluation, lost, side).status).to.equal('fail');
    const broken = { ...honest, loss: { data: Float64Array.of(NaN), shape: [] } };
    expect(compareEvaluation(problem, evaluation, broken, side).status).to.equal('fail');
  });
});
