import { indexOf } from '../../scratch/index';
import { ulpsBetween } from '../base/ulps';
import {
  axesOf,
  evaluationOf,
  expectedNames,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Implementation,
  type Phase,
} from '../base/problem';
import { budgetFor, precisionModelOf } from '../budget/index';
import { equationsOf, isGradientName, rankOf } from '../equations/index';
import { failingViewsOf, type Examination } from '../examine/index';
import {
  isFailing,
  judgeEquations,
  namedTensors,
  type JudgedEquation,
  type TensorVerdict,
} from '../judge/index';
import type { Diagnosis, WrongNumber } from './diagnosis';
import { placeOf, type LayerPlace } from './place';
import { sequencesByPrefixes } from './sequences-by-prefixes';
import { phaseIn, whereInWords } from './titles';

/** Where a mistake begins: what a `Diagnosis` says of the place. */
export interface Location extends Pick<
  Diagnosis,
  'caseId' | 'phase' | 'tensor' | 'formula' | 'timeSteps' | 'worst' | 'inherited' | 'unseen'
> {
  /** the equation that is wrong of itself, where one is seen */ readonly place?: LayerPlace;
}

/** The part of the computation that a tensor of a verdict belongs to, and its place in the order of the computation. */
export function whereIn(
  problem: AnyProblem,
  tensor: string,
): { readonly phase: Phase; readonly rank: number } {
  const own = ownName(problem, tensor);
  return { phase: phaseIn(problem, own), rank: rankOf(equationsOf(problem).network, own) };
}

/** A tensor, or an equation as reports call it, by its name in the equations. */
function ownName(problem: AnyProblem, tensor: string): string {
  const { names, called = [] } = equationsOf(problem);
  const [own] = [...called].find(([, name]) => name === tensor) ?? names.get(tensor) ?? [tensor];
  return own;
}

/**
 * Finds the first quantity that is wrong of itself, in the order of the computation, and the time steps at which its own equation is
 * wrong: each equation is held to the side's own values before it, so that what a step inherits is not blamed on it. Outputs of steps that
 * are not given are obtained from prefixes of the sequence.
 *
 * @param examination that failed
 */
export async function locate(side: Implementation, examination: Examination<AnyProblem>): Promise<Location> {
  const { problem, probe } = examination;
  const unseen = [...examination.unseen];
  const judged = await judgedEquations(side, examination, unseen);
  const place = placeIn(problem, judged, side);
  const alone = inputGradientsAlone(examination);
  if (place !== undefined && !(alone !== undefined && isInnerGradient(problem, place)))
    return fromPlace(examination, inPlainAnswer(side, examination, place) ?? place, judged, unseen);
  const failing = alone === undefined ? failingResults(examination) : [alone];
  if (failing.length > 0) {
    if (alone === undefined)
      unseen.push(
        judged.length === 0
          ? 'what each step does of itself, so that results may be wrong only because of earlier ones'
          : 'the step: every equation that could be seen holds by itself, within what rounding one step can do',
      );
    return fromResults(examination, failing, unseen);
  }
  const inProbe =
    probe?.verdict.status === 'fail'
      ? placeIn(probe.problem, judgeEquations(probe.problem, probe.answer, side), side)
      : undefined;
  return fromOtherView(examination, unseen, inProbe);
}

function placeIn(
  problem: AnyProblem,
  judged: readonly JudgedEquation[],
  side: Implementation,
): LayerPlace | undefined {
  return placeOf(equationsOf(problem).network, judged, side);
}

/** Whether it is seen through the gradients of the inputs alone. */
function isInnerGradient(problem: AnyProblem, { name }: LayerPlace): boolean {
  return !name.startsWith('gradients.') && isGradientName(equationsOf(problem).network, name);
}

/**
 * A wrong output as the problem itself shows it. What is run step by step has inputs more, all 0: a side that makes NaN of a 0 is then
 * wrong at every step, in the problem only where its own input is 0.
 */
