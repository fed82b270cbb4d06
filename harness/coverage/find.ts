import { isLayered, type AnyProblem } from '../base/problem';
import { partBeyondSingle } from '../examine/index';
import type { BlindSpot } from './blind-spot';
import { explain, explainRest, weaknesses } from './explain';
import { Look, type LookOptions } from './look';
import { absentParts } from './parts';
import { faultsIn, type NamedFault } from './faults';
import { namesOf, type Asked } from './weakness';

export interface FindOptions extends LookOptions {
  /** whether parts that a single problem does without (labels, gradients from above) are reported */
  readonly parts?: boolean;
}

/** Problems of a run whose weaknesses are looked through for a reason. */
const mostExplained = 8;

/**
 * What no problem of a run can show, from the problems and the reference's answers alone, before any side is asked. Every fault of the
 * catalogue is planted in the reference: a fault that changes no compared tensor beyond rounding in any of the problems is hidden.
 * The reason is found by trial too: a weakness of the input hides the faults that show once it is fixed, and nothing else is claimed of it.
 *
 * @param asked the problems, and which of their tensors are compared
 * @returns that which hides most first; nothing where a problem that is malformed, or too large to be replayed, might have shown it
 */
export function findBlindSpots(asked: readonly Asked<AnyProblem>[], options: FindOptions): BlindSpot[] {
  if (asked.some(({ problem }) => partBeyondSingle(problem) !== undefined)) return [];
  const groups = new Map<string, Asked<AnyProblem>[]>();
  for (const one of asked) {
    const { problem } = one;
    const of = isLayered(problem) ? JSON.stringify([problem.model.layers, problem.model.loss]) : '';
    groups.set(of, [...(groups.get(of) ?? []), one]);
  }
  const isOne = asked.length === 1 && options.parts === true;
  return [...groups.values()].flatMap((own) => findInGroup(own, options, isOne));
}

/** Of problems about one network. */
function findInGroup(asked: readonly Asked<AnyProblem>[], options: FindOptions, isOne: boolean): BlindSpot[] {
  const looks = asked.map((one) => new Look(one, options)).sort((one, other) => one.work - other.work);
  if (looks.some(({ isTooLarge }) => isTooLarge)) return [];
  const [{ asked: first }] = looks;
  let hidden: readonly NamedFault[] = faultsIn(first.problem, options.precision);
  for (const look of looks) hidden = look.withoutShown(hidden);
  for (const look of looks) hidden = look.withoutSeen(hidden);
  const blind = blindEverywhere(looks);
  if (looks.some(({ passedOver }) => passedOver)) return [];

  const reasons = [...weaknesses, ...(isOne ? [absentParts] : [])];
  const spots: BlindSpot[] = [];
  for (const look of looks.slice(0, mostExplained)) {
    if (hidden.length === 0) break;
    const { spots: found, left } = explain(look, hidden, options, reasons);
    spots.push(...found);
    hidden = left;
  }
  const [{ onProblem }] = looks;
  const able = hidden.filter((fault) => looks.some((look) => look.able([fault]).length > 0));
  if (onProblem !== undefined && !looks.some(({ isCut }) => isCut))
    spots.push(...explainRest(onProblem, blind, able));
  return spots.sort((one, other) => rank(one) - rank(other));
}

/** What hides most comes first, but what is simply not there comes last. */
function rank({ what, hides }: BlindSpot): number {
  return (what === absentParts.what ? 1e6 : 0) - hides.length;
}

/** Tensors that are compared, but that no problem can show a fault in. */
function blindEverywhere(looks: readonly Look[]): string[] {
  const all = new Set(looks.flatMap(({ asked }) => namesOf(asked)));
  const sighted = new Set<string>();
  for (const look of looks) {
    const names = namesOf(look.asked);
    if (names.every((name) => sighted.has(name))) continue;
    const blind = look.blindTensors();
    for (const name of names) if (!blind.includes(name)) sighted.add(name);
  }
  return [...all].filter((name) => !sighted.has(name));
}
