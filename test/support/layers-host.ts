import { askedForSteps, precisionModels } from '../../harness/budget/index';
import {
  makeRounding,
  roundedArithmetic,
  tensorsOfOutcome,
  type Network,
  type NetworkProblem,
} from '../../harness/equations/index';
import { diagnoseLayers, type LayersDiagnosis } from '../../harness/diagnosis/layers/index';
import { runFault, type FaultyRun } from '../../harness/faults/equations/index';
import type { Tensor } from '../../scratch/index';

const model = precisionModels.wasm;

/** What a host in emulated single precision answers with a faulty network. */
function hostAnswer(run: FaultyRun, seed: number): ReadonlyMap<string, Tensor> {
  const rounding = makeRounding({ order: seed % 2 === 0 ? 'lanes' : 'sequential', noise: 'sums', seed });
  return tensorsOfOutcome(runFault(run, roundedArithmetic(model.kappa, rounding)));
}

/** The diagnosis of such a host, whose inner gradients are seen as well. */
export function diagnoseHost(
  network: Network,
  problem: NetworkProblem,
  faulty: (network: Network, problem: NetworkProblem) => FaultyRun,
  seed = 1,
): LayersDiagnosis | undefined {
  const asked = askedForSteps(network, problem);
  return diagnoseLayers(network, problem, hostAnswer(faulty(network, problem), seed), {
    model,
    shown: hostAnswer(faulty(asked.network, asked.problem), seed + 1),
  });
}
