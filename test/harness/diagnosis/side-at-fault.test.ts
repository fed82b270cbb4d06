import { expect } from 'chai';
import { budgetFor } from '../../../harness/budget/budget';
import { compareEvaluation } from '../../../harness/judge/index';
import { precisionModels } from '../../../harness/budget/precision-model';
import { adversarialProblem } from '../../../harness/problems/adversarial';
import { tensorOf, type Evaluation, type Problem } from '../../../harness/base/problem';
import { derivativeOf, doublePrecisionRun, singlePrecisionRun } from '../../../harness/budget/index';
import { sideAtFault, type Party } from '../../../harness/diagnosis/side-at-fault';
import { createRandom, type ClassifierGradients, type Tensor } from '../../../scratch/index';
import { honestRun } from '../judge/honest-run';

const scratch = (evaluation: Evaluation): Party => ({ name: 'scratch', precision: 'float64', evaluation });
const wasm = (evaluation: Evaluation): Party => ({ name: 'tfjs:wasm', precision: 'float32', evaluation });

/** One classic mistake each, made by solving another problem or by spoiling the answer. */
const faults: readonly ((problem: Problem, solve: (p: Problem) => Evaluation) => Evaluation)[] = [
  (problem, solve) => {
    const { recurrentKernel } = problem.weights;
    const [u] = recurrentKernel.shape;
    const data = recurrentKernel.data.map((_, i) => recurrentKernel.data[(i % u) * u + Math.floor(i / u)]);
    return solve({
      ...problem,
      weights: { ...problem.weights, recurrentKernel: { ...recurrentKernel, data } },
    });
  },
  (problem, solve) => {
    const bias = problem.weights.bias.data.map((x) => Math.fround(2 * x));
    return solve({
      ...problem,
      weights: { ...problem.weights, bias: { ...problem.weights.bias, data: bias } },
    });
  },
  (problem, solve) => scaled(solve(problem), problem.inputs.shape[0] + 1),
  (problem, solve) => scaled(solve(problem), 1 + 1e-3),
];

function scaled(answer: Evaluation, factor: number): Evaluation {
  const gradients = Object.fromEntries(
    Object.entries(answer.gradients ?? {}).map(([key, tensor]: [string, Tensor]) => [
      key,
      { ...tensor, data: tensor.data.map((x) => x * factor) },
    ]),
  );
  return { ...answer, gradients };
}

const problemOf = (i: number): Problem =>
  adversarialProblem(51, i, { largest: { batch: 4, timeSteps: 8, features: 6, units: 8, classes: 5 } });

describe('dual numbers', () => {
  it('agree with backpropagation through time in every direction, within the float64 budget', () => {
    for (let i = 0; i < 150; i++) {
      const problem = problemOf(i);
      const budget = budgetFor(problem, precisionModels.float64);
      const { gradients } = budget.evaluation;
      const random = createRandom(i);
      for (const [key, gradient] of Object.entries(gradients ?? {}) as [
        keyof ClassifierGradients,
        Tensor,
      ][]) {
        const direction = gradient.data.map(() => random.normal());
        const bound = budget.spread(`gradients.${key}`).bound;
        let expected = 0;
        let allowed = 0;
        gradient.data.forEach((g, k) => {
          expected += g * direction[k];
          allowed += (bound[k] + 1e-15 * Math.abs(g) * gradient.data.length) * Math.abs(direction[k]);
        });
        const derivative = derivativeOf(problem, { [key]: direction });
        if (!(Math.abs(derivative - expected) <= allowed))
          expect.fail(`${problem.id} ${key}: ${derivative} against ${expected}, allowed ${allowed}`);
      }
    }
  });
});

const gradientNames = [
  'gradients.outputKernel',
  'gradients.outputBias',
  'gradients.inputs',
  'gradients.initialState',
  'gradients.kernel',
  'gradients.recurrentKernel',
  'gradients.bias',
] as const;

describe('the side at fault', () => {
  const right = (problem: Problem): Evaluation => doublePrecisionRun(problem);
  const single = (problem: Problem, i: number): Evaluation => honestRun(problem, precisionModels.wasm, i);

  it('is undecided when both are right', () => {
    for (let i = 0; i < 60; i++) {
      const problem = problemOf(i);
      const ruling = sideAtFault(problem, scratch(right(problem)), wasm(single(problem, i)), { runs: 40 });
      expect(ruling.side, problem.id).to.equal('undecided');
    }
  });

  it('is named for planted faults, never wrongly', () => {
    const named = { scratch: 0, candidate: 0, both: 0 };
    let planted = 0;
    for (let i = 0; i < 80; i++) {
      const problem = problemOf(200 + i);
      const fault = faults[i % faults.length];
      const wrongScratch = fault(problem, right);
      const wrongWasm = fault(problem, (p) => single(p, i));
      const visible = (wrong: Evaluation): boolean =>
        compareEvaluation(problem, right(problem), wrong, { name: 'tfjs:wasm', precision: 'float32' })
          .status === 'fail';
      if (!visible(wrongWasm) || !visible(wrongScratch)) continue;
      planted++;
      const options = { runs: 60, suspects: worstOf(problem, wrongWasm) };
      const one = sideAtFault(problem, scratch(wrongScratch), wasm(single(problem, i)), options);
      expect(one.side).to.be.oneOf(['scratch', 'undecided']);
      if (one.side === 'scratch') named.scratch++;
      const two = sideAtFault(problem, scratch(right(problem)), wasm(wrongWasm), options);
      expect(two.side).to.be.oneOf(['tfjs:wasm', 'undecided']);
      if (two.side === 'tfjs:wasm') named.candidate++;
      const three = sideAtFault(problem, scratch(wrongScratch), wasm(wrongWasm), options);
      if (three.side === 'both') named.both++;
    }
    expect(planted).to.be.above(50);
    expect(named.scratch / planted).to.be.at.least(0.99);
    expect(named.candidate / planted).to.be.at.least(0.99);
    expect(named.both / planted).to.be.at.least(0.99);
  });

  it('says when gradients were sampled', () => {
    const problem = problemOf(3);
    const few = sideAtFault(problem, scratch(right(problem)), wasm(singlePrecisionRun(problem)), { runs: 8 });
    expect(few.note).to.match(/sampled/);
    const all = sideAtFault(problem, scratch(right(problem)), wasm(singlePrecisionRun(problem)), {
      runs: 1e6,
    });
    expect(all.note).to.match(/^all \d+ numbers/);
  });
});

function worstOf(problem: Problem, given: Evaluation): Record<string, number[]> {
  const reference = doublePrecisionRun(problem);
  return Object.fromEntries(
    gradientNames.map((name) => {
      const r = tensorOf(reference, name)?.data ?? new Float64Array(0);
      const g = tensorOf(given, name)?.data ?? new Float64Array(0);
      let worst = 0;
      r.forEach((x, k) => {
        if (Math.abs(g[k] - x) > Math.abs(g[worst] - r[worst])) worst = k;
      });
      return [name, [worst]];
    }),
  );
}
