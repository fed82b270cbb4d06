import { expect } from 'chai';
import {
  catalogue,
  equivalents,
  heldOut,
  heldOutUpdates,
  stepFaultNames,
  updateEquivalents,
  updateFaults,
} from '../../../harness/faults/index';
import { problemsFor, stepCases } from '../../../harness/trial/problems';
import { updateCases } from '../../../harness/trial/update-trial';

describe('the problems of a trial', () => {
  const sizes = { shapes: 5, seeds: 3, seed: 1 };
  const all = sizes.shapes * sizes.seeds;

  for (const [what, faults] of Object.entries({ catalogue, equivalents, heldOut }))
    it(`plant every one of ${what} as often as any other`, () => {
      expect(faults.length).to.be.above(0);
      for (const fault of faults) expect(problemsFor(fault, sizes).flat().length, fault.name).to.equal(all);
    });

  for (const [what, faults] of Object.entries({ updateFaults, updateEquivalents, heldOutUpdates }))
    it(`plant every one of ${what} in every series of batches, where it is computed`, () => {
      expect(faults.length).to.be.above(0);
      for (const fault of faults) {
        expect(updateCases(fault, sizes).length, fault.name).to.equal(all);
        expect(updateCases(fault, { shapes: 1, seeds: 1, seed: 1 }).length, fault.name).to.equal(1);
      }
    });

  it('plant every fault of a single step at least once, also in the smallest trial', () => {
    const planted = stepCases({ shapes: 1, seeds: 1, seed: 1 }).map(([{ name }]) => name);
    expect([...new Set(planted)]).to.have.members(stepFaultNames.map((name) => `step/${name}`));
  });
});
