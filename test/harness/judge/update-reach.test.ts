import { expect } from 'chai';
import {
  trainingRules,
  trainingSteps,
  scratchFor,
  type TrainingCheck,
} from '../../../harness/judge/updates/training-checks';
import { biasCorrectionError } from '../../../harness/base/bias-correction';
import { updateReach } from '../../../harness/judge/updates/update-reach';
import { roundProblem, type ProblemWeights } from '../../../harness/base/problem';
import { budgetFor, precisionModelOf } from '../../../harness/budget/index';
import { ruleOnUpdate } from '../../../harness/diagnosis/update/index';
import { each, gradientsOf, HandOptimizer, rightAnswer, type Numbers } from '../../../harness/faults/index';
import { compareTraining } from '../../../harness/judge/index';
import { makeProblem } from '../../../harness/problems/index';
import { weightNames } from '../../../scratch/index';
import { updateBatches } from '../../support/update-batches';

const batches = updateBatches(1);

describe('the reach of an update', () => {
  const rules = Object.keys(trainingRules) as (keyof typeof trainingRules)[];
  for (const name of rules)
    it(`${name}: holds every update whose gradients are within their errors, and is no wider than it must be`, () => {
      const rule: Pick<TrainingCheck, 'optimizer' | 'clipNorm'> = trainingRules[name];
      const check: TrainingCheck = { id: name, ...rule, memory: 'random', batches };
      const [{ start, problem }] = trainingSteps(check, scratchFor(check));
      const question = { ...rule, problem, state: start.state };
      const gradients = gradientsOf(problem);
      // one weight's gradients are off, each away from zero: as wrong as the norm of all can be for that
      const errors = each((weight) =>
        gradients[weight].map((g) => (weight === 'outputKernel' ? 1e-4 * Math.abs(g) : 0)),
      );
      const made = (shift: Numbers, clipNorm = question.clipNorm) =>
        new HandOptimizer({ ...question, clipNorm }, shift).update();
      const reach = updateReach(made, { ...rule, start, gradients, errors, unit: 2 ** -53 });
      const worst = new Map<string, number>();
      for (const sign of [1, -1]) {
        const shift = each((weight) =>
          errors[weight].map((e, i) => sign * Math.sign(gradients[weight][i]) * e),
        );
        const { weights, slots } = made(shift);
        for (const [group, numbers] of Object.entries({ ...slots, weights }))
          for (const weight of weightNames) {
            const { centre, allowed } = reach.get(`${group}.${weight}`) ?? { centre: [], allowed: [] };
            numbers[weight].forEach((x, i) => {
              const share = Math.abs(x - centre[i]) / allowed[i];
              expect(share, `${group}.${weight} ${i}`).to.be.at.most(1);
              worst.set(group, Math.max(worst.get(group) ?? 0, share));
            });
          }
      }
      expect(worst.size).to.equal(1 + Object.keys(start.state.slots).length);
      for (const [group, share] of worst) expect(share, group).to.be.above(0.1);
    });
});

describe("the error of Adam's bias corrections", () => {
  const f = Math.fround;
  /** sqrt(1 - beta2^t) / (1 - beta1^t) as float32 programs make it: by repeated products, or by a power */
  const forms: Readonly<Record<string, (beta: number, t: number) => number>> = {
    'repeated products': (beta, t) => Array.from({ length: t }, () => f(beta)).reduce((p, b) => f(p * b), 1),
    'a power': (beta, t) => f(f(beta) ** t),
  };
  for (const [form, power] of Object.entries(forms))
    it(`${form}: never beyond the bound, and within a factor of 20 of it somewhere`, () => {
      let largest = 0;
      for (const beta1 of [0.5, 0.8, 0.9, 0.97])
        for (const beta2 of [0.9, 0.99, 0.999, 0.9999])
          for (const t of [1, 2, 3, 5, 10, 30, 100, 300, 1000]) {
            const exact = Math.sqrt(1 - beta2 ** t) / (1 - beta1 ** t);
            const made = Math.sqrt(f(1 - power(beta2, t))) / f(1 - power(beta1, t));
            const error = Math.abs(made / exact - 1) / 2 ** -24;
            const bound = biasCorrectionError({ name: 'adam', beta1, beta2 }, t);
            expect(error, `${beta1} ${beta2} ${t}`).to.be.at.most(bound * (1 + bound * 2 ** -24));
            largest = Math.max(largest, error / bound);
          }
      expect(largest).to.be.above(0.05);
    });
});

describe('the check of an update where sigma misses what rounding does', () => {
  const chaotic = makeProblem({
    ...{ id: 'chaotic', seed: 1, batch: 2, timeSteps: 60, features: 2, units: 8, classes: 3, scale: 1 },
    ...{ labels: true, upstreamStates: false, upstreamFinalState: false, initialState: false, mask: false },
  });
  const { kernel, recurrentKernel } = chaotic.weights;
  const calm = { ...recurrentKernel, data: recurrentKernel.data.map((x) => x / 4) };
  const wild = { ...recurrentKernel, data: recurrentKernel.data.map((x) => 4 * x) };

  /** The status of the kernel and the side at fault when its gradient is off by so many times what emulated runs explain. */
  function verdictOn(weights: ProblemWeights['recurrentKernel'], times: number): string[] {
    const batch = roundProblem({ ...chaotic, weights: { ...chaotic.weights, recurrentKernel: weights } });
    const rule = trainingRules.sgd;
    const check: TrainingCheck = { id: 'update', ...rule, memory: 'fresh', batches: [batch] };
    const [step] = trainingSteps(check, scratchFor(check));
    const side = { name: 'tfjs:tensorflow', precision: 'float32' } as const;
    const allowed = budgetFor(step.problem, precisionModelOf(side)).allowed('gradients.kernel', true);
    const own = step.scratch.weights.kernel;
    const off = own.data.map((w, i) => w - rule.optimizer.learningRate * times * allowed[i]);
    const given = { ...step.given, weights: { ...step.given.weights, kernel: { ...own, data: off } } };
    const { optimizer } = rule;
    const reference = rightAnswer(step.problem);
    const verdict = compareTraining({
      ...{ caseId: 'update', optimizer, step: { ...step, given }, reference, side },
    });
    const { status } = verdict.tensors.find(({ tensor }) => tensor === 'weights.kernel') ?? {};
    const ruling = ruleOnUpdate(
      { optimizer, problem: step.problem, state: step.start.state },
      { name: 'scratch', precision: 'float64', result: step.scratch },
      { ...side, result: given },
    );
    return [status ?? 'none', ruling.side];
  }

  it('blames no side for what the rigorous bound allows there, as the judge of results', () => {
    expect(kernel.shape).to.deep.equal([2, 8]);
    expect(verdictOn(wild, 100)).to.deep.equal(['ill', 'undecided']);
    expect(verdictOn(calm, 100)).to.deep.equal(['differs', 'tfjs:tensorflow']);
    expect(verdictOn(calm, 0.5)).to.deep.equal(['pass', 'undecided']);
  });
});
