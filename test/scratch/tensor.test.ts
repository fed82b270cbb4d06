import { expect } from 'chai';
import {
  borrowTensor,
  firstNotFinite,
  indexOf,
  makeTensor,
  toNested,
  toTensor,
  zeros,
} from '../../scratch/index';

describe('scratch/tensor', () => {
  it('brings nested arrays in and out unchanged', () => {
    const nested = [
      [
        [1, 2],
        [2, 3],
        [3, 4],
      ],
    ];
    expect(toNested(toTensor(nested, 'x', ['B', 'T', 2]))).to.deep.equal(nested);
  });

  it('copies at the door, or borrows a flat array of floats that is only read', () => {
    const flat = { data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] };
    expect(toTensor(flat, 'x')).to.deep.equal(flat);
    expect(toTensor(flat, 'x').data).not.to.equal(flat.data);
    expect(borrowTensor(flat, 'x', ['B', 2]).data).to.equal(flat.data);
    const single = { data: Float32Array.of(0.5, 0.25), shape: [2] };
    expect(Array.from(borrowTensor(single, 'x').data)).to.deep.equal([0.5, 0.25]);
    const [own, borrowed] = [toTensor(single, 'x'), borrowTensor(single, 'x')];
    expect(borrowed.float32).to.equal(single.data);
    single.data.fill(NaN);
    expect(own.data).to.deep.equal(Float64Array.of(0.5, 0.25));
    expect(() => borrowTensor(single, 'x')).to.throw(/x holds NaN at \[0\]/);
    expect(Array.from(toTensor({ data: [7], shape: [] }, 'x').data)).to.deep.equal([7]);
  });

  it('finds the position of a flat index, and refuses data that do not fill a shape', () => {
    expect(indexOf(23, [2, 3, 4])).to.deep.equal([1, 2, 3]);
    expect(zeros(2, 3).data.length).to.equal(6);
    expect(() => makeTensor(new Float64Array(5), [2, 3])).to.throw(/5 numbers do not fill shape \[2, 3\]/);
  });

  it('finds the first number that is not finite at every place of arrays of every length', () => {
    for (let length = 0; length <= 9; length++) {
      const data = Float64Array.from({ length }, (_, i) => [Number.MAX_VALUE, -5e-324, -0, -1e308][i % 4]);
      expect(firstNotFinite(data)).to.equal(-1);
      for (let at = 0; at < length; at++) {
        for (const bad of [NaN, Infinity, -Infinity]) {
          const damaged = data.with(at, bad);
          expect(firstNotFinite(damaged), `${bad} at ${at} of ${length}`).to.equal(at);
          damaged.fill(Infinity, at + 1);
          expect(firstNotFinite(damaged)).to.equal(at);
        }
      }
    }
  });

  const bad: [string, unknown, RegExp][] = [
    ['a ragged row', [[1, 2], [3]], /x is ragged: \[1\] has 1 elements .* 2 elements/],
    ['a number where a row belongs', [[1], 2], /x is ragged: \[1\] has a number/],
    ['NaN', [[1, NaN]], /x holds NaN at \[0, 1\]/],
    ['an empty array', [], /x has shape \[0\]/],
    ['an empty row', [[]], /axis 1 is empty/],
    ['null', null, /x is null/],
    ['a string element', [['a']], /x holds a string at \[0, 0\]/],
    ['too deep an array', [[1, [2]]], /x holds an array of 1 at \[0, 1\]/],
    [
      'flat data that does not fill its shape',
      { data: [1], shape: [2, 1] },
      /x has 1 numbers for shape \[2, 1\]/,
    ],
  ];
  for (const [what, value, message] of bad) {
    it(`refuses ${what}`, () => expect(() => toTensor(value as never, 'x', ['B', 'F'])).to.throw(message));
  }
});
