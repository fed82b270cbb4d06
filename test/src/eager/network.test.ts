import { expect } from 'chai';
import { ScratchNetwork } from '../../../scratch/index';
import { TfNetwork } from '../../../src/index';
import { describeOnBackends } from '../../support/backends';
import { nameOf, networkCases, questionFor, tensorsOf } from '../../support/network-cases';
import { scaledDifference } from '../../support/layer-problem';

describeOnBackends('TfNetwork', (backend) => {
  for (const gradients of ['autodiff', 'bptt'] as const) {
    describe(gradients, () => {
      networkCases.forEach((config, i) => {
        it(nameOf(config), () => {
          const { masked = false, ...described } = config;
          const scratch = new ScratchNetwork({ ...described, seed: i });
          const { inputs, question } = questionFor(scratch, i, masked);
          const twin = new TfNetwork({ backend: backend(), gradients, ...described, seed: i });
          const expected = tensorsOf(scratch.run(inputs, question));
          const given = tensorsOf(twin.run(inputs, question));
          twin.dispose();
          expect([...given.keys()]).to.have.members([...expected.keys()]);
          for (const [name, tensor] of expected) {
            expect(given.get(name)!.shape, name).to.deep.equal(tensor.shape);
            expect(scaledDifference(given.get(name)!.data, tensor.data), name).to.be.below(1e-5);
          }
        });
      });
    });
  }
});
