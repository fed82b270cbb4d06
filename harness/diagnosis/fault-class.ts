import { memoize, once } from '../base/memoize';
import { isLayered, roundProblem, type AnyProblem, type Evaluation } from '../base/problem';
import { distance, exactFault, sameRun } from '../faults/equations/index';
import type { Side } from '../judge/index';
import { otherLayeredProblem, otherProblem, smallProblem, workOf } from '../problems/index';
import type { FaultClass } from './diagnosis';
import { fittedSuspects } from './fitted-suspects';
import { Reading, type Suspect } from './reading';
import { catalogueSuspects, equationSuspects, memorySuspects, overwritten, type Where } from './suspects';

export interface FaultClassOptions extends Where {
  /** what the side was asked before this, for faults of memory; default: the same problem */
  readonly previous?: AnyProblem | undefined;
  /** asks the side another problem: tells apart what this one cannot, and confirms what is found */
  readonly ask?: ((problem: AnyProblem) => Evaluation | Promise<Evaluation>) | undefined;
}

/** Products of numbers in one forward pass above which faults are not replayed on the problem itself. */
const largest = 300_000;
/** More names than these say nothing. */
const mostNames = 4;

/**
 * Which mistake an answer shows: faults are replayed on this very problem in float64, and those that give every number of the answer, up to
 * the side's own rounding, are named: first faults of the catalogue (of the simple RNN), then those that follow from the equations of the
 * network, then those with a number in them, which is fitted to the answer. After a wrong forward pass a program may have gradients of
 * its own, so that they are left out where nothing explains all of them. With `ask`, what is found must agree with other answers as well.
 *
 * No name is better than a wrong one. The fault's own effect must be beyond the budget and explain most of what is wrong
 * (`Reading.isExplainedBy`), and it must be able to begin where the first wrong number was found (`options.place`).
 *
 * @param problem with its weights; a large one is replaced by a small one where `ask` is given
 * @param answer of the side to it
 * @returns undefined where the answer is right, or where no fault, or too many, explain it
 */
export async function faultClassOf(
  problem: AnyProblem,
  answer: Evaluation,
  side: Side,
  options: FaultClassOptions = {},
): Promise<FaultClass | undefined> {
  const asked = side.precision === 'float32' ? roundProblem(problem) : problem;
  const { ask, previous } = options;
  if (workOf(asked) > largest) {
    const small = isLayered(asked) ? otherLayeredProblem(asked) : smallProblem(asked);
    if (workOf(small) < workOf(asked)) {
      const own = await answerOf(ask, small, 1);
      return own && faultClassOf(small, own, side, { ask });
    }
  }
  const reading = new Reading(asked, answer, side, previous);
  const others = answersToOthers(asked, side, ask);
  const found =
    (reading.isRight ? undefined : await named(reading, asked, side, options, others)) ??
    (await ofMemory(asked, side, ask));
  return asFaultClass(found, () => areEqual(reading, found));
}

async function named(
  reading: Reading,
  problem: AnyProblem,
  side: Side,
  options: FaultClassOptions,
  others: () => Promise<readonly Reading[]>,
): Promise<readonly Suspect[] | undefined> {
  const { place } = options;
  const groups = [
    catalogueSuspects(reading, problem, side.precision, options),
    equationSuspects(reading, options),
  ];
  const fitted = once(() => fittedSuspects(reading, problem, place));
  for (const forwardOnly of [false, true]) {
    const isIt = (suspect: Suspect): boolean =>
      (!forwardOnly || suspect.phase === 'forward') && reading.isExplainedBy(suspect, forwardOnly);
    for (const { whole, single } of groups) {
      const explained = whole.filter(isIt);
      const left = await confirmed([...explained, ...single(explained).filter(isIt)], others);
      if (left.length > 0) return left;
    }
    // numbers of many mistakes fit the same single number
    if (reading.isWrongInOneNumber && (await others()).every(({ isRight }) => isRight)) continue;
    // a fault without a number of its own is the simpler explanation
    const left = await confirmed(
      fitted().flatMap((family) => family.find(isIt) ?? []),
      others,
    );
    if (left.length > 0 && left.length <= mostNames) return left;
  }
  return undefined;
}

/**
 * Those that agree with the answers to other problems as well. Gradients there do not count after a wrong forward pass: where they arrive
 * depends on the program. What was asked before is known for the first problem only.
 */
