import type { LayeredProblem } from '../../harness/base/problem';
import { locateAndName } from '../../harness/diagnosis/index';
import type { Network, NetworkProblem } from '../../harness/equations/index';
import { examine } from '../../harness/examine/index';
import type { FaultyRun } from '../../harness/faults/equations/index';
import { emulatedHost } from '../../harness/trial/layers';

/** The diagnosis of a host in emulated single precision that computes a faulty network, and whose inner gradients are seen as well. */
export async function diagnoseHost(
  problem: LayeredProblem,
  faulty: (network: Network, problem: NetworkProblem) => FaultyRun,
): Promise<Awaited<ReturnType<typeof locateAndName>> | undefined> {
  const runs = (network: Network, asked: NetworkProblem): FaultyRun[] => [faulty(network, asked)];
  const side = { ...emulatedHost().plant!({ runs }, 0), name: 'tfjs:wasm' };
  const examination = await examine(side, problem, { views: ['results', 'steps'] });
  return examination.status === 'fail' ? locateAndName(side, examination) : undefined;
}
