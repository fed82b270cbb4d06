import { expect } from 'chai';
import {
  trainingRules,
  trainingSteps,
  scratchFor,
  type TrainingCheck,
} from '../../../harness/judge/updates/training-checks';
import { biasCorrectionError, updateReach } from '../../../harness/judge/updates/update-reach';
import { each, gradientsOf, HandOptimizer, type Numbers } from '../../../harness/faults/index';
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
