/**
 * One way of computing in rounded arithmetic: an order of summation, the errors of the elementary functions, and which of the
 * customary forms of a formula is computed. Real libraries differ in all three.
 */
export interface Rounding {
  /** the nearest number of the format */ readonly round: (x: number) => number;
  /** an elementary function's result that is off by at most kappa units, `value` being the true one */
  readonly elementary: (value: number, kappa: number) => number;
  /** sum of terms that are exact in double precision (products of two numbers of the format are) */
  readonly total: (terms: ArrayLike<number>, n: number) => number;
  /** which of n customary forms of a formula this run computes, 0 to n - 1 */ readonly form: (
    n: number,
  ) => number;
  /** [x, h] · [kernel; recurrentKernel] as one sum, where there are several products */ readonly joint: boolean;
  /** weight gradients as one sum over batch and time instead of step by step */ readonly flat: boolean;
}

export type SummationOrder =
  /** one rounded product and one rounded addition after the other */
  | 'sequential'
  /** backwards, product and addition rounded once together (fused multiply-add) */
  | 'reversedFused'
  /** eight partial sums side by side, then a tree (SIMD) */
  | 'lanes'
  /** summed in double precision, rounded once at the end */
  | 'double'
  /** double precision within blocks of 48 terms, single between blocks: the `cpu` backend of TensorFlow.js */
  | 'blocks';

export interface RoundingOptions {
  /** default `blocks` */ readonly order?: SummationOrder;
  readonly joint?: boolean;
  readonly flat?: boolean;
  /** default 0 */ readonly form?: number;
  /**
   * errors of the functions: `functions` random within kappa (the same for the same number), `high` and `low` all of the largest size and of one sign (real
   * functions are biased), `sums` random, and every sum shaken by up to u as well; default none
   */
  readonly noise?: 'functions' | 'high' | 'low' | 'sums';
  /** decides the random errors; default 0 */ readonly seed?: number;
  /** `double45`: doubles cut to 45 bits, whose roundings behave like double precision's but can be measured with it */
  readonly format?: 'single' | 'double45';
}

/** Unit roundoff of each emulated format. */
export const emulatedUnit = { single: 2 ** -24, double45: 2 ** -45 } as const;

export function makeRounding(options: RoundingOptions = {}): Rounding {
  const { order = 'blocks', format = 'single', noise, form = 0, joint = false, flat = false } = options;
  const unit = emulatedUnit[format];
  const round = format === 'single' ? Math.fround : to45Bits;
  const random = uniform(options.seed ?? 0);
  const shake: (x: number) => number =
    noise === undefined ? () => 0 : { high: () => 1, low: () => -1, functions: random, sums: random }[noise];
  return {
    round,
    elementary: (value, kappa) => round(value * (1 + Math.max(kappa - 1, 0) * unit * shake(value))),
    total(terms, n) {
      const sum = roundedSum(terms, n, order, round);
      return noise === 'sums' && isRounded(terms, n, unit) ? round(sum * (1 + unit * random(sum))) : sum;
    },
    form: (n) => form % n,
    joint,
    flat,
  };
}

/** Whether a sum rounds at all: where all terms but one are zero, or below the last place of that one, it does not. */
function isRounded(terms: ArrayLike<number>, n: number, unit: number): boolean {
  let [all, most] = [0, 0];
  for (let k = 0; k < n; k++) {
    all += Math.abs(terms[k]);
    most = Math.max(most, Math.abs(terms[k]));
  }
  return all - most > unit * most;
}

/** The sum in single precision, or in the format that `round` rounds to. */
function roundedSum(
  terms: ArrayLike<number>,
  n: number,
  order: SummationOrder,
  round: (x: number) => number,
): number {
  let sum = 0;
  switch (order) {
    case 'sequential':
      for (let k = 0; k < n; k++) sum = round(sum + round(terms[k]));
      return sum;
    case 'reversedFused':
      for (let k = n - 1; k >= 0; k--) sum = round(sum + terms[k]);
      return sum;
    case 'double':
      for (let k = 0; k < n; k++) sum += terms[k];
      return round(sum);
    case 'blocks':
      for (let start = 0; start < n; start += 48) {
        let block = 0;
        for (let k = start; k < Math.min(start + 48, n); k++) block += terms[k];
        sum = round(sum + block);
      }
      return sum;
    case 'lanes': {
      const lanes = new Float64Array(8);
      for (let k = 0; k < n; k++) lanes[k % 8] = round(lanes[k % 8] + round(terms[k]));
      for (let width = 4; width >= 1; width /= 2)
        for (let k = 0; k < width; k++) lanes[k] = round(lanes[k] + lanes[k + width]);
      return lanes[0];
    }
  }
}

/** Nearest number of 45 bits (Veltkamp 1968). */
function to45Bits(x: number): number {
  const c = x * 257;
  return Number.isFinite(c) ? c - (c - x) : x;
}

/**
 * A number in (-1, 1) for every number, as if drawn uniformly (mixed as by Steele, Lea & Flood 2014). Equal numbers get equal ones: a
 * program rounds them alike, and the errors of units with equal weights add up.
 */
function uniform(seed: number): (x: number) => number {
  const bits = new DataView(new ArrayBuffer(8));
  const start = Math.imul(seed + 1, 0x9e3779b9);
  const mix = (x: number): number => {
    let mixed = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return mixed ^ (mixed >>> 16);
  };
  return (x) => {
    bits.setFloat64(0, x);
    return (mix(mix(start ^ bits.getInt32(0)) ^ bits.getInt32(4)) >>> 0) / 2 ** 31 - 1;
  };
}