function inPlainAnswer(
  side: Implementation,
  { problem, results }: Examination<AnyProblem>,
  { name, phase }: LayerPlace,
): LayerPlace | undefined {
  if (phase !== 'forward' || results === undefined) return undefined;
  const found = placeIn(problem, judgeEquations(problem, results.answer, side), side);
  return found?.name === name ? found : undefined;
}

/** The equations as far as the answer shows them, with outputs from prefixes where the side gives none. */
async function judgedEquations(
  side: Implementation,
  { problem, steps, results, refusals, withheld }: Examination<AnyProblem>,
  unseen: string[],
): Promise<JudgedEquation[]> {
  const refused = refusals.some(({ view }) => view === 'steps');
  // a side that takes no other sizes still shows its forward steps
  const answer: Evaluation = (refused ? undefined : steps?.answer) ?? results?.answer ?? {};
  const { names } = equationsOf(problem);
  const missing = withheld.filter(
    (name) => names.get(name)?.[0]?.startsWith('states.') === true && tensorOf(answer, name) === undefined,
  );
  if (missing.length === 0) return judgeEquations(problem, answer, side);
  const made = await sequencesByPrefixes(side, problem, missing);
  const left = missing.filter((name) => !made.has(name));
  if (left.length > 0)
    unseen.push(
      `the state of each step: ${left.join(', ')} ${left.length === 1 ? 'is' : 'are'} not given, and prefixes of the sequence gave no final state`,
    );
  return judgeEquations(problem, evaluationOf(new Map([...namedTensors(answer), ...made])), side);
}

function fromPlace(
  examination: Examination<AnyProblem>,
  place: LayerPlace,
  judged: readonly JudgedEquation[],
  unseen: readonly string[],
): Location {
  const { problem } = examination;
  const { network } = equationsOf(problem);
  const phase = phaseIn(problem, place.name);
  // the output layer's gradients are part of the loss where the gradient of the logits, which they are made of, is wrong
  const sentBack = judged.find(({ equation: { own } }) => isInnerGradient(problem, { ...place, name: own }));
  const isOfWeightsAlone =
    isGradientName(network, place.name) && sentBack !== undefined && !isFailing(sentBack.verdict);
  const { formula, timeSteps, worst } = place;
  return {
    caseId: problem.id,
    phase: isOfWeightsAlone ? 'backward' : phase,
    tensor: whereInWords(problem, place.tensor, place),
    formula,
    ...(timeSteps && { timeSteps }),
    worst,
    inherited: inheritedOf(examination, place, judged),
    unseen,
    place,
  };
}

/** Failing results whose own equations hold: wrong only because of what they are made from. */
function inheritedOf(
  examination: Examination<AnyProblem>,
  place: LayerPlace,
  judged: readonly JudgedEquation[],
): string[] {
  const { problem } = examination;
  const { network, names } = equationsOf(problem);
  /** the outputs of `layer1.h` are `states.layer1` */
  const answered = ({ equation: { name, own } }: JudgedEquation): readonly string[] =>
    isGradientName(network, own) ? [name, own] : [name, own, `states.${own.split('.')[0]}`];
  return failingResults(examination)
    .map(({ tensor }) => tensor)
    .filter((tensor) => {
      const all = [tensor, ...(names.get(tensor) ?? [])];
      const own = judged.filter((one) => answered(one).some((name) => all.includes(name)));
      return (
        own.length > 0 &&
        own.every(({ equation, verdict }) => equation.own !== place.name && !isFailing(verdict))
      );
    });
}

