import { expect } from 'chai';
import { zeros } from '../../../scratch/index';
import { evaluateWithTfjs, TfSimpleRNNClassifier } from '../../../src/index';
import { describeOnBackends } from '../../support/backends';

/** Logits, label, and what follows from them by hand: loss, and dlogits with B = 1. */
const table: readonly [string, number[], number, number, number[]][] = [
  ['the label far above', [1e6, -1e6, 0], 0, 0, [0, 0, 0]],
  ['the label 2e6 below', [1e6, -1e6, 0], 1, 2e6, [1, -1, 0]],
  ['the label 1e6 below', [1e6, -1e6, 0], 2, 1e6, [1, 0, -1]],
  ['equal and huge', [1e6, 1e6, -1e6], 0, Math.log(2), [-0.5, 0.5, 0]],
  ['equal and hugely negative', [-1e6, -1e6, -1e6], 1, Math.log(3), [1 / 3, -2 / 3, 1 / 3]],
  ['beyond exp', [100, 0, -100], 0, 0, [0, 0, 0]],
  ['the label 100 below', [100, 0, -100], 1, 100, [1, -1, 0]],
];

describeOnBackends('src/eager at extreme logits', (backend) => {
  for (const [what, logits, label, loss, dLogits] of table) {
    it(`${what}: loss and gradients are exact`, () => {
      // weights of zero: the output bias is the logits, its gradient dlogits
      const weights = {
        kernel: zeros(1, 1),
        recurrentKernel: zeros(1, 1),
        bias: zeros(1),
        outputKernel: zeros(1, 3),
        outputBias: { data: Float64Array.from(logits), shape: [3] },
      };
      const inputs = zeros(1, 2, 1);
      for (const gradients of ['autodiff', 'bptt'] as const) {
        const model = new TfSimpleRNNClassifier({
          backend: backend(),
          features: 1,
          units: 1,
          classes: 3,
          weights,
          gradients,
        });
        const evaluated = evaluateWithTfjs(backend(), { inputs, labels: [label], weights }, { gradients });
        const found = model.lossAndGradients(inputs, [label]);
        const losses = [
          found.loss,
          evaluated.loss?.data[0],
          model.loss(inputs, [label]),
          model.trainOnBatch(inputs, [label]).loss,
        ];
        model.dispose();
        for (const l of losses) expect(l).to.be.closeTo(loss, 2e-7 * Math.max(1, loss));
        for (const { outputBias } of [found.gradients, evaluated.gradients ?? found.gradients]) {
          expect(outputBias?.data).to.have.length(3);
          outputBias?.data.forEach((d, c) => expect(d).to.be.closeTo(dLogits[c], 2e-7));
        }
        const sum = found.probabilities.data.reduce((a, p) => a + p);
        expect(sum).to.be.closeTo(1, 2e-7);
      }
    });
  }
});
