import type { Side } from '../../judge/index';
import { HandOptimizer, updateSpecimens, type UpdateQuestion } from '../../specimens/index';
import type { Kind } from '../diagnosis';
import { kindFrom } from '../kind/index';
import { Replay, type UpdateResult } from './replay';

/** The faults of the catalogue that, made by hand, give every number of the update; undefined where none does. */
export function kindOfUpdate(question: UpdateQuestion, result: UpdateResult, side: Side): Kind | undefined {
  const honest = new Replay(HandOptimizer, question, side);
  const found = updateSpecimens.filter(
    ({ shows, optimizer }) =>
      shows(question) && new Replay(optimizer, question, side).explains(result, honest),
  );
  return kindFrom(found);
}
