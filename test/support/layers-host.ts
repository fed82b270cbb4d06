import { evaluationOf, type Evaluation, type LayeredProblem } from '../../harness/base/problem';
import { precisionModels } from '../../harness/budget/index';
import { diagnoseLayers, type LayersDiagnosis } from '../../harness/diagnosis/layers/index';
import {
  answerOf,
  equationsOf,
  makeRounding,
  roundedArithmetic,
  tensorsOfOutcome,
  type Network,
  type NetworkProblem,
} from '../../harness/equations/index';
import { runFault, type FaultyRun } from '../../harness/faults/equations/index';
import { problemForLocalJudgement } from '../../harness/judge/index';

type Faulty = (network: Network, problem: NetworkProblem) => FaultyRun;

/** What a host in emulated single precision answers with a faulty network. */
function hostAnswer(source: LayeredProblem, faulty: Faulty, seed: number): Evaluation {
  const equations = equationsOf(source);
  const rounding = makeRounding({ order: seed % 2 === 0 ? 'lanes' : 'sequential', noise: 'sums', seed });
  const arithmetic = roundedArithmetic(precisionModels.wasm.kappa, rounding);
  const outcome = tensorsOfOutcome(runFault(faulty(equations.network, equations.problem), arithmetic));
  return evaluationOf(answerOf(equations, outcome));
}

/** The diagnosis of such a host, whose inner gradients are seen as well. */
export function diagnoseHost(problem: LayeredProblem, faulty: Faulty, seed = 1): LayersDiagnosis | undefined {
  return diagnoseLayers(
    problem,
    hostAnswer(problem, faulty, seed),
    { name: 'tfjs:wasm', precision: 'float32' },
    { shown: hostAnswer(problemForLocalJudgement(problem), faulty, seed + 1) },
  );
}
