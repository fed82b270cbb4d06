import { expect } from 'chai';
import { fuzzCase } from '../../../harness/fuzz/series';
import { put } from '../../../harness/fuzz/judge-problem';
import { honestForms, honestProgram } from './honest-programs';

/** The same for every program: what is derived from a problem is derived once. */
const problems = Array.from({ length: 30 }, (_, i) => fuzzCase(2041, i).problem);

describe('honest programs', () => {
  for (const form of honestForms)
    it(`${form.precision}, ${form.name}: no false alarm in 30 problems`, async () => {
      const side = honestProgram(form);
      let pass = 0;
      for (const problem of problems) {
        const { verdict } = await put(side, problem);
        expect(verdict.failing, problem.id).to.deep.equal([]);
        if (verdict.status === 'pass') pass++;
      }
      expect(pass).to.be.above(24);
    });

  it('does not let another function pass: a tanh that is off by 2e-6, or by 1e-5 of itself', async () => {
    const wrong = [
      { tanh: (z: number, round: (x: number) => number) => round(Math.tanh(z) + 2e-6) },
      { tanh: (z: number, round: (x: number) => number) => round(Math.tanh(z) * (1 + 1e-5)) },
    ];
    for (const change of wrong) {
      const side = honestProgram({ name: 'wrong', precision: 'float32', slope: 'cosh', ...change });
      let failed = 0;
      for (const problem of problems.slice(0, 20)) {
        const { verdict } = await put(side, problem);
        if (verdict.status === 'fail') failed++;
      }
      expect(failed).to.be.at.least(18);
    }
  });
});
