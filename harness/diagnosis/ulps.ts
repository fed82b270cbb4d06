import type { Precision } from '../problem';

const formats = {
  float32: { smallestExponent: -126, fractionBits: 23 },
  float64: { smallestExponent: -1022, fractionBits: 52 },
} as const;

/**
 * Distance between two numbers in units in the last place: |given - expected| over the spacing that numbers of the format have at
 * `expected`; subnormal numbers lie as far apart as the smallest normal ones.
 *
 * @returns 0 for equal numbers (-0 and 0 are equal), NaN where one is NaN, infinity where an infinity stands against another value
 */
export function ulpsBetween(given: number, expected: number, precision: Precision): number {
  if (given === expected) return 0;
  if (Number.isNaN(given) || Number.isNaN(expected)) return NaN;
  if (!Number.isFinite(given) || !Number.isFinite(expected)) return Infinity;
  return Math.abs(given - expected) / spacingAt(expected, precision);
}

/** Distance from |x| to the next larger number of the format, for finite x. */
export function spacingAt(x: number, precision: Precision): number {
  const { smallestExponent, fractionBits } = formats[precision];
  return 2 ** (Math.max(exponentOf(x), smallestExponent) - fractionBits);
}

/** floor(log2 |x|) for normal doubles, below -1022 for the others: read off the bits, because a logarithm may round up. */
function exponentOf(x: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  return ((view.getUint16(0) >> 4) & 0x7ff) - 1023;
}
