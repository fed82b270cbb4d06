import { readsIntegers, type LayeredProblem } from '../base/problem';
import { makeLayeredProblem } from '../problems/index';
import { weaknessesOfInitialStates, weaknessesOfMasks, weaknessesOfNumbers } from './inputs';
import { noGradient, weaknessesOfAnySizes, withNames } from './sizes';
import type { Weakness } from './weakness';
import { equalWeights, weaknessesOfZeroWeights } from './weights';

type LayersWeakness = Weakness<LayeredProblem>;

/** Of two reasons for the same fault the first is reported. */
export const weaknessesOfLayers: readonly LayersWeakness[] = [
  ...weaknessesOfAnySizes,
  noGradient(
    'give labels, targets or upstream gradients, and expect the gradients',
    (problem: LayeredProblem) => drawn(problem).upstream,
  ),
  // the integers of an embedding have neither signs nor sizes
  ...weaknessesOfNumbers.map((weakness): LayersWeakness => ({
    ...weakness,
    found: (asked, right) => (readsIntegers(asked.problem) ? undefined : weakness.found(asked, right)),
  })),
  ...weaknessesOfInitialStates('states', 'initialStates that are'),
  ...weaknessesOfMasks,
  ...weaknessesOfZeroWeights,
  equalWeights,
];

/** What a problem may do without; reported for a single problem only, because no problem needs all of it. */
export const absentPartsOfLayers: LayersWeakness = {
  what: 'absent parts',
  found: ({ problem: { labels, targets, upstream } }) => {
    const absent = [
      ...(labels === undefined && targets === undefined ? ['labels or targets'] : []),
      ...(upstream === undefined ? ['upstream gradients'] : []),
    ];
    return absent.length === 0 ? undefined : `it has no ${absent.join(', no ')}`;
  },
  fix: 'give those that your layers should accept',
  fixed: (asked) => {
    const { problem } = asked;
    const { labels, targets, upstream } = drawn(problem);
    const isLossAsked = problem.labels !== undefined || problem.targets !== undefined;
    return withNames(asked, {
      ...(!isLossAsked && { ...(labels && { labels }), ...(targets && { targets }) }),
      ...(upstream && { upstream }),
      ...problem,
    });
  },
};

/** A problem of the same sizes that has all parts. */
function drawn({ id, model, inputs }: LayeredProblem): LayeredProblem {
  const [batch, timeSteps] = inputs.shape;
  return makeLayeredProblem({ id, model, batch, timeSteps, seed: 31, upstream: true });
}
