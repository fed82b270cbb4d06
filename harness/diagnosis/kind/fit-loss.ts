import type { Tensor } from '../../../scratch/index';
import {
  clippedProbabilities,
  epsilonInLogarithm,
  labelSmoothing,
  temperature,
  weightPenalty,
} from '../../faults/index';
import type { SideReading } from './reading';
import type { Suspect } from './suspect';

/** Small numbers that are customary against the logarithm of zero. */
const customary = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20, 1e-30];

/** Faults of the loss with a number in them: a temperature, a share, a factor are fitted; of epsilons the customary ones are tried. */
export function fittedLossSuspects(reading: SideReading): Suspect[] {
  if (reading.problem.labels === undefined || reading.right.loss === undefined) return [];
  return [
    ...customary.flatMap((epsilon) => [epsilonInLogarithm(epsilon), clippedProbabilities(epsilon)]),
    ...temperatures(reading),
    ...smoothings(reading),
    ...penalties(reading),
  ];
}

/** log p_c - log p_c' = (y_c - y_c') / temperature */
function temperatures({ given, right }: SideReading): Suspect[] {
  const [p, y] = [given.get('probabilities'), right.logits];
  if (p === undefined || y?.data.length !== p.data.length) return [];
  const classes = y.shape[1];
  const centred = ({ data }: Pick<Tensor, 'data'>): Float64Array => {
    const out = Float64Array.from(data);
    for (let row = 0; row < out.length; row += classes) {
      const mean = out.subarray(row, row + classes).reduce((sum, x) => sum + x, 0) / classes;
      for (let c = 0; c < classes; c++) out[row + c] -= mean;
    }
    return out;
  };
  const slope = factorOf(centred(y), centred({ data: p.data.map(Math.log) }));
  if (slope === undefined || slope <= 0 || Number((1 / slope).toPrecision(6)) === 1) return [];
  return [true, false].map((both) => temperature(1 / slope, both));
}

/** dy = (p - (1 - share) onehot - share / C) / B, summed over the batch in the gradient of the output bias */
function smoothings({ given, right, problem: { labels = [] } }: SideReading): Suspect[] {
  const [found, expected] = [given.get('gradients.outputBias'), right.gradients?.outputBias];
  if (found === undefined || expected?.data.length !== found.data.length) return [];
  const count = (c: number): number => labels.filter((label) => label === c).length;
  const change = expected.data.map((_, c) => count(c) / labels.length - 1 / expected.data.length);
  const share = factorOf(
    change,
    found.data.map((x, c) => x - expected.data[c]),
  );
  return share === undefined ? [] : [true, false].map((inLoss) => labelSmoothing(share, inLoss));
}

/** dW + lambda W */
function penalties({ given, right, problem: { weights } }: SideReading): Suspect[] {
  const [of, off] = [[] as number[], [] as number[]];
  for (const name of ['kernel', 'recurrentKernel', 'outputKernel'] as const) {
    const [found, expected, own] = [given.get(`gradients.${name}`), right.gradients?.[name], weights[name]];
    if (found === undefined || expected?.data.length !== found.data.length) continue;
    of.push(...(own?.data ?? []));
    off.push(...found.data.map((x, i) => x - expected.data[i]));
  }
  const lambda = factorOf(of, off);
  if (lambda === undefined) return [];
  return [true, false].flatMap((ofBiases) =>
    [true, false].map((inLoss) => weightPenalty(lambda, ofBiases, inLoss)),
  );
}

/** <x, y> / <x, x>: the factor that fits best. */
export function factorOf(x: ArrayLike<number>, y: ArrayLike<number>): number | undefined {
  let [both, square] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    both += x[i] * y[i];
    square += x[i] * x[i];
  }
  const factor = both / square;
  return Number.isFinite(factor) ? factor : undefined;
}
