import { expectedNames, type AnyProblem, type Evaluation, type Problem } from '../base/problem';

/** What a run asks of its sides in one problem. */
export interface Asked<P extends AnyProblem = Problem> {
  readonly problem: P;
  /** the tensors that are compared; default: all that the problem asks for */ readonly names?: readonly string[];
  /** the absolute error of the expected numbers themselves, in addition to the budget */
  readonly tolerance?: ReadonlyMap<string, number>;
}

/** A reason why an input cannot show some mistakes. */
export interface Weakness {
  /** short and unique, as `one example` */ readonly what: string;
  /** where the problem has it: a clause with its numbers, as `there is one example (B = 1)` */
  readonly found: (asked: Asked<AnyProblem>, right: Evaluation) => string | undefined;
  /** what to change, in words: an order */ readonly fix: string;
  /** the same question without it, and otherwise as much alike as can be */
  readonly fixed: (asked: Asked<AnyProblem>) => Asked<AnyProblem>;
}

/** The same question with another problem. */
export function change(
  asked: Asked<AnyProblem>,
  changed: AnyProblem | Partial<Pick<AnyProblem, 'inputs' | 'mask' | 'labels'>>,
): Asked<AnyProblem> {
  return { ...asked, problem: { ...asked.problem, ...changed } as AnyProblem };
}

/** The question about a problem with more parts, and with the tensors that these add to an answer. */
export function withNames(asked: Asked<AnyProblem>, problem: AnyProblem): Asked<AnyProblem> {
  const before = expectedNames(asked.problem);
  const more = expectedNames(problem).filter((name) => !before.includes(name));
  return { ...asked, problem, names: [...namesOf(asked), ...more] };
}

/** The tensors that are compared. */
export function namesOf({ problem, names }: Asked<AnyProblem>): readonly string[] {
  return names ?? expectedNames(problem);
}
