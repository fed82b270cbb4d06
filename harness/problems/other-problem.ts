import { createRandom, type Tensor } from '../../scratch/index';
import { draw, makeProblem } from './generated';
import { makeLayeredProblem } from './layered';
import { roundProblem, sizesOf, type LayeredProblem, type Problem } from '../base/problem';

/**
 * Another question about the same weights, with everything in it that a mistake could hide without: other inputs, one step more, an
 * initial state, gradients for every state and for the final one. A mask only where the first question had one.
 */
export function otherProblem(problem: Problem, seed: number): Problem {
  const { batch, timeSteps, features, units, classes } = sizesOf(problem);
  const random = createRandom(seed);
  const steps = timeSteps + 1 + seed;
  const normal = (deviation: number, ...shape: number[]): Tensor =>
    draw(shape, () => deviation * random.normal());
  const spread = Math.sqrt(
    problem.inputs.data.reduce((sum, x) => sum + x * x, 0) / problem.inputs.data.length,
  );
  const mask = problem.mask && draw([batch, steps], () => (random.uniform() < 0.7 ? 1 : 0));
  return roundProblem({
    id: `${problem.id}, other numbers`,
    inputs: normal(Math.min(Math.max(spread, 0.3), 2), batch, steps, features),
    initialState: normal(0.5, batch, units),
    ...(mask && { mask }),
    ...(classes !== undefined && { labels: Array.from({ length: batch }, () => random.integer(classes)) }),
    upstream: { states: normal(1, batch, steps, units), finalState: normal(1, batch, units) },
    weights: problem.weights,
  });
}

/**
 * Another question about the same network with other weights, and with everything in it that a mistake could hide without: three
 * examples, one step more (at most eleven steps), initial states, and where gradients are asked for, some for every state and every final
 * one. A mask, labels or targets, and gradients of the logits only where the first question had them: without those the network is another.
 */
export function otherLayeredProblem(problem: LayeredProblem): LayeredProblem {
  const { model, inputs, labels, targets, mask, upstream } = problem;
  const loss = labels !== undefined || targets !== undefined;
  const { upstream: drawn, ...rest } = makeLayeredProblem({
    ...{ id: `${problem.id}, other numbers`, seed: 7, model, batch: 3 },
    timeSteps: Math.min(inputs.shape[1], 10) + 1,
    loss,
    mask: mask !== undefined,
    upstream: loss || upstream !== undefined,
  });
  if (drawn === undefined) return rest;
  const { logits, ...states } = drawn;
  return { ...rest, upstream: { ...states, ...(upstream?.logits && logits && { logits }) } };
}

/** A small question like a large one: what is equal in size stays equal, so that the same mistakes have room. */
export function smallProblem(problem: Problem): Problem {
  const { batch, timeSteps, features, units, classes } = sizesOf(problem);
  const small = {
    batch: batch === units ? 4 : Math.min(batch, 3),
    timeSteps: Math.min(timeSteps, 6),
    features: features === units ? 4 : Math.min(features, 2),
    units: Math.min(units, 4),
    classes: classes === units ? 4 : Math.min(classes ?? 2, 5),
  };
  return makeProblem({
    id: `${problem.id}, small`,
    seed: 7,
    ...small,
    scale: 1,
    labels: problem.labels !== undefined,
    upstreamStates: problem.upstream?.states !== undefined || problem.labels === undefined,
    upstreamFinalState: problem.upstream?.finalState !== undefined,
    initialState: problem.initialState !== undefined,
    mask: problem.mask !== undefined,
  });
}
