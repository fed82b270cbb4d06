import type { Tensor } from '../../../scratch/index';
import type { PrecisionModel } from '../../budget/index';
import type { Network, NetworkProblem } from '../../equations/index';
import { LayersReading } from './reading';

/** One of two answers to the same problem. */
export interface LayersParty {
  readonly name: string;
  readonly model: PrecisionModel;
  readonly answer: ReadonlyMap<string, Tensor>;
}

/**
 * Which of two sides is wrong: the formulas of the network are a third opinion, written independently of both, and each side is held
 * to the error budget of its own precision.
 *
 * @returns a name, `both`, or `undecided` where rounding explains both answers
 */
export function sideAtFaultInLayers(
  network: Network,
  problem: NetworkProblem,
  parties: readonly [LayersParty, LayersParty],
): string {
  const wrong = parties.filter(
    ({ answer, model }) => !new LayersReading(network, problem, answer, model).isRight,
  );
  if (wrong.length === 2) return 'both';
  return wrong.length === 1 ? wrong[0].name : 'undecided';
}
