import { zeros, type Tensor } from '../../scratch/index';
import { sizesOf, type Evaluation, type Implementation, type Problem } from '../base/problem';
import { keep } from '../problems/index';

/** Above this many steps a side is not asked for the state of each of them. */
const mostPrefixes = 128;

/**
 * The states of a side that gives its final state only: h_t is the final state of the first t steps, so that every prefix of the
 * sequence runs on it. No step is judged by the error of an earlier step: each is held to the states that the side itself made before.
 *
 * @returns [B, T, U], or undefined where the side does not answer, or has too many steps
 */
export async function statesByPrefixes(
  implementation: Implementation,
  problem: Problem,
): Promise<Tensor | undefined> {
  const { batch, timeSteps, units } = sizesOf(problem);
  if (timeSteps > mostPrefixes) return undefined;
  const states = zeros(batch, timeSteps, units);
  for (let t = 0; t < timeSteps; t++) {
    let answer: Evaluation;
    try {
      answer = await implementation.evaluate(prefix(problem, t + 1));
    } catch {
      // a side of a fixed number of steps: its inner states cannot be had
      return undefined;
    }
    const { finalState } = answer;
    if (finalState?.shape.join() !== [batch, units].join()) return undefined;
    for (let b = 0; b < batch; b++)
      states.data.set(finalState.data.subarray(b * units, (b + 1) * units), (b * timeSteps + t) * units);
  }
  return states;
}

/** The forward pass of the first steps. */
function prefix({ labels, upstream, ...problem }: Problem, steps: number): Problem {
  const { kernel, recurrentKernel, bias } = problem.weights;
  const forward = { ...problem, weights: { kernel, recurrentKernel, bias } };
  const first = Array.from({ length: steps }, (_, t) => t);
  return { ...keep(forward, 'timeStep', first), id: `${problem.id}, first ${steps} steps` };
}
