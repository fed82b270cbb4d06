import { checkOptions, type OptionNames } from '../../scratch/index';
import {
  isLayered,
  type AnyProblem,
  type LayeredProblem,
  type Problem,
  type ProblemWeights,
} from './problem';

const problemNames: OptionNames<Problem> = {
  id: true,
  model: true,
  inputs: true,
  initialState: true,
  mask: true,
  labels: true,
  upstream: true,
  weights: true,
};
const upstreamNames: OptionNames<NonNullable<Problem['upstream']>> = { states: true, finalState: true };
const weightNames: OptionNames<ProblemWeights> = {
  kernel: true,
  recurrentKernel: true,
  bias: true,
  outputKernel: true,
  outputBias: true,
};

const layeredNames: OptionNames<LayeredProblem> = {
  id: true,
  model: true,
  inputs: true,
  initialStates: true,
  mask: true,
  labels: true,
  targets: true,
  upstream: true,
  weights: true,
};
const layeredUpstream: OptionNames<NonNullable<LayeredProblem['upstream']>> = {
  logits: true,
  finalStates: true,
  sequences: true,
};

/**
 * Refuses a misspelt field, which would otherwise be left out of the question without a word.
 *
 * @throws RangeError with the nearest field that exists
 */
export function checkProblemNames(problem: AnyProblem): void {
  const name = `problem ${JSON.stringify(problem.id)}`;
  const layered = isLayered(problem);
  checkOptions(problem, layered ? layeredNames : problemNames, name, 'field');
  if (problem.upstream !== undefined)
    checkOptions(problem.upstream, layered ? layeredUpstream : upstreamNames, `${name}: upstream`, 'field');
  if (!layered) checkOptions(problem.weights, weightNames, `${name}: weights`, 'field');
}
