import {
  expectedNames,
  isLayered,
  type AnyProblem,
  type Evaluation,
  type Implementation,
} from '../base/problem';
import { ask, failingViewsOf, type Examination } from '../examine/index';
import { isFailing, namedTensors } from '../judge/index';
import { differsFromItself, ratioOf, roundingLike } from './clues';
import { expectedNumbers, type DiagnoseOptions, type Diagnosis, type FaultClass } from './diagnosis';
import { faultClassOf } from './fault-class';
import { locate, type Location } from './locate';
import { rule } from './rule';
import type { Where } from './suspects';
import { whereInWords } from './titles';

/**
 * Says of a failed examination where the mistake begins (`locate`), which fault it looks like (`faultClassOf`) and which side made it (`rule`).
 * The side is asked a few more problems for it; the cost matters on failure only.
 *
 * @param implementation the side that was examined, still able to answer
 * @param examination whose status is `fail`
 * @throws Error where nothing fails
 */
export async function diagnose(
  implementation: Implementation,
  examination: Examination<AnyProblem>,
  options: DiagnoseOptions = {},
): Promise<Diagnosis> {
  const { kind: isNamed = true, against = 'scratch', expected } = options;
  const isExpectedWrong = expected !== undefined && agreesWithReference(examination);
  const subject = isExpectedWrong ? expected : undefined;
  const { kind, ...location } = await locateAndName(implementation, examination, isNamed, subject);
  const { side, note } = isExpectedWrong
    ? {
        side: expectedNumbers,
        note:
          implementation.name === 'scratch'
            ? 'scratch, checked equation by equation, differs from them'
            : `${implementation.name} and scratch agree with each other, and not with them`,
      }
    : rule(implementation, examination, against);
  const clue = kind === undefined && isNamed ? await clueOf(implementation, examination) : undefined;
  const ratio = ratioIn(examination, subject);
  return {
    implementation: implementation.name,
    ...location,
    ...(kind && { kind }),
    ...(ratio && { ratio }),
    ...(clue !== undefined && { clue }),
    side,
    sideNote: note,
  };
}

/** Where the mistake begins, and which fault it looks like. */
export async function locateAndName(
  side: Implementation,
  examination: Examination<AnyProblem>,
  isNamed = true,
  subject?: Evaluation,
): Promise<Omit<Location, 'place'> & Pick<Diagnosis, 'kind'>> {
  const { place, ...location } = await locate(side, examination);
  if (!isNamed) return location;
  const { problem } = examination;
  const kind =
    subject === undefined
      ? await faultClassOfAnswers(side, examination, { place, phase: location.phase })
      : await faultClassOfNumbers(examination, subject, location);
  if (kind === undefined) return location;
  // a fault that explains every number at one step only says where a sum over time goes wrong, and a hidden state
  const isStepOfFault =
    kind.timeStep !== undefined && (isLayered(problem) || location.timeSteps === undefined);
  return {
    ...location,
    tensor: whereInWords(problem, location.tensor, place, kind),
    ...(isStepOfFault && { timeSteps: [kind.timeStep] }),
    kind,
  };
}

/** By the results; where no fault explains them, or they are right, by what else fails. */
async function faultClassOfAnswers(
  side: Implementation,
  examination: Examination<AnyProblem>,
  where: Where,
): Promise<FaultClass | undefined> {
  const askOther = async (other: AnyProblem): Promise<Evaluation> => (await ask(side, other)).answer;
  for (const { problem, answer, previous } of failingViewsOf(examination)) {
    const kind = await faultClassOf(problem, answer, side, { ...where, previous, ask: askOther });
    if (kind !== undefined) return kind;
  }
  return undefined;
}

/**
 * A fault in given numbers, of which no other problem can be asked: float32 where they are all exact in it, or where they answer the
 * problem before it was rounded to float32 for the side.
 */
function faultClassOfNumbers(
  { problem, precision: solved }: Examination<AnyProblem>,
  numbers: Evaluation,
  { phase }: Pick<Diagnosis, 'phase'>,
): Promise<FaultClass | undefined> {
  const isSingle =
    solved === 'float32' ||
    [...namedTensors(numbers).values()].every(({ data }) => data.every((x) => Math.fround(x) === x));
  const precision = isSingle ? 'float32' : 'float64';
  return faultClassOf(problem, numbers, { name: expectedNumbers, precision }, { phase });
}

/** Whether the answer is within every budget of the scratch network's, whatever a vectors file expects. */
function agreesWithReference({
  steps,
  probe,
  repeat,
  results,
  problem,
  reference,
  precision,
}: Examination<AnyProblem>): boolean {
  if ([steps, probe, repeat].some((view) => view?.verdict.status === 'fail')) return false;
  const side = { name: 'any side', precision };
  return results !== undefined && !differsFromItself(problem, results.answer, reference, side);
}

async function clueOf(
  implementation: Implementation,
  { results, reference }: Examination<AnyProblem>,
): Promise<string | undefined> {
  if (results?.verdict.status !== 'fail') return undefined;
  const { problem, answer } = results;
  try {
    const again = await ask(implementation, problem);
    if (differsFromItself(problem, answer, again.answer, implementation))
      return 'another answer to the same question: random numbers, or a memory of earlier calls';
  } catch {
    // a side that answers no more leaves the other clue
  }
  return roundingLike(answer, reference, implementation);
}

/** Of the numbers that are wrong to those that are right. */
function ratioIn(
  { problem, results, reference }: Examination<AnyProblem>,
  expected: Evaluation | undefined,
): Diagnosis['ratio'] {
  if (results === undefined) return undefined;
  const wrong = results.verdict.tensors.filter(isFailing);
  const names = expectedNames(problem).filter((name) => wrong.some(({ tensor }) => tensor === name));
  if (names.length === 0) return undefined;
  return ratioOf(
    problem,
    expected ?? results.answer,
    expected === undefined ? reference : results.answer,
    names,
  );
}
