import { zeros, type Tensor } from '../../scratch/index';
import { sizesOf, type Evaluation, type Implementation, type Problem } from '../base/problem';

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
function prefix(problem: Problem, steps: number): Problem {
  const { inputs, initialState, mask, weights } = problem;
  const { kernel, recurrentKernel, bias } = weights;
  const cut = ({ data, shape: [batch, timeSteps, ...rest] }: Tensor): Tensor => {
    const width = rest.reduce((product, n) => product * n, 1);
    const out = zeros(batch, steps, ...rest);
    for (let b = 0; b < batch; b++)
      out.data.set(data.subarray(b * timeSteps * width, (b * timeSteps + steps) * width), b * steps * width);
    return out;
  };
  return {
    id: `${problem.id}, first ${steps} steps`,
    inputs: cut(inputs),
    ...(initialState && { initialState }),
    ...(mask && { mask: cut(mask) }),
    weights: { kernel, recurrentKernel, bias },
  };
}
