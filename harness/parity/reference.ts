import { scratchImplementation } from '../implementations/index';
import { UsageError } from '../outcome';
import { roundProblem, type Evaluation, type Precision, type Problem } from '../problem';

/** A problem as a side of some precision holds it, and the scratch network's answer to it. */
export interface Question {
  readonly problem: Problem;
  readonly reference: Evaluation;
}

/** Asks the scratch network, once for each problem and precision. */
export class ReferenceAnswers {
  private readonly scratch = scratchImplementation();
  private readonly known = new Map<Problem, Map<Precision, Promise<Question>>>();

  /** @throws UsageError when a float32 side would have to hold a number that overflows float32 */
  for(problem: Problem, precision: Precision): Promise<Question> {
    const of = this.known.get(problem) ?? new Map<Precision, Promise<Question>>();
    this.known.set(problem, of);
    const question = of.get(precision) ?? this.ask(problem, precision);
    of.set(precision, question);
    return question;
  }

  private async ask(problem: Problem, precision: Precision): Promise<Question> {
    if (precision === 'float64') return { problem, reference: await this.scratch.evaluate(problem) };
    const rounded = roundProblem(problem);
    if (isSame(problem, rounded)) return this.for(problem, 'float64');
    checkFinite(rounded);
    return { problem: rounded, reference: await this.scratch.evaluate(rounded) };
  }
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

function isSame(problem: Problem, rounded: Problem): boolean {
  const others = tensorsOf(rounded);
  return tensorsOf(problem).every(([, data], i) => data.every((x, at) => x === others[i][1][at]));
}

function checkFinite(rounded: Problem): void {
  for (const [name, data] of tensorsOf(rounded)) {
    if (data.every((x) => Number.isFinite(x))) continue;
    throw new UsageError(
      `case ${JSON.stringify(rounded.id)}: ${name} holds a number beyond 3.4e38, which float32 cannot hold; scale the problem down, or compare float64 implementations only.`,
    );
  }
}
