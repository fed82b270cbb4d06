import { createRandom, orthogonal, type Random, type Tensor } from '../../scratch/index';
import { roundProblem, type Problem, type ProblemWeights } from '../base/problem';

/** What a problem is like; everything that is not given is drawn from the seed. */
export interface ProblemRecipe {
  readonly id: string;
  readonly seed: number;
  readonly batch: number;
  readonly timeSteps: number;
  readonly features: number;
  readonly units: number;
  readonly classes: number;
  /** standard deviation of the states that weights of this scale make: 0.01 almost linear, 1 usual, 4 saturating */
  readonly scale: number;
  readonly labels: boolean;
  readonly upstreamStates: boolean;
  readonly upstreamFinalState: boolean;
  readonly initialState: boolean;
  readonly mask: boolean;
}

/**
 * A problem without symmetries: every number random, so that a transpose, a shifted step or a lost carry cannot hide.
 * All numbers are exact in float32, so that both precisions answer the same question.
 *
 * kernel and bias follow the scale; the recurrent kernel is an orthogonal matrix times min(scale, 0.9 .. 1.1): errors and
 * gradients neither explode nor die, however long the sequence.
 */
export function makeProblem(recipe: ProblemRecipe): Problem {
  const { id, batch: B, timeSteps: T, features: F, units: U, classes: C, scale } = recipe;
  const random = createRandom(recipe.seed);
  const normal = (deviation: number, ...shape: number[]): Tensor =>
    draw(shape, () => deviation * random.normal());
  const gain = Math.min(scale, 0.9 + 0.2 * random.uniform());
  const weights: ProblemWeights = {
    kernel: normal(scale / Math.sqrt(F), F, U),
    recurrentKernel: scaled(orthogonal(random, U), gain),
    bias: normal(Math.min(scale, 1) / 2, U),
    ...(recipe.labels && {
      outputKernel: normal(Math.max(scale, 0.1) / Math.sqrt(U), U, C),
      outputBias: normal(Math.min(scale, 1) / 2, C),
    }),
  };
  const upstream = {
    ...(recipe.upstreamStates && { states: normal(1, B, T, U) }),
    ...(recipe.upstreamFinalState && { finalState: normal(1, B, U) }),
  };
  return roundProblem({
    id,
    inputs: normal(1, B, T, F),
    ...(recipe.initialState && { initialState: draw([B, U], () => 1.8 * random.uniform() - 0.9) }),
    ...(recipe.mask && { mask: draw([B, T], () => (random.uniform() < 0.7 ? 1 : 0)) }),
    ...(recipe.labels && { labels: Array.from({ length: B }, () => random.integer(C)) }),
    ...((recipe.upstreamStates || recipe.upstreamFinalState) && { upstream }),
    weights,
  });
}

const scales = [0.01, 0.1, 0.3, 0.7, 1, 1, 1.5, 2.5, 4];
/** labels, upstream states, upstream final state */
const backwardKinds: readonly (readonly [boolean, boolean, boolean])[] = [
  [true, false, false],
  [true, true, true],
  [false, true, false],
  [false, false, true],
  [true, true, false],
  [false, true, true],
  [true, false, true],
];

/** Problem number `index` of the series that `seed` names: sizes that all differ, from 2 to 9 (steps up to 16). */
export function generatedProblem(seed: number, index: number): Problem {
  const random = createRandom(seed * 100_000 + index);
  const [batch, features, units, classes, timeSteps] = differentSizes(random);
  const [labels, upstreamStates, upstreamFinalState] = backwardKinds[index % backwardKinds.length];
  return makeProblem({
    id: `generated/${String(index).padStart(3, '0')}`,
    seed: seed * 100_000 + index,
    batch,
    timeSteps,
    features,
    units,
    classes,
    scale: scales[index % scales.length],
    labels,
    upstreamStates,
    upstreamFinalState,
    initialState: index % 6 !== 5,
    mask: index % 5 === 4,
  });
}

/** Five sizes of which no two are equal: an axis taken for another one changes a shape. */
function differentSizes(random: Random): number[] {
  const sizes = [2, 3, 4, 5, 6, 7, 8, 9];
  const order = Array.from(random.permutation(sizes.length), (i) => sizes[i]);
  // a third of the sequences is longer than any other size
  return [...order.slice(0, 4), random.uniform() < 1 / 3 ? 10 + random.integer(7) : order[4]];
}

export function draw(shape: readonly number[], next: () => number): Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  return { data: Float64Array.from({ length: size }, next), shape };
}

function scaled({ data, shape }: Tensor, factor: number): Tensor {
  return { data: data.map((x) => factor * x), shape };
}
