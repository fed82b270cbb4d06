import { tensorOf, type Evaluation, type LayeredProblem } from '../../base/problem';
import { precisionModelOf } from '../../budget/index';
import { asOutcome, equationsOf } from '../../equations/index';
import { judgeEquations, problemForLocalJudgement, type Side } from '../../judge/index';
import type { Diagnosis } from '../diagnosis';
import { phaseOf, placeOf } from './place';
import { LayersReading } from './reading';
import { kindOfLayers } from './suspects';
import { layerTitle } from './titles';

export interface DiagnoseLayersOptions {
  /** the side's answer to `problemForLocalJudgement(problem)`: it shows inner gradients */
  readonly shown?: Evaluation | undefined;
  /** names the fault; default true */ readonly kind?: boolean;
  /** the side's answers to other problems about the same layers (`otherLayeredProblem`), with which a name must agree */
  readonly others?: readonly { readonly problem: LayeredProblem; readonly answer: Evaluation }[];
}

/** Where a mistake begins in an answer, and which it looks like; `layer 2 lstm, gate f, c` is the tensor. */
export interface LayersDiagnosis extends Pick<
  Diagnosis,
  'phase' | 'tensor' | 'formula' | 'timeSteps' | 'worst' | 'kind'
> {
  /** the first wrong quantity, as `evaluateNetwork` has it */ readonly name: string;
}

/**
 * Says of a wrong answer where the mistake begins (`placeOf`), and which of the faults that a network of these equations can have gives
 * these numbers (`kindOfLayers`). A fault is named only where its own network, within its own error budget, gives every number.
 *
 * @param problem as the side solved it: rounded to float32 where the side is float32
 * @returns undefined where neither the results nor the single equations are wrong
 */
export function diagnoseLayers(
  problem: LayeredProblem,
  answer: Evaluation,
  side: Side,
  { shown, kind: isNamed = true, others = [] }: DiagnoseLayersOptions = {},
): LayersDiagnosis | undefined {
  const { network } = equationsOf(problem);
  const results = readingOf(problem, answer, side);
  const place = placeOf(network, judgeEquations(problem, shown ?? answer, side), side);
  if (place === undefined && results.isRight) return undefined;
  // results that are right leave the answer to the instrumented problem
  const reading =
    results.isRight && shown !== undefined
      ? readingOf(problemForLocalJudgement(problem), shown, side)
      : results;
  const kind = isNamed
    ? kindOfLayers(
        reading,
        place,
        others.map((other) => readingOf(other.problem, other.answer, side)),
      )
    : undefined;
  const [wrong] = reading.wrongTensors;
  const gate = kind?.gate ?? place?.gate;
  const timeSteps = kind?.timeStep !== undefined ? [kind.timeStep] : place?.timeSteps;
  const quantity = place?.quantity ?? wrong;
  const title = layerTitle(network, kind?.layer ?? place?.layer);
  return {
    phase: place?.phase ?? phaseOf(network, quantity),
    tensor: [title, ...(gate === undefined ? [] : [`gate ${gate}`]), quantity].join(', '),
    name: place?.name ?? quantity,
    formula: place?.formula ?? quantity,
    ...(timeSteps !== undefined && { timeSteps }),
    ...(place !== undefined && { worst: place.worst }),
    ...(kind !== undefined && { kind }),
  };
}

function readingOf(source: LayeredProblem, answer: Evaluation, side: Side): LayersReading {
  const equations = equationsOf(source);
  const outcome = asOutcome(equations, (name) => tensorOf(answer, name));
  return new LayersReading(equations.network, equations.problem, outcome, precisionModelOf(side));
}
