import { expect } from 'chai';
import * as fc from 'fast-check';
import { argmax, softmax, softmaxCrossEntropy } from '../../scratch/index';
import { normalTensor } from '../support/layer-problem';

describe('scratch/softmax-cross-entropy', () => {
  // exact values: the loss of two logits d apart is log(1 + e^d) for the smaller one, log(1 + e^-d) for the larger one
  const table: [string, number[], number, number, number[]][] = [
    ['equal logits', [0, 0], 1, Math.log(2), [0.5, -0.5]],
    ['equal huge logits', [1e6, 1e6, 1e6], 0, Math.log(3), [-2 / 3, 1 / 3, 1 / 3]],
    ['the label 2e6 below', [1e6, -1e6], 1, 2e6, [1, -1]],
    ['the label 2e6 above', [1e6, -1e6], 0, 0, [-0, 0]],
    [
      'the label 40 above: log1p(e^-40), not 0',
      [40, 0],
      0,
      Math.log1p(Math.exp(-40)),
      [-Math.exp(-40), Math.exp(-40)],
    ],
    ['the label 745 above, the last denormal', [745, 0], 0, 5e-324, [-5e-324, 5e-324]],
    [
      'all very negative',
      [-1e6, -1e6 - 1],
      0,
      Math.log1p(Math.exp(-1)),
      [-1 / (1 + Math.E), 1 / (1 + Math.E)],
    ],
    ['one class', [3], 0, 0, [-0]],
  ];
  for (const [what, logits, label, loss, gradient] of table) {
    it(`is exact for ${what}`, () => {
      const result = softmaxCrossEntropy([logits], [label]);
      expect(Math.abs(result.loss - loss)).to.be.at.most(4e-16 * loss);
      result.dLogits.data.forEach((g, i) =>
        expect(Math.abs(g - gradient[i])).to.be.at.most(4e-16 * Math.abs(gradient[i])),
      );
    });
  }

  it('averages over the batch: loss and gradient carry 1/B', () => {
    const one = softmaxCrossEntropy([[1, 2, 3]], [0]);
    const four = softmaxCrossEntropy(
      [
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
      ],
      [0, 0, 0, 0],
    );
    expect(four.loss).to.equal(one.loss);
    expect(Array.from(four.dLogits.data.subarray(0, 3))).to.deep.equal(
      Array.from(one.dLogits.data, (g) => g / 4),
    );
  });

  it('probabilities sum to 1, gradients of a row to 0, shifting a row changes nothing', () => {
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 2, max: 7 }),
        fc.constantFrom(0.01, 1, 30, 1e4),
        (seed, B, C, scale) => {
          const logits = normalTensor(seed, scale, B, C);
          const labels = Array.from({ length: B }, (_, b) => (seed + b) % C);
          const { loss, probabilities, dLogits } = softmaxCrossEntropy(logits, labels);
          expect(loss).to.be.at.least(0);
          expect(softmax(logits)).to.deep.equal(probabilities);
          for (let b = 0; b < B; b++) {
            const row = (data: Float64Array) => data.subarray(b * C, (b + 1) * C).reduce((s, x) => s + x, 0);
            expect(row(probabilities.data)).to.be.closeTo(1, 4e-16 * C);
            expect(row(dLogits.data)).to.be.closeTo(0, 4e-16);
          }
          const shifted = { ...logits, data: logits.data.map((x) => x + 1024) };
          expect(softmaxCrossEntropy(shifted, labels).loss).to.be.closeTo(loss, 1e-12 * Math.max(1, scale));
        },
      ),
    );
  });

  it('the gradient is the derivative of the loss', () => {
    const logits = normalTensor(9, 2, 3, 5);
    const labels = [4, 0, 2];
    const { dLogits } = softmaxCrossEntropy(logits, labels);
    dLogits.data.forEach((g, i) => {
      const at = (by: number) =>
        softmaxCrossEntropy({ ...logits, data: logits.data.map((x, j) => (i === j ? x + by : x)) }, labels)
          .loss;
      // five-point formula: truncation h^4/30 · f'''''
      const [h, weights] = [1e-3, [8, -1]];
      const slope = weights.reduce((s, w, k) => s + (w * (at((k + 1) * h) - at(-(k + 1) * h))) / (12 * h), 0);
      expect(g).to.be.closeTo(slope, 1e-11);
    });
  });

  it('argmax takes the first of equals', () => {
    expect(Array.from(argmax({ data: Float64Array.of(1, 3, 3, 0, 0, 0), shape: [2, 3] }))).to.deep.equal([
      1, 0,
    ]);
  });

  const bad: [string, unknown, unknown, RegExp][] = [
    [
      'a label beyond the classes',
      [[1, 2]],
      [2],
      /labels holds 2 at \[0\]; a label is an integer from 0 to 1/,
    ],
    ['a negative label', [[1, 2]], [-1], /labels holds -1/],
    ['a fractional label', [[1, 2]], [0.5], /labels holds 0.5/],
    ['NaN as a label', [[1, 2]], [NaN], /labels holds NaN/],
    ['a string as a label', [[1, 2]], ['1'], /labels holds "1" at/],
    [
      'too few labels',
      [
        [1, 2],
        [3, 4],
      ],
      [0],
      /labels has 1 elements for 2 examples/,
    ],
    ['no labels', [[1, 2]], undefined, /labels is undefined/],
    ['a flat row of logits', [1, 2], [0], /logits has shape \[2\] but \[B, C\] was expected/],
    ['an infinite logit', [[Infinity, 2]], [0], /logits holds Infinity at \[0, 0\]/],
  ];
  for (const [what, logits, labels, message] of bad) {
    it(`refuses ${what}`, () =>
      expect(() => softmaxCrossEntropy(logits as never, labels as never)).to.throw(message));
  }
});
