import { makeProblem } from '../../harness/problems/generated';
import type { Problem } from '../../harness/base/problem';

/** Small labelled batches for updates of the weights: B3 T5 F2 U4 C3, one for each seed from 1 on. */
export function updateBatches(count: number): Problem[] {
  return Array.from({ length: count }, (_, i) =>
    makeProblem({
      ...{ id: 'update', seed: i + 1, batch: 3, timeSteps: 5, features: 2, units: 4, classes: 3 },
      ...{ scale: 1, labels: true },
      ...{ upstreamStates: false, upstreamFinalState: false, initialState: false, mask: false },
    }),
  );
}
