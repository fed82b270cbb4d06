import { expect } from 'chai';
import fc from 'fast-check';
import { quantile, speedup, spreadOf } from '../../../harness/bench/statistics';

describe('harness/bench statistics', () => {
  it('gives the quantiles that NumPy gives', () => {
    // numpy.percentile([3.1, 0.2, 7.7, 1.5, 4.4, 2.9, 9.0], [0, 10, 25, 50, 75, 90, 100])
    const sample = [3.1, 0.2, 7.7, 1.5, 4.4, 2.9, 9.0];
    const expected = [0.2, 0.98, 2.2, 3.1, 6.05, 8.22, 9.0];
    [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1].forEach((p, i) => {
      expect(quantile(sample, p)).to.be.closeTo(expected[i], 1e-12);
    });
  });

  it('takes the one number of a sample of one', () => {
    expect(spreadOf([5])).to.deep.equal({ count: 1, min: 5, q1: 5, median: 5, q3: 5, max: 5 });
  });

  it('orders the five numbers and does not depend on the order of the sample', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 }), (sample) => {
        const { min, q1, median, q3, max } = spreadOf(sample);
        expect(min <= q1 && q1 <= median && median <= q3 && q3 <= max).to.equal(true);
        expect(spreadOf([...sample].reverse())).to.deep.equal(spreadOf(sample));
      }),
    );
  });

  it('refuses an empty sample and numbers that are not finite', () => {
    expect(() => quantile([], 0.5)).to.throw(RangeError, '0 numbers');
    expect(() => quantile([1, NaN], 0.5)).to.throw(RangeError, 'all finite');
    expect(() => quantile([1], 2)).to.throw(RangeError, 'p = 2');
  });

  it('pairs times of the same round, so that a machine that slows down cancels', () => {
    const slowdown = [1, 5, 2, 10];
    const result = speedup(
      slowdown.map((factor) => 2 * factor),
      slowdown.map((factor) => 6 * factor),
    );
    expect(result?.paired).to.deep.equal({ count: 4, min: 3, q1: 3, median: 3, q3: 3, max: 3 });
    expect(result?.ofMedians).to.equal(3);
  });

  it('distinguishes the ratio of medians from the median of ratios', () => {
    const result = speedup([1, 2, 4], [8, 2, 6]);
    expect(result?.paired.median).to.equal(1.5);
    expect(result?.ofMedians).to.equal(3);
  });

  it('leaves out rounds that only one side has', () => {
    const result = speedup([1, undefined, 3], [2, 100, undefined]);
    expect(result).to.deep.include({ ofMedians: 2 });
    expect(result?.paired.count).to.equal(1);
    expect(speedup([1, undefined], [undefined, 1])).to.equal(undefined);
  });
});
