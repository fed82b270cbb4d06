import type { AnyProblem, Evaluation, Problem } from '../base/problem';

/** What a run asks of its sides in one problem. */
export interface Asked<P extends AnyProblem = Problem> {
  readonly problem: P;
  /** the tensors that are compared; default: all that the problem asks for */ readonly names?: readonly string[];
  /** the absolute error of the expected numbers themselves, in addition to the budget */
  readonly tolerance?: ReadonlyMap<string, number>;
}

/** A reason why an input cannot show some mistakes. */
export interface Weakness<P extends AnyProblem = Problem> {
  /** short and unique, as `one example` */ readonly what: string;
  /** where the problem has it: a clause with its numbers, as `there is one example (B = 1)` */
  readonly found: (asked: Asked<P>, right: Evaluation) => string | undefined;
  /** what to change, in words: an order */ readonly fix: string;
  /** the same question without it, and otherwise as much alike as can be */ readonly fixed: (
    asked: Asked<P>,
  ) => Asked<P>;
}

/** A reason of inputs, masks or labels, which problems of every kind have. */
export interface CommonWeakness extends Omit<Weakness<AnyProblem>, 'fixed'> {
  readonly fixed: <P extends AnyProblem>(asked: Asked<P>) => Asked<P>;
}

/** The same question with another problem. */
export function change<P extends AnyProblem>(
  asked: Asked<P>,
  changed: Partial<P> | Partial<Pick<AnyProblem, 'inputs' | 'mask' | 'labels'>>,
): Asked<P> {
  return { ...asked, problem: { ...asked.problem, ...changed } };
}
