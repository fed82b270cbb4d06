import { memoize } from '../base/memoize';
import {
  isLayered,
  type AnyProblem,
  type Evaluation,
  type LayeredProblem,
  type Precision,
  type Problem,
} from '../base/problem';
import { asEvaluation, equationsOf } from '../equations/index';
import { canShowFault, exactFault, faultNamed, faultsOf } from '../faults/equations/index';
import { canShow, firstAnswer, rightAnswer, type Fault } from '../faults/index';
import { faultsToShow } from './faults';

/** A fault that an input is asked to show. */
export interface NamedFault {
  /** unique among those of a problem's network */ readonly name: string;
  /** what is wrong: a sentence without its end */ readonly words: string;
}

/** How faults are planted in the reference's answer to problems of one kind, in float64. */
export interface Planting<P extends AnyProblem> {
  /** what problems about the network of this one are asked to show */
  faults(problem: P, precision: Precision): readonly NamedFault[];
  right(problem: P): Evaluation;
  /** the answers with the fault: in each way in which it can be run; none where the problem has nothing that could go wrong */
  wrong(fault: NamedFault, problem: P): readonly Evaluation[];
  /** whether the answer can differ at all, by exact replay */
  isAble(fault: NamedFault, problem: P, precision: Precision): boolean;
}

/** The catalogue of the simple RNN. */
export const simplePlanting: Planting<Problem> = {
  faults: (_, precision) => faultsToShow(precision),
  right: rightAnswer,
  wrong: (fault, problem) => [firstAnswer(fault as Fault, problem)],
  isAble: (fault, problem, precision) => canShow(fault as Fault, problem, precision),
};

/** The faults that follow from the equations of a network of layers. */
export const layeredPlanting: Planting<LayeredProblem> = {
  faults: (problem) => faultsOf(equationsOf(problem).network),
  right: memoize((problem) => {
    const { network, problem: own } = equationsOf(problem);
    return asEvaluation(problem, exactFault({ network, problem: own }).whole());
  }),
  wrong({ name }, problem) {
    const { network, problem: own } = equationsOf(problem);
    const runs = faultNamed(network, name)?.runs(network, own) ?? [];
    return runs.map((run) => asEvaluation(problem, exactFault(run).whole()));
  },
  isAble({ name }, problem) {
    const { network, problem: own } = equationsOf(problem);
    const fault = faultNamed(network, name);
    return fault !== undefined && canShowFault(network, own, fault);
  },
};

/** That of a problem's kind. */
export function plantingFor<P extends AnyProblem>(problem: P): Planting<P> {
  return (isLayered(problem) ? layeredPlanting : simplePlanting) as Planting<AnyProblem>;
}
