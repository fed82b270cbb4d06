import type { Side } from '../../judge/index';
import {
  canShowUpdate,
  HandOptimizer,
  otherEpsilons,
  updateFaults,
  type UpdateQuestion,
  type UpdateFault,
} from '../../faults/updates/index';
import type { FaultClass } from '../diagnosis';
import { asFaultClass } from '../fault-class';
import { Replay, type UpdateResult } from './replay';

/** One update that was asked for, and what the side made of it. */
export interface UpdateMade {
  readonly question: UpdateQuestion;
  readonly result: UpdateResult;
}

/**
 * The faults of the catalogue, and other values of Adam's epsilon, that give every number of the update when they are made by hand, and of the
 * other updates by the same rule: what one update cannot tell apart (by no old velocity nothing moves), another can. Undefined where none does.
 */
export function faultClassOfUpdate(
  made: UpdateMade,
  others: readonly UpdateMade[],
  side: Side,
): FaultClass | undefined {
  const possible = [...updateFaults, ...otherEpsilons].filter((fault) => canShowUpdate(fault, made.question));
  // what cannot show in another update makes the right one there
  const found = [made, ...others.slice(0, mostOthers)].reduce(
    (left, update) => explaining(left, update, side),
    possible,
  );
  return asFaultClass(found.map((fault) => ({ ...fault, page: `docs/bptt.md#${fault.family}` })));
}

/** Other updates that are looked at, at most. */
const mostOthers = 4;

function explaining(
  suspects: readonly UpdateFault[],
  { question, result }: UpdateMade,
  side: Side,
): UpdateFault[] {
  const honest = new Replay(HandOptimizer, question, side);
  return suspects.filter(({ optimizer }) => new Replay(optimizer, question, side).explains(result, honest));
}
