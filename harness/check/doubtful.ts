import type { Tensor } from '../../scratch/index';
import { memoizeByNumber } from '../base/memoize';
import { emulatedRuns, measureInflation, type Spread } from '../budget/index';

/** A tensor of the reference, and what rounding may have done to it on the way. */
export interface Doubtful {
  readonly tensor: Tensor;
  /** largest possible |error| */ readonly bound: Float64Array;
  readonly variance: Float64Array;
  /** what the k-th honest program in single precision has here */
  readonly emulate: (k: number) => Float64Array;
}

/** Numbers that are known: those of the user, or those that a side showed. */
export function sure(tensor: Tensor): Doubtful {
  const none = new Float64Array(tensor.data.length);
  return { tensor, bound: none, variance: none, emulate: () => tensor.data };
}

/** Numbers that move, and whose errors move with them. */
export function moved(one: Doubtful, move: (tensor: Tensor) => Tensor): Doubtful {
  const { shape } = one.tensor;
  const data = (values: Float64Array): Float64Array => move({ data: values, shape }).data;
  return {
    tensor: move(one.tensor),
    bound: data(one.bound),
    variance: data(one.variance),
    emulate: (k) => data(one.emulate(k)),
  };
}

/** A sum of several tensors. */
interface DoubtfulSum extends Doubtful {
  readonly terms: readonly Doubtful[];
}

/**
 * One more term of a sum that a program adds up in an order of its own. Two terms are rounded once, by u |a + b|. Of n the partial sums
 * depend on the order, and none is larger than Σ |term|: n - 1 roundings of at most u Σ |term| each (Higham 2002, section 4.2).
 */
export function added(a: Doubtful | undefined, b: Doubtful, unit: number): Doubtful {
  if (a === undefined) return b;
  const terms = [...('terms' in a ? (a as DoubtfulSum).terms : [a]), b];
  const data = a.tensor.data.map((x, i) => x + b.tensor.data[i]);
  const total = (of: (one: Doubtful) => number): number => terms.reduce((sum, one) => sum + of(one), 0);
  const roundings = data.map((x, i) =>
    terms.length === 2
      ? unit * Math.abs(x)
      : (terms.length - 1) * unit * total(({ tensor }) => Math.abs(tensor.data[i])),
  );
  const sum: DoubtfulSum = {
    terms,
    tensor: { data, shape: a.tensor.shape },
    bound: roundings.map((x, i) => x + total(({ bound }) => bound[i])),
    variance: roundings.map((x, i) => x ** 2 / 3 + total(({ variance }) => variance[i])),
    emulate: memoizeByNumber((k) => {
      const other = b.emulate(k);
      return a.emulate(k).map((x, i) => Math.fround(x + other[i]));
    }),
  };
  return sum;
}

/** Everything that the judge asks of rounding (`explainByRounding`). */
export function spreadOf({ tensor, bound, variance, emulate }: Doubtful): Spread {
  const sigma = variance.map(Math.sqrt);
  return {
    bound,
    sigma,
    // as for the states of a network: errors of this size still grow in proportion
    linear: sigma.every((s, i) => s <= 1e-3 * Math.max(1, Math.abs(tensor.data[i]))),
    overflow: false,
    otherForms: () => undefined,
    inflation: () =>
      measureInflation(
        tensor.data,
        sigma,
        Array.from({ length: emulatedRuns }, (_, k) => emulate(k)),
      ),
  };
}
