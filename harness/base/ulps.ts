import type { Precision } from './problem';

const bits = new DataView(new ArrayBuffer(8));

/**
 * Distance of two numbers in units in the last place: the steps from one to the other over the numbers of that precision, 0 for the
 * same (-0 and 0 are), 1 for neighbours, across zero by way of the subnormal numbers; infinity is the next after the largest number.
 * Both are rounded to the precision first. (Within a power of two this is |one - other| over the spacing there; unlike that quotient
 * it does not depend on which of the two is taken as right, and it adds up along a way.) NaN where one is NaN.
 */
export function ulpsBetween(one: number, other: number, precision: Precision): number {
  if (Number.isNaN(one) || Number.isNaN(other)) return NaN;
  if (precision === 'float64') return Number(absolute(rank64(one) - rank64(other)));
  return Math.abs(rank32(one) - rank32(other));
}

/** The number's place among all of its precision, 0 at zero: the bits of a float are ordered like its magnitude. */
function rank32(x: number): number {
  bits.setFloat32(0, x);
  const magnitude = bits.getUint32(0) & 0x7fffffff;
  return bits.getUint32(0) >>> 31 === 1 ? -magnitude : magnitude;
}

function rank64(x: number): bigint {
  bits.setFloat64(0, x);
  const all = bits.getBigUint64(0);
  const magnitude = all & 0x7fffffffffffffffn;
  return all >> 63n === 1n ? -magnitude : magnitude;
}

function absolute(x: bigint): bigint {
  return x < 0n ? -x : x;
}
