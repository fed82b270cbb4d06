import type { Side } from '../../judge/index';
import {
  HandOptimizer,
  updateSpecimens,
  type UpdateQuestion,
  type UpdateSpecimen,
} from '../../specimens/index';
import type { Kind } from '../diagnosis';
import { kindFrom } from '../kind/index';
import { Replay, type UpdateResult } from './replay';

/** One update that was asked for, and what the side made of it. */
export interface UpdateMade {
  readonly question: UpdateQuestion;
  readonly result: UpdateResult;
}

/**
 * The faults of the catalogue that, made by hand, give every number of the update, and of the other updates by the same rule: what one
 * update cannot tell apart (by no old velocity nothing moves), another can. Undefined where none does.
 */
export function kindOfUpdate(made: UpdateMade, others: readonly UpdateMade[], side: Side): Kind | undefined {
  const found = explaining(updateSpecimens, made, side);
  return kindFrom(others.slice(0, mostOthers).reduce((left, other) => confirmed(left, other, side), found));
}

const mostOthers = 4;

/** Those that explain another update as well, or say that it cannot show them where it is right. */
function confirmed(
  found: readonly UpdateSpecimen[],
  other: UpdateMade,
  side: Side,
): readonly UpdateSpecimen[] {
  const { question, result } = other;
  const silent = found.filter(({ shows }) => !shows(question));
  const isRight =
    silent.length > 0 && new Replay(HandOptimizer, question, side, true).wrongIn(result).length === 0;
  const left = explaining(found, other, side);
  return isRight ? [...left, ...silent] : left;
}

function explaining(
  suspects: readonly UpdateSpecimen[],
  { question, result }: UpdateMade,
  side: Side,
): readonly UpdateSpecimen[] {
  const honest = new Replay(HandOptimizer, question, side);
  return suspects.filter(
    ({ shows, optimizer }) =>
      shows(question) && new Replay(optimizer, question, side).explains(result, honest),
  );
}
