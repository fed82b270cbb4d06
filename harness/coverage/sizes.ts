import { expectedNames, tablesOf, type AnyProblem } from '../base/problem';
import { grow } from '../problems/index';
import { withAllParts } from './parts';
import { change, namesOf, withNames, type Weakness } from './weakness';

/** How few: of which size, below which number, what it is called, what is said of n, and what to do. */
type Few = readonly [size: string, least: number, what: string, says: (n: number) => string, fix: string];

/** Of a network of layers, units and classes belong to the model, which an input cannot change. */
const few: readonly Few[] = [
  ['example', 2, 'one example', () => 'there is one example (B = 1)', 'give two examples or more'],
  ['timeStep', 2, 'one time step', () => 'there is one time step (T = 1)', 'give five time steps or more'],
  ['timeStep', 4, 'few time steps', (T) => `there are only ${T} time steps`, 'give five time steps or more'],
  ['unit', 2, 'one unit', () => 'there is one unit (U = 1)', 'take two units or more'],
  ['feature', 2, 'one feature', () => 'there is one feature (F = 1)', 'give two features or more'],
  ['class', 2, 'one class', () => 'there is one class (C = 1)', 'take two classes or more'],
];

/** Weaknesses of the sizes, and of what is not asked for. */
export const weaknessesOfSizes: readonly Weakness[] = [
  ...few.map(tooFew),
  {
    what: 'no gradient asked for',
    found: (asked) =>
      namesOf(asked).some((name) => name.startsWith('gradients.')) ? undefined : 'no gradient is asked for',
    fix: 'give labels (targets for other losses) or upstream gradients, and expect the gradients',
    fixed: (asked) => {
      const { problem } = asked;
      const gradients = expectedNames(problem).filter((name) => name.startsWith('gradients.'));
      if (gradients.length > 0) return { ...asked, names: [...namesOf(asked), ...gradients] };
      const { upstream } = withAllParts(problem);
      return withNames(asked, { ...problem, upstream } as AnyProblem);
    },
  },
];

function tooFew([size, least, what, says, fix]: Few): Weakness {
  return {
    what,
    found: ({ problem }) => {
      const n = tablesOf(problem).sizes.get(size) ?? 0;
      return n === 0 || n >= least ? undefined : says(n);
    },
    fix,
    fixed: (asked) => change(asked, grow(asked.problem, { [size]: size === 'timeStep' ? 5 : 3 })),
  };
}
