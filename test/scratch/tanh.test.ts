import { expect } from 'chai';
import * as fc from 'fast-check';
import { tanhOf } from '../../scratch/tanh';

/** 2^-200 is one unit of these fixed-point numbers. */
const one = 1n << 200n;

/** A number as fixed point, exactly: it is m · 2^e with an integer m. */
function toFixedPoint(x: number): bigint {
  let e = 0;
  for (let m = x; !Number.isInteger(m); m *= 2) e++;
  return (BigInt(x * 2 ** e) * one) >> BigInt(e);
}

/** (e^2x - 1) / (e^2x + 1) by the exponential's series, in integers: shares no arithmetic with what is tested. */
function exactTanh(x: number): bigint {
  // e^(2x / 2^8), then squared eight times
  const y = toFixedPoint(x) >> 7n;
  let power = one;
  let term = one;
  for (let n = 1n; term !== 0n && term !== -1n; n++) power += term = (term * y) / one / n;
  for (let i = 0; i < 8; i++) power = (power * power) / one;
  return ((power - one) * one) / (power + one);
}

/** |found - true| in units of 2^-53 of the true value. */
function errorOf(found: number, x: number): number {
  const exact = exactTanh(x);
  const difference = ((toFixedPoint(found) - exact) << 60n) / exact;
  return Math.abs(Number(difference)) * 2 ** -7;
}

function tanh(x: number): number {
  const values = Float64Array.of(7, x, 7);
  tanhOf(values, values, 1, 2);
  expect([values[0], values[2]]).to.deep.equal([7, 7]);
  return values[1];
}

describe('scratch/tanh', () => {
  it('is within 2.5 units of 2^-53 of the true value, at every size of x', () => {
    const magnitude = fc.double({ min: -20, max: 4.3, noNaN: true }).map((exponent) => 2 ** exponent);
    const signed = fc.tuple(magnitude, fc.boolean()).map(([x, negative]) => (negative ? -x : x));
    fc.assert(
      fc.property(signed, (x) => errorOf(tanh(x), x) <= 2.5),
      { numRuns: 2000 },
    );
  });

  it('is so next to every node of its table, and halfway between two', () => {
    for (let n = 1; n < 16 * 20; n++) {
      for (const x of [n / 16, (n + 0.4999) / 16, (n + 0.5) / 16])
        expect(errorOf(tanh(x), x), `${x}`).below(2.5);
    }
  });

  it('is so close to 0, where the nodes of the table are left out', () => {
    for (let i = 1; i <= 3000; i++) expect(errorOf(tanh(i * 1e-4), i * 1e-4), `${i * 1e-4}`).below(2.5);
  });

  it('ends at 1 and -1, is x where x is tiny, and passes NaN on', () => {
    for (const x of [19.1, 20, 20.01, 1e300, Infinity]) expect([tanh(x), tanh(-x)]).to.deep.equal([1, -1]);
    for (const x of [0, 1e-9, 1e-300, 5e-324]) expect([tanh(x), tanh(-x) + 0]).to.deep.equal([x, 0 - x]);
    expect(tanh(NaN)).to.be.NaN;
  });
});
