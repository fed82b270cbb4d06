import { expect } from 'chai';
import fc from 'fast-check';
import { ulpsBetween } from '../../../harness/base/ulps';

/** The next larger number, by adding steps of its own size until one moves it, instead of by its bits. */
function next32(x: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), -126);
  for (const e of [exponent - 2, exponent - 1, exponent, exponent + 1]) {
    const up = Math.fround(x + 2 ** Math.max(e - 23, -149));
    if (up > x) return up;
  }
  throw new Error(`no number after ${x}`);
}

const any = fc.float({ noNaN: true });

describe('units in the last place', () => {
  it('neighbours are one apart, in both directions', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: Math.fround(-1e38), max: Math.fround(1e38) }), (x) => {
        expect(ulpsBetween(x, next32(x), 'float32')).to.equal(1);
        expect(ulpsBetween(next32(x), x, 'float32')).to.equal(1);
      }),
      { seed: 1 },
    );
  });
  it('add up along a way', () => {
    fc.assert(
      fc.property(any, any, any, (...all) => {
        const [a, b, c] = all.sort((x, y) => x - y);
        const parts = ulpsBetween(a, b, 'float32') + ulpsBetween(b, c, 'float32');
        expect(ulpsBetween(a, c, 'float32')).to.equal(parts);
      }),
      { seed: 2 },
    );
  });
  const table: [one: number, other: number, precision: 'float32' | 'float64', ulps: number][] = [
    [1, 1 + 2 ** -23, 'float32', 1],
    [1, 1 - 2 ** -24, 'float32', 1],
    [1, 2, 'float32', 2 ** 23],
    [0, -0, 'float32', 0],
    [-(2 ** -149), 2 ** -149, 'float32', 2],
    [2 ** -126, 0, 'float32', 2 ** 23],
    [1, 1 + 2 ** -40, 'float32', 0],
    [Number.MAX_VALUE, Infinity, 'float64', 1],
    [1, 1 + Number.EPSILON, 'float64', 1],
    [-Number.MIN_VALUE, Number.MIN_VALUE, 'float64', 2],
    [3 * 2 ** -149, 2 ** -149, 'float32', 2],
    [0.625, 0.5, 'float32', 2 ** 21],
    [Infinity, Infinity, 'float64', 0],
    [NaN, 1, 'float64', NaN],
    [1, NaN, 'float32', NaN],
  ];
  for (const [one, other, precision, ulps] of table) {
    it(`${one} and ${other} in ${precision}: ${ulps}`, () => {
      expect(ulpsBetween(one, other, precision)).to.deep.equal(ulps);
    });
  }
});
