import type { ClassifierGradients, Tensor } from '../../scratch/index';
import { evaluationOf, sizesOf, type AnyProblem, type Evaluation, type Problem } from '../base/problem';
import {
  answerOf,
  derivativeAlong,
  emulateNetwork,
  equationsOf,
  evaluateNetwork,
  type RoundingModel,
  type RoundingOptions,
} from '../equations/index';

/** An outcome of the formulas under the names of a problem's answer. */
export function asEvaluation(source: AnyProblem, outcome: ReadonlyMap<string, Tensor>): Evaluation {
  return evaluationOf(answerOf(equationsOf(source), outcome));
}

/** What the formulas give in float64. */
export function doublePrecisionRun(source: AnyProblem): Evaluation {
  const { network, problem } = equationsOf(source);
  return asEvaluation(source, evaluateNetwork(network, problem));
}

/** Elementary functions that are rounded correctly. */
const exactFunctions: RoundingModel['kappa'] = { tanh: 1, sigmoid: 1, exp: 1, log: 1 };

/**
 * What an honest implementation answers in single precision, with a rounding after every operation. With default options its forward
 * pass equals the `cpu` backend of TensorFlow.js bit for bit.
 */
export function singlePrecisionRun(
  source: AnyProblem,
  { kappa = exactFunctions, ...rounding }: RoundingOptions & { readonly kappa?: RoundingModel['kappa'] } = {},
): Evaluation {
  const { network, problem } = equationsOf(source);
  return asEvaluation(source, emulateNetwork(network, problem, kappa, rounding));
}

/** How fast each number of the problem moves; what is absent stands still. */
export type Direction = Partial<Record<keyof ClassifierGradients, Float64Array>>;

/**
 * Derivative of (loss + upstream . states) along a direction, by dual numbers in float64: one forward pass, no backward pass, so that
 * no mistake of backpropagation through time can hide here. A single 1 gives one entry of a gradient.
 */
export function derivativeOf(source: Problem, direction: Direction): number {
  const { batch, units } = sizesOf(source);
  // zeros that are not written down may move as well
  const h = source.initialState ?? { data: new Float64Array(batch * units), shape: [batch, units] };
  const { network, problem, names } = equationsOf(source);
  const rates = Object.entries(direction).map(([name, rate]) => {
    const [gradient = ''] = names.get(`gradients.${name}`) ?? [];
    const path = gradient.replace('gradients.', '').replace(/^(\w+)\.initial\./, 'initialStates.$1.');
    return [path, rate] as const;
  });
  return derivativeAlong(network, { ...problem, initialStates: { rnn: { h } } }, new Map(rates));
}
