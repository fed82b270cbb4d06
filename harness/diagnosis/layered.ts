import {
  isLayered,
  type AnyProblem,
  type Implementation,
  type LayeredProblem,
  type Phase,
} from '../base/problem';
import { equationsOf } from '../equations/index';
import type { Examination } from '../examine/index';
import { isFailing, rankOf } from '../judge/index';
import type { Diagnosis } from './diagnosis';
import { diagnoseLayers } from './layers/index';
import { orderIn } from './layers/place';
import { phaseOf, worstOf, type Location } from './locate';

/** Whether a network of layers was examined. */
export function isOfLayers(examination: Examination<AnyProblem>): examination is Examination<LayeredProblem> {
  return isLayered(examination.problem);
}

/** The part of the computation that a tensor of a verdict belongs to, and its place in the order of the computation. */
export function whereIn(
  problem: AnyProblem,
  tensor: string,
): { readonly phase: Phase; readonly rank: number } {
  if (!isLayered(problem)) return { phase: phaseOf(tensor), rank: rankOf(tensor) };
  const { network, names } = equationsOf(problem);
  return orderIn(network, names.get(tensor)?.[0] ?? tensor);
}

/**
 * Where a mistake begins in an answer to a problem about layers, and which of the faults that its formulas can have it looks like
 * (`diagnoseLayers`). Where the formulas find nothing wrong with it, the first failing tensor.
 */
export function locateInLayers(
  side: Implementation,
  examination: Examination<LayeredProblem>,
  isNamed = true,
): Location & Pick<Diagnosis, 'kind'> {
  const { problem, results, steps, verdicts, unseen } = seenIn(examination);
  const found =
    results && diagnoseLayers(problem, results.answer, side, { kind: isNamed, shown: steps?.answer });
  const red = verdicts.flatMap(({ tensors }) => tensors.filter(isFailing));
  const [first] = red;
  const { name: own, ...place } = found ?? {
    name: first.tensor,
    phase: whereIn(problem, first.tensor).phase,
    tensor: first.tensor,
    ...worstOf(first, side),
  };
  const [named = own] = [...equationsOf(problem).names].find(([, all]) => all.includes(own)) ?? [];
  const inherited = [...new Set(red.map(({ tensor }) => tensor))].filter((name) => name !== named);
  return { caseId: first.caseId, unseen, ...place, inherited };
}

/** What is diagnosed: the problem itself, or its weight probe where that alone shows something. */
function seenIn({
  problem,
  results,
  steps,
  probe,
  verdicts,
  unseen,
}: Examination<LayeredProblem>): Pick<
  Examination<LayeredProblem>,
  'problem' | 'results' | 'steps' | 'verdicts' | 'unseen'
> {
  const isProbe =
    probe?.verdict.status === 'fail' &&
    verdicts.every((one) => one === probe.verdict || one.status !== 'fail');
  return isProbe
    ? { problem: probe.problem, results: probe, verdicts, unseen }
    : { problem, ...(results && { results }), ...(steps && { steps }), verdicts, unseen };
}
