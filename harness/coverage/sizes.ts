import { expectedNames, sizesOf, type AnyProblem, type ProblemSizes } from '../base/problem';
import { grow } from '../problems/index';
import { random } from './tensors';
import { change, type Asked, type Weakness } from './weakness';

/** How few: below this number, what it is called, what is said of n, and what to do. */
type Few = readonly [least: number, what: string, says: (n: number) => string, fix: string];

/** Few examples and few time steps, of any model. */
export const fewOf: readonly (readonly [size: 'example' | 'timeStep', ...few: Few])[] = [
  ['example', 2, 'one example', () => 'there is one example (B = 1)', 'give two examples or more'],
  ['timeStep', 2, 'one time step', () => 'there is one time step (T = 1)', 'give five time steps or more'],
  ['timeStep', 4, 'few time steps', (T) => `there are only ${T} time steps`, 'give five time steps or more'],
];

/** Weaknesses of the sizes, and of what is not asked for. */
export const weaknessesOfSizes: readonly Weakness[] = [
  ...fewOf.map(([size, ...rest]) =>
    tooFew(({ example: 'batch', timeStep: 'timeSteps' } as const)[size], ...rest),
  ),
  tooFew('units', 2, 'one unit', () => 'there is one unit (U = 1)', 'take two units or more'),
  tooFew('features', 2, 'one feature', () => 'there is one feature (F = 1)', 'give two features or more'),
  tooFew('classes', 2, 'one class', () => 'there is one class (C = 1)', 'take two classes or more'),
  {
    what: 'no gradient asked for',
    found: (asked) =>
      namesOf(asked).some((name) => name.startsWith('gradients.')) ? undefined : 'no gradient is asked for',
    fix: 'give labels or upstream gradients, and expect the gradients',
    fixed: (asked) => {
      const { batch, timeSteps, units } = sizesOf(asked.problem);
      const { labels, upstream = { states: random([batch, timeSteps, units], 31, 1) } } = asked.problem;
      const backward = labels === undefined ? change(asked, { upstream }) : asked;
      const gradients = expectedNames(backward.problem).filter((name) => name.startsWith('gradients.'));
      return { ...backward, names: [...namesOf(asked), ...gradients] };
    },
  },
];

/** The tensors that are compared. */
export function namesOf({ problem, names }: Asked<AnyProblem>): readonly string[] {
  return names ?? expectedNames(problem);
}

const enough: Readonly<ProblemSizes> = { batch: 3, timeSteps: 5, features: 3, units: 3, classes: 3 };

function tooFew(size: keyof ProblemSizes, ...[least, what, says, fix]: Few): Weakness {
  return {
    what,
    found: ({ problem }) => {
      const n = sizesOf(problem)[size];
      return n === undefined || n >= least ? undefined : says(n);
    },
    fix,
    fixed: (asked) => change(asked, grow(asked.problem, { [size]: enough[size] })),
  };
}
