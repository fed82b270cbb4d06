import type { Side } from '../../judge/index';
import {
  roundProblem,
  sizesOf,
  tensorOf,
  type Evaluation,
  type Problem,
  type Phase,
} from '../../base/problem';
import type { Kind } from '../diagnosis';
import { fittedGradientSuspects, truncations } from './fit-gradients';
import { fittedLossSuspects } from './fit-loss';
import { stepsToSuspect, stepSuspects } from './fit-steps';
import { fittedWeightSuspects } from './fit-weights';
import { mapTensor, catalogue } from '../../faults/index';
import { memoize } from '../../base/memoize';
import { otherProblem, smallProblem } from '../../problems/index';
import { SideReading } from './reading';
import { catalogueFor, overwritten, type Suspect } from './suspect';

export interface KindOptions {
  /** steps that were found wrong, counted from 0; default: worked out from the answer */
  readonly timeSteps?: readonly number[] | undefined;
  /** where the first wrong number is: only faults of that phase are named; default: of any */
  readonly phase?: Phase | undefined;
  /** what the side was asked before this, for faults of memory; default: the same problem */
  readonly previous?: Problem | undefined;
  /** puts another problem to the side: tells apart what this one cannot, and confirms what is found */
  readonly ask?: ((problem: Problem) => Evaluation | Promise<Evaluation>) | undefined;
}

/** Products of numbers in one forward pass above which faults are not replayed on the problem itself. */
const largest = 300_000;

/** With more faults than that, which cannot be distinguished, no name is given. */
const mostNames = 3;

/**
 * What kind of mistake an answer shows: every fault of the catalogue is replayed on this very problem in float64, and those that give
 * every number of the answer, up to the side's own rounding, are named. Faults with a number in them (a threshold, a length, a
 * weight that is off) are fitted to the answer first. With `ask`, what is found must agree with the answer to another problem as well.
 *
 * No name is better than a wrong one. The fault's own effect must be beyond the budget and explain most of what is wrong
 * (`SideReading.accountsFor`), and it must begin in the phase that was found wrong (`options.phase`).
 *
 * @param problem with its weights; a large one is replaced by a small one where `ask` is given
 * @param answer of the side to it
 * @returns undefined where the answer is right, or where no fault of the catalogue, or too many, explain it
 */
export async function kindOf(
  problem: Problem,
  answer: Evaluation,
  side: Side,
  options: KindOptions = {},
): Promise<Kind | undefined> {
  const asked = side.precision === 'float32' ? roundProblem(problem) : problem;
  if (productsOf(asked) > largest) return kindOfSmall(asked, side, options);
  const reading = new SideReading(asked, answer, side, options.previous);
  if (!reading.isHonest) {
    const suspects = suspectsOf(reading, options);
    const exact = suspects.filter((suspect) => reading.isExplainedBy(suspect));
    const found = await confirmed(exact, asked, side, options);
    if (found.length > 0) return kindFrom(found);
    const forward = suspects.filter(({ phase }) => phase === 'forward');
    const inForward = forward.filter((suspect) => reading.isExplainedBy(suspect, true));
    const left = await confirmed(inForward, asked, side, options, true);
    if (left.length > 0) return kindFrom(left);
  }
  return kindFrom(await ofMemory(asked, side, options));
}

function suspectsOf(reading: SideReading, { timeSteps, phase }: KindOptions): Suspect[] {
  const T = reading.problem.inputs.shape[1];
  const seen = stepsToSuspect(reading);
  const steps = [...(timeSteps ?? []).flatMap((t) => [t, t + 1]), ...seen.steps];
  // wrong states come from the forward pass, and right ones do not; what is near the budget may be either
  const forward = ['states', 'finalState'] as const;
  const isWrong = forward.some((name) => !reading.isTensorNear(name, tensorOf(reading.right, name)));
  const isRight = forward.every((name) => reading.isTensorNear(name, tensorOf(reading.right, name), 1));
  const mayBe = (suspect: Suspect): boolean =>
    (suspect.phase === 'forward' ? !isRight : !isWrong) &&
    (phase === undefined || [suspect.phase, ...(suspect.orIn ?? [])].includes(phase));
  return [
    ...catalogueFor(reading.side.precision),
    ...(T > 1 ? stepSuspects(reading, steps, seen.sums) : []),
    ...truncations(reading, steps),
    ...[
      ...fittedGradientSuspects(reading),
      ...fittedWeightSuspects(reading),
      ...fittedLossSuspects(reading),
    ].map((suspect) => ({ ...suspect, fitted: true as const })),
  ].filter(mayBe);
}

