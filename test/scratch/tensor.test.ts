import { expect } from 'chai';
import { toNested, toTensor } from '../../scratch/index';

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
