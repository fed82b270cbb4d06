import { referenceAnswer } from '../sides/reference/index';
import { UsageError } from '../base/outcome';
import { roundProblem, type Evaluation, type Precision, type Problem } from '../base/problem';

/** A problem as a side of some precision holds it, and the scratch network's answer to it. */
export interface Question {
  readonly problem: Problem;
  readonly reference: Evaluation;
}

/**
 * The problem as a side of that precision solves it.
 *
 * @throws UsageError when a float32 side would have to hold a number that overflows float32
 */
export function questionFor(problem: Problem, precision: Precision): Question {
  const held = precision === 'float32' ? roundProblem(problem) : problem;
  if (held !== problem) checkFinite(held);
  return { problem: held, reference: referenceAnswer(held) };
}

function tensorsOf({ inputs, initialState, upstream, weights }: Problem): [string, Float64Array][] {
  const named = { inputs, initialState, ...weights };
  const all = [
    ...Object.entries(named),
    ['upstream.states', upstream?.states],
    ['upstream.finalState', upstream?.finalState],
  ];
  return (all as [string, { data: Float64Array } | undefined][]).flatMap(([name, tensor]) =>
    tensor === undefined ? [] : [[name, tensor.data]],
  );
}

function checkFinite(rounded: Problem): void {
  for (const [name, data] of tensorsOf(rounded)) {
    if (data.every((x) => Number.isFinite(x))) continue;
    throw new UsageError(
      `case ${JSON.stringify(rounded.id)}: ${name} holds a number beyond 3.4e38, which float32 cannot hold; scale the problem down, or compare float64 implementations only.`,
    );
  }
}
