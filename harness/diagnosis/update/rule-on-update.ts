import type { Precision } from '../../base/problem';
import { HandOptimizer, type UpdateQuestion } from '../../faults/updates/index';
import type { Ruling } from '../side-at-fault';
import { Replay, type UpdateResult } from './replay';

/** A side that made an update. */
export interface UpdateParty {
  readonly name: string;
  readonly precision: Precision;
  readonly result: UpdateResult;
}

/**
 * Which side made an update wrong: a third optimizer, which shares no arithmetic with either, makes it once more by hand, and each
 * side is held to that within what its own precision can do to the gradients and to the rule.
 */
export function ruleOnUpdate(
  question: UpdateQuestion,
  first: UpdateParty,
  second: UpdateParty,
): Pick<Ruling, 'side' | 'note'> {
  const wrong = [first, second].map((party) => ({
    name: party.name,
    tensors: wrongIn(question, party),
  }));
  const blamed = wrong.filter(({ tensors }) => tensors.length > 0);
  if (blamed.length === 0) return { side: 'undecided', note: 'a third optimizer agrees with both sides' };
  const tensors = blamed.map(({ name, tensors: own }) => `${own.slice(0, 3).join(', ')} of ${name}`);
  return {
    side: blamed.length === 2 ? 'both' : blamed[0].name,
    note: `a third optimizer, by hand in float64, made the same update: it disagrees with ${tensors.join(', and with ')}`,
  };
}

function wrongIn(question: UpdateQuestion, party: UpdateParty): string[] {
  const wrong = new Replay(HandOptimizer, question, party).wrongIn(party.result);
  return wrong.length === 0 ? [] : new Replay(HandOptimizer, question, party, true).wrongIn(party.result);
}
