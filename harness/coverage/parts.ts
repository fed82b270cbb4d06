import type { Tensor } from '../../scratch/index';
import { isLayered, mapParts, partOf, partsOf, sizesOf, type AnyProblem } from '../base/problem';
import { makeLayeredProblem, makeProblem } from '../problems/index';
import { change, withNames, type Weakness } from './weakness';

interface EveryPart {
  /** whether a tensor of the problem has it, by its dotted name */ readonly has: (
    name: string,
    own: Tensor,
    problem: AnyProblem,
  ) => boolean;
  /** after one name, and after several */ readonly says: readonly [one: string, several: string];
  readonly fix: string;
  /** replaces a tensor that has it; `i` is its index among the weights, -1 for what is no weight */
  readonly other: (own: Tensor, i: number) => Tensor;
}

/** What each tensor of a problem can have by itself: `kernel`, of layers `layer1.kernel`, `upstream.states`. */
export function everyPart(what: string, { has, says, fix, other }: EveryPart): Weakness {
  const found = (problem: AnyProblem): string[] =>
    partsOf(problem).filter((name) => {
      const own = partOf(problem, name);
      return own !== undefined && has(name, own, problem);
    });
  return {
    what,
    found: ({ problem }) => {
      const names = found(problem).map((name) => name.replace(/^weights\./, ''));
      return names.length === 0 ? undefined : `${names.join(', ')} ${says[names.length === 1 ? 0 : 1]}`;
    },
    fix,
    fixed: (asked) => {
      const { problem } = asked;
      const names = found(problem);
      const weights = partsOf(problem).filter((name) => name.startsWith('weights.'));
      return change(
        asked,
        mapParts(problem, (own, name) => (names.includes(name) ? other(own, weights.indexOf(name)) : own)),
      );
    },
  };
}

/**
 * What a problem may do without; reported for a single problem only, because no problem needs all of it. Masks are not among it: not every layer
 * takes them.
 */
export const absentParts: Weakness = {
  what: 'absent parts',
  found: ({ problem }) => {
    const { labels, upstream } = problem;
    const parts: Readonly<Record<string, unknown>> = isLayered(problem)
      ? { 'labels or targets': labels ?? problem.targets, 'upstream gradients': upstream }
      : {
          labels,
          'upstream.states': problem.upstream?.states,
          'upstream.finalState': problem.upstream?.finalState,
        };
    const absent = Object.keys(parts).filter((name) => parts[name] === undefined);
    return absent.length === 0 ? undefined : `it has no ${absent.join(', no ')}`;
  },
  fix: 'give those that your layers should accept',
  fixed: (asked) => withNames(asked, withAllParts(asked.problem)),
};

/** The same problem with a loss and gradients from above where it has none. */
export function withAllParts(problem: AnyProblem): AnyProblem {
  const [batch, timeSteps] = problem.inputs.shape;
  const common = { id: problem.id, batch, timeSteps, seed: 31 };
  if (isLayered(problem)) {
    const { model } = problem;
    return { ...makeLayeredProblem({ ...common, model, upstream: true, initialStates: false }), ...problem };
  }
  const { features, units, classes = 3 } = sizesOf(problem);
  const full = makeProblem({
    ...{ ...common, features, units, classes, scale: 1, initialState: false, mask: false },
    ...{ labels: true, upstreamStates: true, upstreamFinalState: true },
  });
  return {
    ...full,
    labels: Array.from({ length: batch }, (_, b) => (b + 1) % classes),
    ...problem,
    upstream: { ...full.upstream, ...problem.upstream },
    weights: { ...full.weights, ...problem.weights },
  };
}
