import type { BlindSpot } from './blind-spot';

const mostTensors = 3;

/**
 * A blind spot in one line: what the input is like, the mistakes that it hides, in which tensors, and what to change.
 *
 * @param spot
 * @param ofCase whether the problem is named, as it must be where a run has several
 */
export function describeBlindSpot(spot: BlindSpot, ofCase: boolean): string {
  const { caseId, because, tensors, hides, example = '', fix } = spot;
  const where = tensors.length === 0 ? '' : ` in ${listed(tensors)}`;
  const what =
    hides.length === 0
      ? 'no mistake shows there'
      : hides.length === 1
        ? `a mistake does not show${where} (${example})`
        : `${hides.length} mistakes do not show${where} (one: ${example})`;
  return `${ofCase ? `${caseId}: ` : ''}${because}: ${what}; ${fix}`;
}

/** `states, logits and 3 more tensors` */
export function listed(tensors: readonly string[]): string {
  if (tensors.length <= mostTensors) return tensors.join(', ');
  const shown = tensors.slice(0, mostTensors - 1);
  return `${shown.join(', ')} and ${tensors.length - shown.length} more tensors`;
}
