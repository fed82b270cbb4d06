import type { Precision } from '../base/problem';
import { catalogue, type Fault } from '../faults/index';
import { moreFaults } from './more-faults';

/** What is only wrong beyond a limit: of a probability, of a logit. */
const limits = /^loss\/(clipped-probabilities|logarithm-of-softmax|softmax-without-shift)/;

/**
 * The faults that an input is asked to show: the catalogue's and a few more. Left out are faults that need several calls or
 * another precision, and limits (of gradients, of probabilities) that no input can be said to reach, as they may be anywhere.
 */
export function faultsToShow(precision: Precision): Fault[] {
  return [...catalogue, ...moreFaults].filter(
    ({ family, name, calls, precision: only }) =>
      calls !== true &&
      family !== 'clipping-and-update-order' &&
      !limits.test(name) &&
      (only === undefined || only === precision),
  );
}
