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
