import { mapProblem, type Problem } from '../base/problem';
import { makeProblem, type ProblemRecipe } from './generated';

const usual: Omit<ProblemRecipe, 'id' | 'seed'> = {
  batch: 3,
  timeSteps: 5,
  features: 4,
  units: 6,
  classes: 7,
  scale: 1,
  labels: true,
  upstreamStates: true,
  upstreamFinalState: true,
  initialState: true,
  mask: false,
};

/** Sizes at their edge, one at a time and all together. */
const edges: Readonly<Record<string, Partial<ProblemRecipe>>> = {
  'one-step': { timeSteps: 1 },
  'one-feature': { features: 1 },
  'one-unit': { units: 1 },
  'one-example': { batch: 1 },
  'one-class': { classes: 1 },
  'two-classes': { classes: 2 },
  'one-of-everything': { batch: 1, timeSteps: 1, features: 1, units: 1, classes: 2 },
  '200-steps': { timeSteps: 200, batch: 2, features: 3, units: 5, classes: 4 },
  '200-steps-masked': { timeSteps: 200, batch: 2, features: 3, units: 5, classes: 4, mask: true },
  'no-initial-state': { initialState: false },
  'upstream-only': { labels: false },
  'equal-sizes': { batch: 4, timeSteps: 4, features: 4, units: 4, classes: 4 },
  wide: { batch: 5, timeSteps: 6, features: 40, units: 48, classes: 12 },
};

/** The problems at the edges. */
export function edgeProblems(seed: number): Problem[] {
  return Object.entries(edges).map(([name, recipe], i) =>
    makeProblem({ ...usual, ...recipe, id: `edge/${name}`, seed: seed * 100_000 + 50_000 + i }),
  );
}

/** Masks that a careless implementation gets wrong: a start that is masked, an end that is masked, nothing left at all. */
export function maskProblems(seed: number): Problem[] {
  const masks: Readonly<Record<string, (b: number, t: number, last: number) => boolean>> = {
    'first-steps': (b, t) => t > b,
    'last-steps': (b, t, last) => t < last - b,
    'all-steps-of-one-example': (b) => b !== 1,
  };
  return Object.entries(masks).map(([name, keeps], i) => {
    const seedHere = seed * 100_000 + 60_000 + i;
    const problem = makeProblem({ ...usual, mask: true, id: `mask/${name}`, seed: seedHere });
    const [B, T] = [usual.batch, usual.timeSteps];
    const data = Float64Array.from({ length: B * T }, (_, at) =>
      keeps(Math.floor(at / T), at % T, T - 1) ? 1 : 0,
    );
    return { ...problem, mask: { data, shape: [B, T] } };
  });
}

/** Logits near +-1e6 and other sizes at which a softmax without care gives NaN or Infinity. */
export function extremeProblems(seed: number): Problem[] {
  return [100, 1e4, 1e6, -1e6, 4e6].flatMap((size, i) =>
    (['on the winner', 'on a loser'] as const).map((where) => {
      const seedHere = seed * 100_000 + 70_000 + i;
      const name = `extreme/logits-${size < 0 ? 'minus-' : ''}${Math.abs(size)}-${where === 'on the winner' ? 'won' : 'lost'}`;
      const problem = makeProblem({ ...usual, id: name, seed: seedHere });
      const C = usual.classes;
      // one class stands out by `size`, or (negative) all but one stand far below zero
      const bias = Float64Array.from({ length: C }, (_, c) => ((c === 2) === size > 0 ? size : c / 8));
      const labels = Array.from({ length: usual.batch }, () => (where === 'on the winner' ? 2 : 3));
      return mapProblem(
        { ...problem, labels, weights: { ...problem.weights, outputBias: { data: bias, shape: [C] } } },
        Math.fround,
      );
    }),
  );
}
