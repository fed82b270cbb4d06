import type { PrecisionModel } from '../budget/index';
import type { Doubtful } from './doubtful';

type Errors = Pick<Doubtful, 'bound' | 'variance'>;

/**
 * p = exp(z - max) / Σ: where every z is off by δ at most, p is off by p (e^(2δ) - 1); the exponential, the sum and the division add to δ.
 */
export function softmaxErrors(
  { tensor, bound, variance }: Doubtful,
  p: Float64Array,
  { unit, kappa, tiny }: PrecisionModel,
): Errors {
  const width = tensor.shape[tensor.shape.length - 1];
  const errors = new Float64Array(p.length);
  const squares = new Float64Array(p.length);
  for (let from = 0; from < p.length; from += width) {
    const of = (data: Float64Array): number =>
      data.subarray(from, from + width).reduce((a, b) => Math.max(a, b), -Infinity);
    const [top, inherited, spread] = [of(tensor.data), of(bound), of(variance)];
    for (let i = from; i < from + width; i++) {
      const own = (kappa.exp + width + 2 + Math.abs(tensor.data[i] - top)) * unit;
      errors[i] = p[i] * Math.expm1(2 * (inherited + own)) + tiny;
      squares[i] = p[i] ** 2 * (2 * spread + own ** 2) + tiny ** 2;
    }
  }
  return { bound: errors, variance: squares };
}

/**
 * dz_i = p_i (d_i - s), s = Σ_j p_j d_j. The errors of p (`softmaxErrors`) and of d enter to first order; products, sum and difference add
 * width + 3 roundings of p_i (|d_i| + Σ_j p_j |d_j|).
 */
export function softmaxGradientErrors(
  p: Float64Array,
  ofP: Errors,
  { tensor, bound, variance }: Doubtful,
  { unit, tiny }: PrecisionModel,
): Errors {
  const d = tensor.data;
  const width = tensor.shape[tensor.shape.length - 1];
  const errors = new Float64Array(d.length);
  const squares = new Float64Array(d.length);
  for (let from = 0; from < d.length; from += width) {
    let [s, size, ofS, squareOfS] = [0, 0, 0, 0];
    for (let j = from; j < from + width; j++) {
      s += p[j] * d[j];
      size += p[j] * Math.abs(d[j]);
      ofS += ofP.bound[j] * (Math.abs(d[j]) + bound[j]) + p[j] * bound[j];
      squareOfS += ofP.variance[j] * d[j] ** 2 + p[j] ** 2 * variance[j];
    }
    for (let i = from; i < from + width; i++) {
      const own = (width + 3) * unit * p[i] * (Math.abs(d[i]) + size) + tiny;
      const difference = Math.abs(d[i] - s);
      errors[i] = (p[i] + ofP.bound[i]) * (bound[i] + ofS) + ofP.bound[i] * difference + own;
      squares[i] = p[i] ** 2 * (variance[i] + squareOfS) + ofP.variance[i] * difference ** 2 + own ** 2 / 3;
    }
  }
  return { bound: errors, variance: squares };
}
