import { zeros } from '../../scratch/index';
import { memoize } from '../base/memoize';
import type { AnyProblem, Evaluation } from '../base/problem';
import {
  asEvaluation,
  derivativeAlong,
  emulateNetwork,
  equationsOf,
  evaluateNetwork,
  isRecurrent,
  type NetworkProblem,
  type RoundingModel,
  type RoundingOptions,
} from '../equations/index';

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

/** How fast each number of the problem moves, by the name of its gradient: `kernel`, `weights.layer1.kernel`; what is absent stands still. */
export type Direction = Readonly<Record<string, Float64Array>>;

/**
 * Derivative of (loss + upstream . states) along a direction, by dual numbers in float64: one forward pass, no backward pass, so that
 * no mistake of backpropagation through time can hide here. A single 1 gives one entry of a gradient.
 */
export function derivativeOf(source: AnyProblem, direction: Direction): number {
  const { network, names } = equationsOf(source);
  const rates = Object.entries(direction).flatMap(([name, rate]) => {
    const own = names.get(`gradients.${name}`) ?? [];
    const size = rate.length / own.length;
    return own.map((gradient, i): [string, Float64Array] => [
      gradient.replace('gradients.', '').replace(/^(\w+)\.initial\./, 'initialStates.$1.'),
      rate.subarray(i * size, (i + 1) * size),
    ]);
  });
  return derivativeAlong(network, withInitialStates(source), new Map(rates));
}

/** The problem with zeros for the initial states that are not written down: they may move as well. */
const withInitialStates = memoize((source: AnyProblem): NetworkProblem => {
  const { network, problem } = equationsOf(source);
  const states = network.layers.filter(isRecurrent).map(({ name, cell, units }) => {
    const zero = cell.carries.map((carry) => [carry, zeros(problem.inputs.shape[0], units)] as const);
    return [name, { ...Object.fromEntries(zero), ...problem.initialStates?.[name] }] as const;
  });
  return { ...problem, initialStates: Object.fromEntries(states) };
});
