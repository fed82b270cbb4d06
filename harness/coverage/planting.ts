import { isLayered, type AnyProblem, type Evaluation, type Precision } from '../base/problem';
import { asEvaluation, equationsOf } from '../equations/index';
import { canShowFault, exactFault, faultNamed, faultsOf } from '../faults/equations/index';
import { canShow, firstAnswer, type Fault } from '../faults/index';
import { faultsToShow } from './faults';

/** A fault that an input is asked to show. */
export interface NamedFault {
  /** unique among those of a problem's network */ readonly name: string;
  /** what is wrong: a sentence without its end */ readonly words: string;
}

/** What problems about the network of this one are asked to show: the catalogue of the simple RNN, or what follows from the equations. */
export function faultsIn(problem: AnyProblem, precision: Precision): readonly NamedFault[] {
  return isLayered(problem) ? faultsOf(equationsOf(problem).network) : faultsToShow(precision);
}

/** The answers with the fault, in float64, in each way in which it can be run. */
export function wrongAnswers(fault: NamedFault, problem: AnyProblem): readonly Evaluation[] {
  if (!isLayered(problem)) return [firstAnswer(fault as Fault, problem)];
  const { network, problem: own } = equationsOf(problem);
  const runs = faultNamed(network, fault.name)?.runs(network, own) ?? [];
  return runs.map((run) => asEvaluation(problem, exactFault(run).whole()));
}

/** Whether the answer can differ at all, by exact replay. */
export function isAble(fault: NamedFault, problem: AnyProblem, precision: Precision): boolean {
  if (!isLayered(problem)) return canShow(fault as Fault, problem, precision);
  const { network, problem: own } = equationsOf(problem);
  const found = faultNamed(network, fault.name);
  return found !== undefined && canShowFault(network, own, found);
}
