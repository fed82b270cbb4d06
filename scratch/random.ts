import { shown } from './options';

/** A seeded source of random numbers; its whole state is four 32-bit integers, so it can be saved and restored. */
export interface Random {
  /** Uniform in [0, 1): 53 random bits. */
  uniform(): number;
  /** Standard normal: mean 0, variance 1. */
  normal(): number;
  /** Uniform integer in 0..below-1, without bias. */
  integer(below: number): number;
  /** 0..length-1 in random order, every order equally likely. */
  permutation(length: number): Int32Array;
  /** The next raw output: an unsigned 32-bit integer. */
  next(): number;
  /** What `restoreRandom` needs to continue from here. */
  state(): readonly number[];
}

/**
 * The generator xoshiro128** 1.1 (Blackman & Vigna 2018), its state filled from the seed by SplitMix64
 * (Steele, Lea & Flood 2014), as its authors recommend. The same seed gives the same numbers everywhere.
 *
 * @param seed integer in 0..2^53-1
 * @throws RangeError for any other seed
 * @example
 * ```ts
 * createRandom(7).uniform() === createRandom(7).uniform(); // => true
 * ```
 */
export function createRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(
      `createRandom: the seed is ${shown(seed)}; seeds are integers from 0 to 2^53 - 1, so pass one of those.`,
    );
  }
  const [first, second] = splitMix64(BigInt(seed), 2);
  return xoshiro128(Uint32Array.of(low(first), high(first), low(second), high(second)));
}

/**
 * Continues a generator from its `state()`.
 *
 * @throws RangeError when the state is not four unsigned 32-bit integers, or all of them are zero
 */
export function restoreRandom(state: readonly number[]): Random {
  const given = Array.from((state as readonly number[] | undefined) ?? []);
  const valid = given.length === 4 && given.every((x) => x >>> 0 === x) && given.some((x) => x !== 0);
  if (!valid) {
    throw new RangeError(
      `restoreRandom: the state is [${given.map(shown).join(', ')}]; it must be four integers in 0..2^32-1, not all 0, so pass what state() returned.`,
    );
  }
  return xoshiro128(Uint32Array.from(given));
}

/** The first `count` outputs of SplitMix64: a counter, each value scrambled by two multiply-xorshift rounds. */
export function splitMix64(seed: bigint, count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => {
    const counter = BigInt.asUintN(64, seed + BigInt(i + 1) * 0x9e3779b97f4a7c15n);
    const once = BigInt.asUintN(64, (counter ^ (counter >> 30n)) * 0xbf58476d1ce4e5b9n);
    const twice = BigInt.asUintN(64, (once ^ (once >> 27n)) * 0x94d049bb133111ebn);
    return twice ^ (twice >> 31n);
  });
}

const low = (x: bigint): number => Number(x & 0xffffffffn);
const high = (x: bigint): number => Number(x >> 32n);
const rotateLeft = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

function xoshiro128(s: Uint32Array): Random {
  const next = (): number => {
    // output = rotl(s1 * 5, 7) * 9, modulo 2^32
    const output = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    // the linear step: xorshift and rotation
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotateLeft(s[3], 11);
    return output;
  };
  // 27 high bits of one output and 26 of the next make an integer below 2^53
  const uniform = (): number => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
  const integer = (below: number): number => {
    if (!Number.isInteger(below) || below < 1 || below > 2 ** 32) {
      throw new RangeError(
        `Random.integer: the bound is ${below}; it must be an integer from 1 to 2^32, so pass the number of choices.`,
      );
    }
    // outputs past the last full round of `below` are drawn again, else small results would be favoured
    const full = 2 ** 32 - (2 ** 32 % below);
    let output = next();
    while (output >= full) output = next();
    return output % below;
  };
  return {
    next,
    uniform,
    integer,
    // Box & Muller 1958; 1 - uniform() lies in (0, 1], where the logarithm is finite
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    permutation: (length) => {
      // Fisher & Yates 1938, Durstenfeld 1964
      const order = Int32Array.from({ length }, (_, i) => i);
      for (let last = length - 1; last > 0; last--) {
        const chosen = integer(last + 1);
        const value = order[chosen];
        order[chosen] = order[last];
        order[last] = value;
      }
      return order;
    },
    state: () => Array.from(s),
  };
}
