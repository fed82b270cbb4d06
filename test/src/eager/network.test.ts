import { expect } from 'chai';
import { ScratchNetwork } from '../../../scratch/index';
import { TfNetwork, type LoadedBackend } from '../../../src/index';
import { describeOnBackends, testedBackends } from '../../support/backends';
import { answerTo, cases, flattened, madeBy, titleOf } from '../../support/cell-vectors';
import { scaledDifference } from '../../support/layer-problem';
import { nameOf, networkCases, questionFor, tensorsOf } from '../../support/network-cases';

const fastBackends = testedBackends.filter((name) => name !== 'cpu');
/** Outputs that are walked backwards: network-budgets.test.ts, which has all other cases on these backends, has no equations for them. */
const turned = networkCases.filter(({ layers }) =>
  layers.some((layer) => 'goBackwards' in layer && layer.goBackwards && layer.returnSequences),
);

const asScratch = (all: typeof networkCases) => (backend: () => LoadedBackend) => {
  for (const gradients of ['autodiff', 'bptt'] as const) {
    all.forEach((config, i) => {
      it(`${gradients}: ${nameOf(config)}`, () => {
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
  }
};
describeOnBackends('TfNetwork gives what scratch gives', asScratch(networkCases), ['cpu']);
describeOnBackends('TfNetwork gives what scratch gives', asScratch(turned), fastBackends);

describeOnBackends(
  `TfNetwork against ${madeBy}`,
  (backend) => {
    for (const example of cases) {
      it(titleOf(example), () => {
        const expected = flattened(example.expected, example.given.mask);
        for (const gradients of ['autodiff', 'bptt'] as const) {
          const found = answerTo(
            example,
            (options) => new TfNetwork({ backend: backend(), gradients, ...options }),
          );
          expect([...found.keys()]).to.have.members([...expected.keys()]);
          for (const [name, data] of expected) {
            expect(scaledDifference(found.get(name)!, data), `${gradients}: ${name}`).to.be.below(1e-5);
          }
        }
      });
    }
  },
  fastBackends,
);
