import type { Evaluation, Problem, TensorName } from '../base/problem';

/** What a run asks of its sides in one problem. */
export interface Asked {
  readonly problem: Problem;
  /** the tensors that are compared; default: all that the problem asks for */ readonly names?: readonly TensorName[];
  /** the absolute error of the expected numbers themselves, in addition to the budget */
  readonly tolerance?: ReadonlyMap<string, number>;
}

/** A reason why an input cannot show some mistakes. */
export interface Weakness {
  /** short and unique, as `one example` */ readonly what: string;
  /** where the problem has it: a clause with its numbers, as `there is one example (B = 1)` */
  readonly found: (asked: Asked, right: Evaluation) => string | undefined;
  /** what to change, in words: an order */ readonly fix: string;
  /** the same question without it, and otherwise as much alike as can be */ readonly fixed: (
    asked: Asked,
  ) => Asked;
}

/** The same question with another problem. */
export function change(asked: Asked, changed: Partial<Problem>): Asked {
  return { ...asked, problem: { ...asked.problem, ...changed } };
}
