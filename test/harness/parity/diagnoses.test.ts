import { expect } from 'chai';
import { precisionModelOf, precisionModels } from '../../../harness/budget/precision-model';
import { scratchImplementation } from '../../../harness/sides/index';
import { generatedProblem } from '../../../harness/problems/generated';
import { runParity } from '../../../harness/parity/index';
import { plant, faultsOfStep } from '../../../harness/faults/index';

describe('diagnoses of a parity run', () => {
  const problems = [0, 1, 2, 3, 4].map((i) => generatedProblem(1, i));
  const run = (implementation: ReturnType<typeof plant>): ReturnType<typeof runParity> =>
    runParity({
      problems,
      sides: [{ name: 'mine', required: true, open: () => Promise.resolve({ implementation }) }],
    });

  it('are empty where all is well', async () => {
    const report = await run({ ...scratchImplementation(), name: 'mine' });
    expect(report).to.include({ verdict: 'parity' });
    expect(report.diagnoses).to.deep.equal([]);
  });

  it('tell of three failed problems where a mistake begins, and say that they are not all', async () => {
    const fault = faultsOfStep(1).find(({ name }) => name === 'step/weights/bias-forgotten');
    if (fault === undefined) throw new Error('the fault is gone');
    const report = await run({ ...plant(fault, scratchImplementation()), name: 'mine' });
    expect(report.verdict).to.equal('mismatch');
    expect(report.diagnoses.length).to.equal(3);
    for (const found of report.diagnoses) {
      expect(found).to.include({ implementation: 'mine', phase: 'forward', tensor: 'states', side: 'mine' });
      expect(found.timeSteps).to.deep.equal([1]);
      expect(found.kind?.page).to.match(/^docs\/bptt\.md#/);
    }
    expect(report.notes.join()).to.include('3 of 5 failed problems were diagnosed, ordinary ones first');
  });
});

describe('the precision of a side', () => {
  it('with hand-written gradients is that of its backend', () => {
    for (const name of ['cpu', 'wasm', 'tensorflow'] as const)
      expect(precisionModelOf({ name: `tfjs:${name}:bptt`, precision: 'float32' })).to.equal(
        precisionModels[name],
      );
  });
});
