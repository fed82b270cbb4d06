import { checkExamples, type SequenceData } from './sequences';

/** What one feature is like over the real steps of some examples. */
export interface Moments {
  readonly least: number;
  readonly most: number;
  readonly mean: number;
  /** the standard deviation of the population */ readonly deviation: number;
  /** whether all values are equal, or differ by rounding alone */ readonly constant: boolean;
}

/**
 * Mean and deviation of every feature over the real steps (never the padding) of the given examples.
 *
 * Two passes with the correction of Chan, Golub and LeVeque ("Algorithms for computing the sample variance", The American Statistician
 * 37, 1983), so that a large mean does not swallow a small spread:
 *
 *     mean = sum x / n          variance = (sum (x - mean)^2 - (sum (x - mean))^2 / n) / n
 *
 * The sums are taken of x * 2^k where squares of x would overflow or underflow. A feature is constant when its variance is at most what
 * rounding gives, in the same paper (as in scikit-learn's `_is_constant_feature`): n eps variance + (n eps mean)^2 with eps = 2^-52.
 */
export function momentsOf(data: SequenceData, examples: Int32Array): Moments[] {
  const [count, , features] = data.inputs.shape;
  checkExamples(examples, count, 'momentsOf');
  if (examples.length === 0) throw new RangeError('There are no examples to measure; pass one or more.');
  const least = new Float64Array(features).fill(Infinity);
  const most = new Float64Array(features).fill(-Infinity);
  let n = 0;
  for (const example of examples) n += data.lengths[example];
  eachStep(data, examples, (x, f) => {
    if (x < least[f]) least[f] = x;
    if (x > most[f]) most[f] = x;
  });
  const power = least.map((low, f) => powerFor(Math.max(Math.abs(low), Math.abs(most[f]))));
  const sum = new Float64Array(features);
  eachStep(data, examples, (x, f) => (sum[f] += x * power[f]));
  const mean = sum.map((total) => total / n);
  const rest = new Float64Array(features);
  const squares = new Float64Array(features);
  eachStep(data, examples, (x, f) => {
    const from = x * power[f] - mean[f];
    rest[f] += from;
    squares[f] += from * from;
  });
  return Array.from(least, (low, f) => {
    const variance = Math.max(0, (squares[f] - rest[f] ** 2 / n) / n);
    const equal = low === most[f];
    const rounding = n * eps * variance + (n * eps * mean[f]) ** 2;
    return {
      least: low,
      most: most[f],
      mean: equal ? low : mean[f] / power[f],
      deviation: equal ? 0 : Math.sqrt(variance) / power[f],
      constant: equal || variance <= rounding,
    };
  });
}

const eps = 2 ** -52;

/** 1 where squares of numbers up to `size` are ordinary, else the power of 2 that brings them near 1; multiplying by it is exact. */
function powerFor(size: number): number {
  if (size === 0 || (size > 2 ** -400 && size < 2 ** 400)) return 1;
  return 2 ** Math.min(1000, -Math.floor(Math.log2(size)));
}

function eachStep(data: SequenceData, examples: Int32Array, visit: (x: number, f: number) => void): void {
  const [, t, f] = data.inputs.shape;
  for (const n of examples) {
    const start = n * t * f;
    for (let i = 0; i < data.lengths[n] * f; i++) visit(data.inputs.data[start + i], i % f);
  }
}
