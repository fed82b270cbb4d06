import type { Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import type { AnyProblem, Evaluation, Precision, Problem } from '../base/problem';
import { asEvaluation, equationsOf } from '../equations/index';
import { distance, exactFault, rightOutcome } from './equations/index';
import type { Fault } from './fault';

type Runs = Pick<Fault, 'runs'>;
type Outcome = ReadonlyMap<string, Tensor>;

const rightOf = (problem: AnyProblem): Outcome => {
  const { network, problem: own } = equationsOf(problem);
  return rightOutcome(network)(own);
};

/** The right answer by the formulas, in float64, worked out once a problem. */
export const rightAnswer: (problem: AnyProblem) => Evaluation = memoize((problem) =>
  asEvaluation(problem, rightOf(problem)),
);

/** What a faulty network gives, by the names of the outcome, in float64; the right one where it has nothing to get wrong. */
function outcomeOf({ runs }: Runs, problem: Problem, earlier?: Outcome): Outcome {
  const { network, problem: own } = equationsOf(problem);
  const run = runs(network, own, { earlier }).at(0);
  return exactFault(run ?? { network, problem: own, isRightForward: true }).whole();
}

const firstOutcomes = memoize((problem: Problem) =>
  memoize((runs: Fault['runs']) => outcomeOf({ runs }, problem)),
);

/** The answer with the fault in it; a fault of memory is asked twice. In float64. */
export function replay(fault: Runs & Pick<Fault, 'calls'>, problem: Problem): Evaluation {
  return asEvaluation(problem, replayed(fault, problem));
}

function replayed(fault: Runs & Pick<Fault, 'calls'>, problem: Problem): Outcome {
  const first = firstOutcomes(problem)(fault.runs);
  return fault.calls === true ? outcomeOf(fault, problem, first) : first;
}

/** Differences below it are another order of summation: 2^-40 of the largest number of the tensor. */
const reordering = 2 ** -40;

/** Whether a side of that precision, asked this, can answer otherwise with the fault than without: two replays in float64 differ. */
export function canShow(
  fault: Runs & Pick<Fault, 'calls' | 'precision'>,
  problem: Problem,
  precision: Precision,
): boolean {
  if (fault.precision !== undefined && fault.precision !== precision) return false;
  return changeBy(fault, problem) > reordering;
}

/** The largest change of a number, as a share of the largest number of its tensor; infinite where the shapes differ. */
export function changeBy(fault: Runs & Pick<Fault, 'calls'>, problem: Problem): number {
  return distance(rightOf(problem), replayed(fault, problem));
}
