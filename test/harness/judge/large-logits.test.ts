import { expect } from 'chai';
import { compareEvaluation, judgeLocally, problemForLocalJudgement } from '../../../harness/judge/index';
import { precisionModels } from '../../../harness/budget/precision-model';
import { scratchImplementation } from '../../../harness/sides/index';
import { suiteProblems } from '../../../harness/problems/digits/index';
import type { Evaluation, Problem } from '../../../harness/base/problem';
import { createRandom, type Tensor } from '../../../scratch/index';
import { honestRun } from './honest-run';

const model = precisionModels.wasm;
const side = { name: 'tfjs:wasm', precision: 'float32' } as const;

/**
 * p = exp(y - lse), lse = m + log(sum of exp(y - m)), every operation in single precision: the other usual way beside
 * exp(y - m) / sum. Rounding m + log s is where large logits could cost something.
 */
function byLogSumExp(answer: Evaluation): Evaluation {
  const { data, shape } = answer.logits as Tensor;
  const [batch, classes] = shape;
  const probabilities = new Float64Array(data.length);
  const r = Math.fround;
  for (let b = 0; b < batch; b++) {
    const row = data.subarray(b * classes, (b + 1) * classes);
    const m = row.reduce((max, y) => Math.max(max, y), -Infinity);
    const s = row.reduce((sum, y) => r(sum + r(Math.exp(r(y - m)))), 0);
    const lse = r(m + r(Math.log(s)));
    row.forEach((y, c) => (probabilities[b * classes + c] = r(Math.exp(r(y - lse)))));
  }
  return { ...answer, probabilities: { data: probabilities, shape } };
}

/** Logits of about `size`, close together or far apart. */
function withLogits(problem: Problem, size: number, apart: number, seed: number): Problem {
  const random = createRandom(seed);
  const { outputBias } = problem.weights as { outputBias: Tensor };
  const data = outputBias.data.map(() => Math.fround(size + apart * random.normal()));
  return { ...problem, weights: { ...problem.weights, outputBias: { ...outputBias, data } } };
}

describe('logits of any size', () => {
  let edge: Problem;
  before(async () => {
    [edge] = await suiteProblems(1, 0, (id) => id === 'edge/no-initial-state');
  });

  it('a softmax by way of log-sum-exp stays within the budget, close together or far apart', async () => {
    const scratch = scratchImplementation();
    let used = 0;
    for (const size of [0, 1, 100, 1e4, 1e6, -1e6, 4e6]) {
      for (const apart of [0.001, 0.1, 1, 10, 1000]) {
        for (let seed = 0; seed < 4; seed++) {
          const problem = withLogits(edge, size, apart, seed);
          const answer = byLogSumExp(honestRun(problem, model, seed));
          const reference = await scratch.evaluate(problem);
          const results = compareEvaluation(problem, reference, answer, side).tensors;
          const inner = byLogSumExp(honestRun(problemForLocalJudgement(problem), model, seed));
          for (const t of [...results, ...judgeLocally(problem, inner, side)]) {
            const where = `${t.tensor} at ${size} +- ${apart}, ${seed}`;
            expect(t.status, where).to.be.oneOf(['pass', 'zero', 'ill']);
            if (t.tensor === 'probabilities') used = Math.max(used, t.worst?.usedShare ?? 0);
          }
        }
      }
    }
    expect(used, 'the budget is not loose').to.be.above(0.1);
  });

  it('and where one class has won, nothing is ill-conditioned, so that a wrong loss fails', async () => {
    const scratch = scratchImplementation();
    for (const problem of await suiteProblems(2, 0, (id) => /^extreme|one-class/.test(id))) {
      const reference = await scratch.evaluate(problem);
      const honest = honestRun(problem, model, 3);
      const verdict = compareEvaluation(problem, reference, honest, side);
      expect(verdict.status, problem.id).to.equal('pass');
      const loss = { shape: [], data: (honest.loss as Tensor).data.map((x) => x * 1.00001 + 1e-5) };
      const wrong = compareEvaluation(problem, reference, { ...honest, loss }, side);
      expect(wrong.tensors.find(({ tensor }) => tensor === 'loss')?.status, problem.id).to.equal('differs');
    }
  });
});

describe('the default suite', () => {
  it('holds no tensor that is ill-conditioned in single precision, by results or by steps', async () => {
    const scratch = scratchImplementation();
    for (const problem of await suiteProblems(1, 36)) {
      if (problem.id === 'notebook/example') continue;
      const reference = await scratch.evaluate(problem);
      const { tensors } = compareEvaluation(problem, reference, honestRun(problem, model, 1), side);
      const answer = honestRun(problemForLocalJudgement(problem), model, 1);
      const ill = [...tensors, ...judgeLocally(problem, answer, side)].filter(
        ({ status }) => status === 'ill',
      );
      expect(ill, problem.id).to.deep.equal([]);
    }
  });
});
