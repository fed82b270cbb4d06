import { sizesOf } from '../base/problem';
import { withNames } from './sizes';
import { random } from './tensors';
import type { Weakness } from './weakness';

/**
 * What a problem may do without; reported for a single problem only, because no problem needs all of it. Masks are not among it: not every layer
 * takes them.
 */
export const absentParts: Weakness = {
  what: 'absent parts',
  found: ({ problem: { labels, upstream } }) => {
    const parts = {
      labels,
      'upstream.states': upstream?.states,
      'upstream.finalState': upstream?.finalState,
    };
    const absent = Object.entries(parts).flatMap(([name, part]) => (part === undefined ? [name] : []));
    return absent.length === 0 ? undefined : `it has no ${absent.join(', no ')}`;
  },
  fix: 'give those that your layer should accept',
  fixed: (asked) => {
    const { batch: B, timeSteps: T, units: U, classes: C = 3 } = sizesOf(asked.problem);
    const { weights, labels, upstream } = asked.problem;
    return withNames(asked, {
      ...asked.problem,
      labels: labels ?? Array.from({ length: B }, (_, b) => (b + 1) % C),
      upstream: {
        states: upstream?.states ?? random([B, T, U], 41, 1),
        finalState: upstream?.finalState ?? random([B, U], 42, 1),
      },
      weights: {
        ...weights,
        outputKernel: weights.outputKernel ?? random([U, C], 43, 1),
        outputBias: weights.outputBias ?? random([C], 44, 1),
      },
    });
  },
};
