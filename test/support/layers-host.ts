import type { LayeredEvaluation, LayeredProblem } from '../../harness/base/problem';
import { diagnoseLayers, type LayersDiagnosis } from '../../harness/diagnosis/layers/index';
import type { Network, NetworkProblem } from '../../harness/equations/index';
import type { FaultyRun } from '../../harness/faults/equations/index';
import { problemForLocalJudgement } from '../../harness/judge/index';
import { emulatedHost } from '../../harness/trial/layers';

/** The diagnosis of a host in emulated single precision that computes a faulty network, and whose inner gradients are seen as well. */
export function diagnoseHost(
  problem: LayeredProblem,
  faulty: (network: Network, problem: NetworkProblem) => FaultyRun,
): LayersDiagnosis | undefined {
  const runs = (network: Network, asked: NetworkProblem): FaultyRun[] => [faulty(network, asked)];
  const { layered } = emulatedHost().plant!({ runs }, 0);
  const answer = (asked: LayeredProblem): LayeredEvaluation => layered!.evaluate(asked) as LayeredEvaluation;
  const side = { name: 'tfjs:wasm', precision: 'float32' } as const;
  return diagnoseLayers(problem, answer(problem), side, { shown: answer(problemForLocalJudgement(problem)) });
}
