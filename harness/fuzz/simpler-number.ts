/** How many significant bits a number is rounded to, fewest first. */
const fewerBits = [1, 2, 3, 4, 6, 8, 12] as const;

/** The numbers that are easiest to compute with by hand, easiest first. */
const easiest = [0, 1, 0.5, -1] as const;

/**
 * How hard a number is to compute with by hand: 0 for 0; else, for x = ± m 2^e with m odd,
 *
 *     4 (bits of m) + |e| + (1 for a minus sign)
 *
 * so that 0 < 1 < 1/2 = -1 = 2 < 3 < 3/4 < 0.7. Every step of the shrinking makes the sum of these smaller, so it comes to an end.
 *
 * @param x finite
 */
export function difficulty(x: number): number {
  if (x === 0) return 0;
  let odd = Math.abs(x);
  let exponent = 0;
  // dividing by two and doubling are exact here: subnormal numbers are only doubled
  while (odd % 1 !== 0) {
    odd *= 2;
    exponent--;
  }
  while (odd % 2 === 0) {
    odd /= 2;
    exponent++;
  }
  return 4 * (Math.floor(Math.log2(odd)) + 1) + Math.abs(exponent) + (x < 0 ? 1 : 0);
}

/** Numbers that may stand for x and are easier than x, easiest first. Where x is exact in float32, they are. */
export function simplerNumbers(x: number): number[] {
  const own = difficulty(x);
  const candidates = [...easiest, ...fewerBits.map((bits) => roundToBits(x, bits))];
  return [...new Set(candidates)].filter((y) => Number.isFinite(Math.fround(y)) && difficulty(y) < own);
}

/** x rounded to so many significant bits: 0.7 is 0.5 in one bit, 0.75 in two, 0.6875 in four. */
export function roundToBits(x: number, bits: number): number {
  if (x === 0) return 0;
  // a float32 number, subnormal or not, has its leading bit at 2^-149 or above, where powers of two are exact
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(x))) - bits + 1);
  return unit === 0 ? x : Math.round(x / unit) * unit;
}
