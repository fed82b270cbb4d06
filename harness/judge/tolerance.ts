import type { Tensor } from '../../scratch/index';
import {
  expectedNames,
  tensorOf,
  type Evaluation,
  type Precision,
  type Problem,
  type TensorName,
} from '../problem';
import { roundingSpread } from './spread';

/** Unit roundoff of each precision: half the distance between 1 and the next number. */
export const unitRoundoff: Readonly<Record<Precision, number>> = { float32: 2 ** -24, float64: 2 ** -53 };

/**
 * How many spreads an error may reach, and why that many. Honest float32 runs of the three backends stay below 5; the rest
 * is room for errors that line up (weights of one sign, rows that repeat), which the spread takes as independent.
 */
const spreads: Readonly<Record<TensorName, { readonly factor: number; readonly why: string }>> = {
  states: { factor: 16, why: 'n products per unit and step, tanh, carried over the steps' },
  finalState: { factor: 16, why: 'the last of the states' },
  logits: { factor: 16, why: 'final state through one more matrix product' },
  probabilities: { factor: 16, why: 'exp of the logits; two of them rarely err in the same direction' },
  loss: { factor: 16, why: 'logarithm of the probabilities, mean over the batch' },
  'gradients.outputKernel': { factor: 16, why: 'final state times (p - label) / B, summed over the batch' },
  'gradients.outputBias': { factor: 16, why: '(p - label) / B summed over the batch' },
  'gradients.inputs': {
    factor: 20,
    why: 'carried backward over the steps, through 1 - h^2 of every later step',
  },
  'gradients.initialState': { factor: 20, why: 'carried backward over all steps' },
  'gradients.kernel': { factor: 20, why: 'summed over batch and steps, each carried backward' },
  'gradients.recurrentKernel': { factor: 20, why: 'summed over batch and steps, each carried backward' },
  'gradients.bias': { factor: 20, why: 'summed over batch and steps, each carried backward' },
};

/** What every element of every tensor of one answer may differ by. */
export interface Tolerances {
  /** one number for all elements, or one for each, row-major */
  allowed(name: TensorName): number | Float64Array;
  /** where it comes from, for reports */ source(name: TensorName): string;
}

/** A tolerance given by the user: |error| <= absolute + relative * |reference|. */
export interface FixedTolerance {
  readonly absolute?: number | undefined;
  readonly relative?: number | undefined;
}

/**
 * The tolerances for one problem and one side.
 *
 * allowed = factor * (spread + root mean square of the tensor's spreads / 4) + tiny, where the spread is what rounding does to
 * that element (see `roundingSpread`) and tiny covers backends that flush denormal numbers to zero.
 *
 * @param problem the problem both sides solved
 * @param reference the float64 answer to it
 * @param precision of the side that is judged
 */
export function tolerancesFor(
  problem: Problem,
  reference: Evaluation,
  precision: Precision,
  fixed: FixedTolerance = {},
): Tolerances {
  const { absolute, relative } = fixed;
  if (absolute !== undefined || relative !== undefined) {
    const source = `given: ${absolute ?? 0} + ${relative ?? 0} * |reference|`;
    return {
      allowed: (name) =>
        needed(reference, name).data.map((x) => (absolute ?? 0) + (relative ?? 0) * Math.abs(x)),
      source: () => source,
    };
  }
  const spread = roundingSpread(problem, reference, unitRoundoff[precision]);
  const tiny = precision === 'float32' ? 2 ** -120 * (1 + largestOf(problem)) : 2 ** -1000;
  return {
    allowed: (name) => {
      const sigma = spread[name];
      if (sigma === undefined) throw new Error(`tolerancesFor: no tolerance for ${name} of ${problem.id}`);
      const rms = Math.sqrt(sigma.reduce((sum, s) => sum + s * s, 0) / Math.max(sigma.length, 1));
      return sigma.map((s) => spreads[name].factor * (s + rms / 4) + tiny);
    },
    source: (name) => `${spreads[name].factor} ${precision} rounding spreads: ${spreads[name].why}`,
  };
}

/** The reference's tensor of that name; the reference must answer in full. */
export function needed(reference: Evaluation, name: TensorName): Tensor {
  const tensor = tensorOf(reference, name);
  if (tensor === undefined) throw new Error(`the reference evaluation lacks ${name}; it must answer in full`);
  return tensor;
}

function largestOf(problem: Problem): number {
  const { inputs, initialState, upstream, weights } = problem;
  const tensors = [
    inputs,
    initialState,
    upstream?.states,
    upstream?.finalState,
    ...(Object.values(weights) as Tensor[]),
  ];
  let largest = 0;
  for (const tensor of tensors) {
    for (const x of tensor?.data ?? []) largest = Math.max(largest, Math.abs(x));
  }
  return largest;
}

/** Names the table covers; a test holds it against `expectedNames`. */
export function toleratedNames(problem: Problem): TensorName[] {
  return expectedNames(problem).filter((name) => name in spreads);
}
