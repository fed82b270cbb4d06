import {
  isLayered,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Implementation,
  type LayeredProblem,
  type Phase,
} from '../base/problem';
import { ulpsBetween } from '../base/ulps';
import { precisionModelOf } from '../budget/index';
import { asOutcome, equationsOf } from '../equations/index';
import type { Examination } from '../examine/index';
import { isGreen, rankOf } from '../judge/index';
import { expectedNumbers, type DiagnoseOptions, type Diagnosis, type Kind } from './diagnosis';
import { diagnoseLayers } from './layers/index';
import { orderIn } from './layers/place';
import { phaseOf } from './locate';

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

/** The fault that explains the numbers of a failed answer, where any of `faultsOf` its network does. */
export function kindOfLayered(
  side: Implementation,
  examination: Examination<LayeredProblem>,
): Kind | undefined {
  return diagnoseLayered(side, examination).kind;
}

/**
 * What is wrong with an answer to a problem about layers, by the formulas of its network (`diagnoseLayers`). Where the formulas find
 * nothing wrong with it, the reference is at fault.
 */
export function diagnoseLayered(
  side: Implementation,
  examination: Examination<LayeredProblem>,
  { kind: isNamed = true, expected }: Pick<DiagnoseOptions, 'kind' | 'expected'> = {},
): Diagnosis {
  const { problem, results, steps, verdicts, unseen } = seenIn(examination);
  const equations = equationsOf(problem);
  const outcome = ({ answer }: { readonly answer: Evaluation }, asked: LayeredProblem) =>
    asOutcome(equationsOf(asked), (name) => tensorOf(answer, name));
  const found =
    results &&
    diagnoseLayers(equations.network, equations.problem, outcome(results, problem), {
      model: precisionModelOf(side),
      kind: isNamed,
      ...(steps && { shown: outcome(steps, steps.problem) }),
    });
  const red = verdicts
    .flatMap(({ tensors }) => tensors)
    .filter((one) => !isGreen(one) && one.status !== 'ill' && one.status !== 'omitted');
  const [first] = red;
  const names = [...new Set(red.map(({ tensor }) => tensor))];
  const base = { implementation: side.name, unseen };
  if (found === undefined) {
    const { worst, tensor, caseId } = first;
    return {
      ...base,
      caseId,
      phase: whereIn(problem, tensor).phase,
      tensor,
      ...(worst && {
        worst: {
          at: worst.at,
          given: worst.given,
          expected: worst.reference,
          ulps: ulpsBetween(worst.given, worst.reference, side.precision),
        },
      }),
      inherited: names.filter((name) => name !== tensor),
      ...(expected !== undefined
        ? {
            side: expectedNumbers,
            sideNote: `${side.name} and the formulas of the network agree with each other, and not with them`,
          }
        : results === undefined
          ? { side: 'undecided', sideNote: '' }
          : { side: 'scratch', sideNote: `the formulas of the network give the numbers of ${side.name}` }),
    };
  }
  const [own] = [...equations.names].find(([, all]) => all.includes(found.name)) ?? [found.name];
  const { phase, layer, gate, quantity, formula, timeSteps, worst, kind } = found;
  return {
    ...base,
    caseId: first.caseId,
    phase,
    tensor: [layer, ...(gate === undefined ? [] : [`gate ${gate}`]), quantity].join(', '),
    formula,
    ...(timeSteps && { timeSteps }),
    ...(worst && { worst }),
    ...(kind && { kind }),
    inherited: names.filter((name) => name !== own),
    side: side.name,
    sideNote: 'the formulas of the network give the numbers of the reference',
  };
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
