/** Something that an input cannot show, whatever side it runs on. */
export interface BlindSpot {
  /** the weakness of the input: `one example`, `saturated`, `zero gradient` */ readonly what: string;
  /** the problem that has it: the strongest of the run, where there are several */ readonly caseId: string;
  /** the weakness with its numbers, a clause */ readonly because: string;
  /** the tensors that would show these faults, were it not for the weakness */ readonly tensors: readonly string[];
  /** faults of the catalogue (`harness/faults`) that change nothing here beyond rounding, by name */
  readonly hides: readonly string[];
  /** one of these faults in words: an example */ readonly example?: string;
  /** what to change in the problem so that they show: an order */ readonly fix: string;
}

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
