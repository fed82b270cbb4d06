import { isLayered, type AnyProblem } from '../base/problem';
import { largest, map } from './tensors';
import { change, type Asked, type Weakness } from './weakness';

/** 1 - h^2 below 1e-3: most of a gradient is lost there. */
const saturated = 0.9995;
/** h^2 below 1e-4. */
const small = 0.01;

/** Weaknesses of the simple RNN that only its answer shows. */
export const weaknessesOfStates: readonly Weakness[] = [
  {
    what: 'saturated',
    found: (_, { states }) => {
      const all = states?.data ?? new Float64Array();
      const there = all.reduce((n, h) => n + Number(Math.abs(h) >= saturated), 0);
      if (states === undefined || 2 * there < all.length || there === 0) return undefined;
      const least = all.reduce((slope, h) => Math.min(slope, (1 - h) * (1 + h)), 1);
      return `${there} of ${all.length} states are saturated (|h| of ${saturated} or more, 1 - h^2 down to ${least.toPrecision(2)})`;
    },
    fix: 'take smaller weights or inputs',
    fixed: (asked) => rescaled(asked, 1),
  },
  {
    what: 'small states',
    found: (_, { states }) => {
      const most = states === undefined ? 0 : largest(states);
      return states === undefined || most === 0 || most > small
        ? undefined
        : `no state is beyond ${most.toPrecision(2)}, where tanh is a straight line`;
    },
    fix: 'take larger weights or inputs',
    fixed: (asked) => rescaled(asked, 1),
  },
];

/** All pre-activations from about -size to size: kernel and inputs share the change, so that both stay in reach. */
function rescaled(asked: Asked<AnyProblem>, size: number): Asked<AnyProblem> {
  const { problem } = asked;
  if (isLayered(problem)) return asked;
  const { inputs, weights } = problem;
  const reach =
    largest(inputs) * largest(weights.kernel) * Math.sqrt(inputs.shape[2]) + largest(weights.bias);
  const factor = reach === 0 ? 1 : size / reach;
  const recurrent = largest(weights.recurrentKernel) * Math.sqrt(weights.bias.shape[0]);
  return change(asked, {
    ...problem,
    weights: {
      ...weights,
      kernel: map(weights.kernel, (x) => factor * x),
      bias: map(weights.bias, (x) => factor * x),
      recurrentKernel: map(weights.recurrentKernel, (x) => (recurrent > 1 ? x / recurrent : x)),
    },
  });
}
