import {
  expectedNames,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Implementation,
} from '../base/problem';
import { failingViewsOf, referenceFor, type Examination, type FailingView } from '../examine/index';
import { workOf } from '../problems/index';
import { sideAtFault, type Party, type RefereeOptions, type Ruling } from './side-at-fault';

/** Products of numbers that dual-number runs may cost in all: a few seconds. */
const mostProducts = 4e8;

/**
 * Which side is wrong, by the referees: by the results; where these are right, by the question whose answer is not. An equation that
 * does not hold between a side's own numbers needs no other side to be wrong.
 */
export function rule(
  implementation: Implementation,
  examination: Examination<AnyProblem>,
  against: string,
): Pick<Ruling, 'side' | 'note'> {
  const { name, precision } = implementation;
  for (const exhibit of failingViewsOf(examination)) {
    const { problem, answer } = exhibit;
    const reference = exhibit.reference ?? referenceFor(problem);
    const ruling = ruleOn(
      problem,
      { name: against, precision: 'float64', evaluation: reference },
      { name, precision, evaluation: answer },
    );
    if (ruling.side !== 'undecided') return { ...ruling, note: `${ruling.note}${noteOn[exhibit.view]}` };
  }
  const wrong = examination.steps?.verdict.tensors.find(({ status }) =>
    ['differs', 'nan', 'infinity'].includes(status),
  );
  if (wrong !== undefined)
    return {
      side: name,
      note: `its own numbers contradict each other: ${wrong.tensor} does not follow from what it is made of`,
    };
  return {
    side: 'undecided',
    note: 'the referees could blame neither side: the mistake is a shape, a name, or something that they do not compute',
  };
}

const noteOn: Readonly<Record<FailingView['view'], string>> = {
  results: '',
  steps: ', with one more input for each unit',
  probe: ', in the weight probe',
  repeat: ', when it was asked again',
};

/** The referees on two answers to one problem; the largest difference of every tensor is among what they look at. */
export function ruleOn(problem: AnyProblem, first: Party, second: Party): Ruling {
  const options: RefereeOptions = {
    suspects: largestDifferences(problem, first.evaluation, second.evaluation),
    runs: Math.max(14, Math.min(200, Math.floor(mostProducts / (3 * workOf(problem))))),
  };
  return sideAtFault(problem, first, second, options);
}

function largestDifferences(
  problem: AnyProblem,
  one: Evaluation,
  other: Evaluation,
): NonNullable<RefereeOptions['suspects']> {
  const suspects = expectedNames(problem).flatMap((name) => {
    const [a, b] = [tensorOf(one, name)?.data, tensorOf(other, name)?.data];
    if (a === undefined || b === undefined) return [];
    let worst = 0;
    a.forEach((x, i) => {
      // NaN is farther off than any number
      if (!(Math.abs(b[i] - x) <= Math.abs(b[worst] - a[worst]))) worst = i;
    });
    return [[name, [worst]] as const];
  });
  return Object.fromEntries(suspects);
}
