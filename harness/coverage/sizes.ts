import {
  expectedNames,
  sizesOf,
  tablesOf,
  type AnyProblem,
  type LayeredProblem,
  type Problem,
} from '../base/problem';
import { grow } from '../problems/index';
import { random } from './tensors';
import { change, type Asked, type CommonWeakness, type Weakness } from './weakness';

/** How few: of which size, below which number, what it is called, what is said of n, and what to do. */
type Few = readonly [size: string, least: number, what: string, says: (n: number) => string, fix: string];

/** Few examples and few time steps, of any model. */
const few: readonly Few[] = [
  ['example', 2, 'one example', () => 'there is one example (B = 1)', 'give two examples or more'],
  ['timeStep', 2, 'one time step', () => 'there is one time step (T = 1)', 'give five time steps or more'],
  ['timeStep', 4, 'few time steps', (T) => `there are only ${T} time steps`, 'give five time steps or more'],
];

export const weaknessesOfAnySizes: readonly CommonWeakness[] = few.map(tooFew);

const fewOfSimple: readonly Few[] = [
  ['unit', 2, 'one unit', () => 'there is one unit (U = 1)', 'take two units or more'],
  ['feature', 2, 'one feature', () => 'there is one feature (F = 1)', 'give two features or more'],
  ['class', 2, 'one class', () => 'there is one class (C = 1)', 'take two classes or more'],
];

/** Weaknesses of the sizes, and of what is not asked for. */
export const weaknessesOfSizes: readonly Weakness[] = [
  ...weaknessesOfAnySizes,
  ...fewOfSimple.map(tooFew),
  noGradient('give labels or upstream gradients, and expect the gradients', (problem) => {
    const { batch, timeSteps, units } = sizesOf(problem);
    return { states: random([batch, timeSteps, units], 31, 1) };
  }),
];

function tooFew([size, least, what, says, fix]: Few): CommonWeakness {
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

/** @param upstream that a problem without a loss gets */
export function noGradient<P extends Problem | LayeredProblem>(
  fix: string,
  upstream: (problem: P) => P['upstream'],
): Weakness<P> {
  return {
    what: 'no gradient asked for',
    found: (asked) =>
      namesOf(asked).some((name) => name.startsWith('gradients.')) ? undefined : 'no gradient is asked for',
    fix,
    fixed: (asked) => {
      const gradients = gradientsOf(asked.problem);
      if (gradients.length > 0) return { ...asked, names: [...namesOf(asked), ...gradients] };
      return withNames(asked, { ...asked.problem, upstream: upstream(asked.problem) });
    },
  };
}

function gradientsOf(problem: AnyProblem): string[] {
  return expectedNames(problem).filter((name) => name.startsWith('gradients.'));
}

/** The question about a problem with more parts, and with the tensors that these add to an answer. */
export function withNames<P extends AnyProblem>(asked: Asked<P>, problem: P): Asked<P> {
  const before = expectedNames(asked.problem);
  const more = expectedNames(problem).filter((name) => !before.includes(name));
  return { ...asked, problem, names: [...namesOf(asked), ...more] };
}

/** The tensors that are compared. */
export function namesOf({ problem, names }: Asked<AnyProblem>): readonly string[] {
  return names ?? expectedNames(problem);
}