/** From the comparison with the reference, where no equation is wrong by itself. */
function fromResults(
  examination: Examination<AnyProblem>,
  [first, ...rest]: readonly TensorVerdict[],
  unseen: readonly string[],
): Location {
  const { problem } = examination;
  const { tensor } = first;
  const { phase } = whereIn(problem, tensor);
  const steps = stepsOf(examination, tensor);
  // an error travels forward through the states, and back through the gradients: only where it enters is its own
  const own = phase === 'forward' ? steps.slice(0, 1) : rest.length > 0 ? steps.slice(-1) : steps;
  return {
    ...{ caseId: problem.id, phase, tensor, unseen },
    ...(own.length > 0 && { timeSteps: own }),
    ...worstOf(first, examination),
    inherited: rest.map((one) => one.tensor),
  };
}

/** Where results and equations are right, and a single weight or the second answer is not. */
function fromOtherView(
  examination: Examination<AnyProblem>,
  unseen: readonly string[],
  place: LayerPlace | undefined,
): Location {
  const { problem } = examination;
  const view = failingViewsOf(examination).at(0);
  const failing = view?.verdict.tensors.filter(isFailing) ?? [];
  if (view === undefined || failing.length === 0)
    throw new Error(`locate: nothing fails in the examination of ${problem.id}; there is nothing to locate`);
  const why =
    view.view === 'repeat'
      ? 'the step: it is right at first, and wrong when it is asked again'
      : 'the step: single weights were probed in a sequence of one step';
  const [{ tensor }] = failing;
  return {
    caseId: view.verdict.caseId,
    phase: place === undefined ? whereIn(problem, tensor).phase : phaseIn(problem, place.name),
    tensor: whereInWords(problem, tensor, place),
    ...(place && { place, formula: place.formula }),
    ...(place === undefined ? worstOf(failing[0], examination) : { worst: place.worst }),
    inherited: failing.slice(1).map((one) => one.tensor),
    unseen: [...unseen, why],
  };
}

/** `gradients.inputs` where it is the only failing result: inner gradients are seen through it, so that it must not be taken for them. */
function inputGradientsAlone(examination: Examination<AnyProblem>): TensorVerdict | undefined {
  const failing = failingResults(examination);
  const others = examination.results?.verdict.tensors.some(
    ({ tensor, status }) => /^gradients\..*kernel$/i.test(tensor) && status === 'pass',
  );
  return failing.length === 1 && failing[0].tensor === 'gradients.inputs' && others === true
    ? failing[0]
    : undefined;
}

/** Time steps at which a result is beyond its budget; none where it has no time steps. */
function stepsOf(examination: Examination<AnyProblem>, name: string): number[] {
  const { problem, reference, results, implementation, precision } = examination;
  const given = tensorOf(results?.answer ?? {}, name);
  const expected = tensorOf(reference, name);
  if (!expectedNames(problem).includes(name) || axesOf(problem, name).at(1)?.counts !== 'timeStep') return [];
  if (given === undefined || given.shape.join() !== expected?.shape.join()) return [];
  const allowed = budgetFor(problem, precisionModelOf({ name: implementation, precision })).allowed(
    name,
    true,
  );
  const steps = new Set<number>();
  expected.data.forEach((x, i) => {
    if (given.data[i] !== x && !(Math.abs(given.data[i] - x) <= allowed[i]))
      steps.add(indexOf(i, expected.shape)[1]);
  });
  return [...steps].sort((one, other) => one - other);
}

/** Failing results in the order of the computation. */
function failingResults({ problem, results }: Examination<AnyProblem>): TensorVerdict[] {
  const rank = ({ tensor }: TensorVerdict): number => whereIn(problem, tensor).rank;
  return (results?.verdict.tensors ?? []).filter(isFailing).sort((one, other) => rank(one) - rank(other));
}

function worstOf(
  { worst }: TensorVerdict,
  { precision }: Pick<Implementation, 'precision'>,
): { readonly worst?: WrongNumber } {
  if (worst === undefined) return {};
  const { at, given, reference } = worst;
  return { worst: { at, given, expected: reference, ulps: ulpsBetween(given, reference, precision) } };
}
