import {
  isLayered,
  type AnyProblem,
  type Implementation,
  type LayeredProblem,
  type Phase,
} from '../base/problem';
import { equationsOf, isRecurrent, type Network } from '../equations/index';
import { ask, type Examination } from '../examine/index';
import { isFailing, rankOf } from '../judge/index';
import { otherLayeredProblem } from '../problems/index';
import type { Diagnosis } from './diagnosis';
import { diagnoseLayers, type DiagnoseLayersOptions } from './layers/index';
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
 * (`diagnoseLayers`). Where the formulas find nothing wrong with it, the first failing tensor. The side is asked one more problem, with whose
 * answer a name must agree.
 */
export async function locateInLayers(
  side: Implementation,
  examination: Examination<LayeredProblem>,
  isNamed = true,
): Promise<Location & Pick<Diagnosis, 'kind'>> {
  const { problem, results, steps, verdicts, unseen } = seenIn(examination);
  const others = isNamed ? await answersToOthers(side, problem) : [];
  const found =
    results && diagnoseLayers(problem, results.answer, side, { kind: isNamed, shown: steps?.answer, others });
  const red = verdicts.flatMap(({ tensors }) => tensors.filter(isFailing));
  const [first] = red;
  const { name: own, ...place } = found ?? {
    name: first.tensor,
    phase: whereIn(problem, first.tensor).phase,
    tensor: first.tensor,
    ...worstOf(first, side),
  };
  const { network, names } = equationsOf(problem);
  const begins = new Set([own, ...sequencesOf(network, own)]);
  const isWhereItBegins = (tensor: string): boolean =>
    (names.get(tensor) ?? [tensor]).some((name) => begins.has(name));
  const inherited = [...new Set(red.map(({ tensor }) => tensor))].filter((name) => !isWhereItBegins(name));
  return { caseId: first.caseId, unseen, ...place, inherited };
}

/** The output of a layer at every time step, where this quantity of the layer is what it gives out: `states.layer1` is `layer1.h`. */
function sequencesOf({ layers }: Network, quantity: string): readonly string[] {
  return layers
    .filter((layer) => quantity === `${layer.name}.${isRecurrent(layer) ? layer.cell.carries[0] : 'output'}`)
    .map(({ name }) => `states.${name}`);
}

/** The answer to another problem about the same layers; none of a side that refuses it, which may be of fixed sizes. */
async function answersToOthers(
  side: Implementation,
  problem: LayeredProblem,
): Promise<NonNullable<DiagnoseLayersOptions['others']>> {
  const other = otherLayeredProblem(problem);
  try {
    return [{ problem: other, answer: (await ask(side, other)).answer }];
  } catch {
    return [];
  }
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
