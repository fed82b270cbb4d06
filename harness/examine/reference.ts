import { memoize } from '../base/memoize';
import { networkConfigOf } from '../base/model';
import { doublePrecisionRun } from '../budget/index';
import { referenceAnswer } from '../sides/reference/index';
import { UsageError } from '../base/outcome';
import {
  isLayered,
  partOf,
  partsOf,
  roundProblem,
  type AnyProblem,
  type Evaluation,
  type Precision,
  type Problem,
} from '../base/problem';

/** A problem as a side of some precision holds it, and the reference's answer to it. */
export interface Question<P extends AnyProblem = Problem> {
  readonly problem: P;
  readonly reference: Evaluation;
}

/** The scratch network's answer; of a user's own cell, which scratch does not have, that of its formulas in float64. */
export const referenceFor: (problem: AnyProblem) => Evaluation = memoize((problem) => {
  if (!isLayered(problem) || networkConfigOf(problem.model) !== undefined) return referenceAnswer(problem);
  return doublePrecisionRun(problem);
});

/**
 * The problem as a side of that precision solves it.
 *
 * @throws UsageError when a float32 side would have to hold a number that overflows float32
 */
export function questionFor<P extends AnyProblem>(problem: P, precision: Precision): Question<P> {
  const held = precision === 'float32' ? roundProblem(problem) : problem;
  if (held !== problem) checkFinite(held);
  return { problem: held, reference: referenceFor(held) };
}

/** The first part of a problem with a number beyond float32; undefined where single precision holds them all. */
export function partBeyondSingle(problem: AnyProblem): string | undefined {
  return partsOf(problem).find(
    (name) => partOf(problem, name)?.data.every((x) => Number.isFinite(Math.fround(x))) !== true,
  );
}

function checkFinite(rounded: AnyProblem): void {
  const name = partBeyondSingle(rounded);
  if (name !== undefined)
    throw new UsageError(
      `case ${JSON.stringify(rounded.id)}: ${name} holds a number beyond 3.4e38, which float32 cannot hold; scale the problem down, or compare float64 implementations only.`,
    );
}