async function confirmed(
  found: readonly Suspect[],
  others: () => Promise<readonly Reading[]>,
): Promise<readonly Suspect[]> {
  if (found.every(({ calls }) => calls === true)) return found;
  const readings = await others();
  return found.filter(
    (suspect) =>
      suspect.calls === true ||
      readings.every((other) => other.agreesWith(suspect, suspect.phase === 'forward')),
  );
}

const othersOf = memoize((problem: AnyProblem): readonly AnyProblem[] =>
  isLayered(problem) ? [otherLayeredProblem(problem)] : [1, 2].map((seed) => otherProblem(problem, seed)),
);

/** The answers to other problems about the same network, asked for when they are first needed; none of a side that refuses them. */
function answersToOthers(
  problem: AnyProblem,
  side: Side,
  ask: FaultClassOptions['ask'],
): () => Promise<readonly Reading[]> {
  return once(async () => {
    const readings: Reading[] = [];
    for (const other of othersOf(problem)) {
      const answer = await answerOf(ask, other, 1);
      if (answer === undefined) break;
      readings.push(new Reading(other, answer, side));
    }
    return readings;
  });
}

/** A side that gives another answer when it is asked the same again remembers what it should not, or shares its arrays. */
async function ofMemory(
  problem: AnyProblem,
  side: Side,
  ask: FaultClassOptions['ask'],
): Promise<readonly Suspect[]> {
  if (isLayered(problem)) return [];
  const again = await answerOf(ask, problem, 2);
  if (again === undefined) return [];
  const reading = new Reading(problem, structuredClone(again), side);
  if (!reading.isRight) return memorySuspects().filter((suspect) => reading.isExplainedBy(suspect));
  // what the caller holds may change only when something else is asked
  const { data, shape } = problem.inputs;
  const between = { ...problem, inputs: { shape, data: data.map((x) => -x) } };
  if ((await answerOf(ask, between, 1)) === undefined) return [];
  return new Reading(problem, again, side).isRight
    ? []
    : memorySuspects().filter(({ name }) => name === overwritten);
}

/** The side's answer when it is asked that often; undefined where it cannot be asked, or refuses. */
async function answerOf(
  ask: FaultClassOptions['ask'],
  problem: AnyProblem,
  times: number,
): Promise<Evaluation | undefined> {
  if (ask === undefined) return undefined;
  try {
    let answer = await ask(problem);
    for (let i = 1; i < times; i++) answer = await ask(problem);
    return answer;
  } catch {
    // a side need not answer problems of other sizes; then there is one view less
    return undefined;
  }
}

/**
 * Several faults that nothing tells apart become one sentence.
 *
 * @param areEqual whether they are many names of one and the same mistake; default no
 */
export function asFaultClass(
  faults: readonly Pick<Suspect, 'name' | 'words' | 'page' | 'timeStep' | 'layer' | 'gate'>[],
  areEqual = (): boolean => false,
): FaultClass | undefined {
  const names = [...new Set(faults.map(({ name }) => name))];
  if (names.length === 0 || (names.length > mostNames && !areEqual())) return undefined;
  const one = <T>(all: readonly (T | undefined)[]): T | undefined =>
    new Set(all).size === 1 ? all[0] : undefined;
  // one that sits in a single step and explains everything shows that the others go wrong in that step alone, too
  const timeStep = one(faults.map((fault) => fault.timeStep).filter((step) => step !== undefined));
  const [layer, gate] = [one(faults.map((fault) => fault.layer)), one(faults.map((fault) => fault.gate))];
  return {
    names,
    words: inOneSentence(faults),
    page: faults[0].page,
    ...(timeStep !== undefined && { timeStep }),
    ...(layer !== undefined && { layer }),
    ...(gate !== undefined && { gate }),
  };
}

/** Whether the faults give the same numbers on this problem, so that no answer to it can tell them apart. */
function areEqual({ network, problem }: Reading, faults: readonly Suspect[]): boolean {
  const answers = faults.map((fault) => fault.runs(network, problem).map((run) => exactFault(run).whole()));
  const [first] = answers;
  return answers.every((own) => own.some((one) => first.some((other) => distance(other, one) <= sameRun)));
}

/** The words of several faults that nothing tells apart. */
function inOneSentence(faults: readonly { readonly words: string }[]): string {
  const sentences = [...new Set(faults.map(({ words }) => words))];
  const more = sentences.length > 3 ? [`${sentences.length - 3} more`] : [];
  return [...sentences.slice(0, 3), ...more].join('; or ');
}
