import { expect } from 'chai';
import { examine } from '../../../harness/examine/examine';
import { fuzzCase } from '../../../harness/fuzz/series';
import { precisionModels } from '../../../harness/budget/precision-model';
import { measureConstants } from '../../../harness/sides/arithmetic/index';
import { measureSensitivity } from '../../../harness/trial/sensitivity';
import { scratchImplementation, tfjsImplementation } from '../../../harness/sides/index';
import { backendNames, loadBackend, type LoadedBackend } from '../../../src/index';

describe('the judge on real sides', () => {
  for (const name of backendNames) {
    describe(name, () => {
      let backend: LoadedBackend;
      before(async () => {
        backend = await loadBackend(name);
      });

      it("keeps the backend's functions within the constants of its precision model", async () => {
        const { kappa } = precisionModels[name];
        for (const error of await measureConstants(backend, 2003)) {
          expect(error.points).to.be.above(10_000);
          expect(error.largest, `${error.name} at ${error.at}`).to.be.at.most(kappa[error.name]);
          // not far above what is measured either, else the budgets would be loose
          expect(error.largest * 2, error.name).to.be.above(kappa[error.name]);
        }
      });

      const honest = {
        'a gradient cancels to exactly zero, and eight emulated runs all came nearer to it': 1480,
        'a chaotic state is -1 for 1': 2837,
      };
      for (const [where, index] of Object.entries(honest))
        it(`is not blamed where ${where}`, async () => {
          const { status, verdicts } = await examine(
            tfjsImplementation(backend),
            fuzzCase(2027, index).problem,
          );
          expect(status, JSON.stringify(verdicts)).to.not.equal('fail');
        });

      it('raises no false alarm and finds both small faults', async () => {
        const result = await measureSensitivity(tfjsImplementation(backend), {
          cases: 40,
          seed: 31,
          stride: 4,
        });
        expect(result.falseAlarms).to.deep.equal([]);
        expect(result.pass).to.be.above(30);
        expect(result.weightGradientBudget).to.be.below(64);
        expect(result.oneWeight.byAny / result.oneWeight.planted).to.be.at.least(0.9);
        expect(result.scaledGradients.byAny / result.scaledGradients.planted).to.be.at.least(0.8);
      });
    });
  }

  it('the scratch network against the budget of float64: no false alarm', async () => {
    const result = await measureSensitivity(scratchImplementation(), { cases: 120, seed: 32, stride: 1000 });
    expect(result.falseAlarms).to.deep.equal([]);
    expect(result.pass).to.be.above(90);
  });
});
