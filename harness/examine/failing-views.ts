import type { AnyProblem, Evaluation, Problem } from '../base/problem';
import type { Examination, View } from './examine';
import type { ViewName } from './views';

/** A question with the answer that was judged wrong. */
export interface FailingView<P extends AnyProblem = Problem> extends View<P> {
  readonly view: ViewName;
  /** what the side had been asked just before, where that is known */ readonly previous?: P;
  /** the reference's answer, where it was asked for */ readonly reference?: Evaluation;
}

/** The failures of an examination, in the order in which the views ran. */
export function failingViewsOf<P extends AnyProblem>({
  results,
  steps,
  probe,
  repeat,
  problem,
  reference,
}: Examination<P>): FailingView<P>[] {
  const all: (FailingView<P> | undefined)[] = [
    results && { ...results, view: 'results', reference },
    steps && { ...steps, view: 'steps', previous: problem },
    probe && { ...probe, view: 'probe', previous: steps?.problem ?? problem },
    repeat && { ...repeat, view: 'repeat', reference, previous: repeat.between },
  ];
  return all.filter((exhibit) => exhibit !== undefined).filter(({ verdict }) => verdict.status === 'fail');
}