const otherSeeds = [1, 2];
const othersOf = memoize((problem: Problem) => otherSeeds.map((seed) => otherProblem(problem, seed)));

/** Those that agree with the answers to other problems as well; all where no other can be asked. */
async function confirmed(
  found: readonly Suspect[],
  problem: Problem,
  side: Side,
  { ask }: KindOptions,
  unlessBackward = false,
): Promise<readonly Suspect[]> {
  // what was asked before is known for the first problem only
  const memory = found.filter(({ calls }) => calls === true);
  let left = found.filter(({ calls }) => calls !== true);
  for (const other of othersOf(problem)) {
    if (left.length === 0) break;
    const again = await answerOf(ask, other, 1);
    if (again === undefined) break;
    const reading = new SideReading(other, again, side);
    left = left.filter((suspect) => reading.agreesWith(suspect, unlessBackward));
  }
  // a fault without a number of its own is the simpler explanation
  const whole = left.filter(({ fitted }) => fitted !== true);
  return [...(whole.length > 0 ? whole : left), ...memory];
}

/** A side that gives another answer when it is asked the same again remembers what it should not, or shares its arrays. */
async function ofMemory(problem: Problem, side: Side, { ask }: KindOptions): Promise<readonly Suspect[]> {
  const suspects = catalogue.filter(({ calls }) => calls === true);
  const again = await answerOf(ask, problem, 2);
  if (again === undefined) return [];
  const reading = new SideReading(problem, structuredClone(again), side);
  if (!reading.isHonest) return suspects.filter((suspect) => reading.isExplainedBy(suspect));
  // what the caller holds may change only when something else is asked
  const between = { ...problem, inputs: mapTensor(problem.inputs, (x) => -x) };
  if ((await answerOf(ask, between, 1)) === undefined) return [];
  return new SideReading(problem, again, side).isHonest
    ? []
    : suspects.filter(({ name }) => name === overwritten);
}

async function kindOfSmall(problem: Problem, side: Side, options: KindOptions): Promise<Kind | undefined> {
  const small = smallProblem(problem);
  const answer = await answerOf(options.ask, small, 1);
  return answer && kindOf(small, answer, side, { ask: options.ask });
}

/** The side's answer when it is asked that often; undefined where it cannot be asked, or refuses. */
async function answerOf(
  ask: KindOptions['ask'],
  problem: Problem,
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

/** The words of several faults that nothing tells apart. */
export function inOneSentence(faults: readonly { readonly words: string }[]): string {
  const sentences = [...new Set(faults.map(({ words }) => words))];
  const more = sentences.length > 3 ? [`${sentences.length - 3} more`] : [];
  return [...sentences.slice(0, 3), ...more].join('; or ');
}

/** Several faults that nothing tells apart become one kind. */
export function kindFrom(
  suspects: readonly Pick<Suspect, 'name' | 'words' | 'family' | 'timeStep'>[],
): Kind | undefined {
  if (suspects.length === 0 || new Set(suspects.map(({ name }) => name)).size > mostNames) return undefined;
  // one that sits in a single step and explains everything shows that the others go wrong in that step alone, too
  const steps = new Set(suspects.map(({ timeStep }) => timeStep).filter((step) => step !== undefined));
  const timeStep = steps.size === 1 ? [...steps][0] : undefined;
  return {
    names: [...new Set(suspects.map(({ name }) => name))],
    words: inOneSentence(suspects),
    page: `docs/bptt.md#${suspects[0].family}`,
    ...(timeStep !== undefined && { timeStep }),
  };
}

function productsOf(problem: Problem): number {
  const { batch, timeSteps, features, units } = sizesOf(problem);
  return batch * timeSteps * units * (features + units);
}
