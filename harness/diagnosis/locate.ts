import { indexOf } from '../../scratch/index';
import { budgetFor, precisionModelOf } from '../budget/index';
import { isFailing, judgeEquations, rankOf, type JudgedEquation, type TensorVerdict } from '../judge/index';
import {
  sizesOf,
  tensorOf,
  type Evaluation,
  type Implementation,
  type TensorName,
  type Phase,
} from '../base/problem';
import type { Diagnosis, WrongNumber } from './diagnosis';
import { type Examination, failingViewsOf } from '../examine/index';
import { statesByPrefixes } from './states-from-prefixes';
import { clearlyWrongElements, stepsOfSum, sumNames, type SumName } from './steps-of-sum';
import { ulpsBetween } from '../base/ulps';

/** Where a mistake begins: what a `Diagnosis` says of the place. */
export type Location = Pick<
  Diagnosis,
  'caseId' | 'phase' | 'tensor' | 'formula' | 'timeSteps' | 'worst' | 'inherited' | 'unseen'
>;

/** The part of the computation that a quantity belongs to. */
export function phaseOf(tensor: string): Phase {
  if (tensor === 'states' || tensor === 'finalState') return 'forward';
  if (['logits', 'probabilities', 'loss'].includes(tensor) || tensor.startsWith('gradients.output'))
    return 'loss';
  return 'backward';
}

/**
 * Finds the first quantity that is wrong of itself, in the order of the computation, and the time steps at which its own equation is
 * wrong: each equation is held to the side's own values before it, so that what a step inherits is not blamed on it. Sums over time
 * are taken apart by a ring of blocks (`stepsOfSum`), states that are not given are obtained from prefixes of the sequence.
 *
 * @param examination that failed
 */
export async function locate(implementation: Implementation, examination: Examination): Promise<Location> {
  const unseen = [...examination.unseen];
  const equations = await judgedEquations(implementation, examination, unseen);
  const wrong = equations.filter(({ verdict }) => isFailing(verdict));
  const inherited = inheritedOf(examination, equations, wrong);
  const door = inputGradientsAlone(examination);
  if (door !== undefined && wrong[0]?.equation.name === 'dPreActivations')
    return fromResults(examination, door, [], unseen);
  if (wrong.length > 0) {
    const first = inPlainAnswer(implementation, examination, wrong[0]) ?? wrong[0];
    const place = await fromEquation(implementation, examination, first, inherited, unseen);
    return isOfWeightsAlone(place.tensor, equations) ? { ...place, phase: 'backward' } : place;
  }
  const red = redResults(examination);
  if (red.length > 0) {
    unseen.push(
      equations.length === 0
        ? 'what each step does of itself, so that results may be wrong only because of earlier ones'
        : 'the step: every equation that could be seen holds by itself, within what rounding one step can do',
    );
    const rest = red.slice(1).map(({ tensor }) => tensor);
    return fromResults(examination, red[0], rest, unseen);
  }
  return fromOtherView(examination, unseen);
}

/**
 * The output layer's gradients are part of the loss where the gradient of the logits, which they are made of, is wrong. Where what it
 * sends back into the layer is right, so is that gradient, and only what became of it for the weights is wrong.
 */
function isOfWeightsAlone(tensor: string, equations: readonly JudgedEquation[]): boolean {
  const sentBack = equations.find(({ equation }) => equation.name === 'dPreActivations');
  return tensor.startsWith('gradients.output') && sentBack !== undefined && !isFailing(sentBack.verdict);
}

/**
 * A wrong state as the problem itself shows it. What is run step by step has inputs more, all 0: a side that makes NaN of a 0 is then
 * wrong at every step, in the problem only where its own input is 0.
 */
function inPlainAnswer(
  implementation: Implementation,
  { problem, results }: Examination,
  { equation: { name } }: JudgedEquation,
): JudgedEquation | undefined {
  const states = results?.answer.states;
  if (name !== 'states' || states === undefined) return undefined;
  return judgeEquations(problem, { states }, implementation).find(
    ({ equation, verdict }) => equation.name === name && isFailing(verdict),
  );
}

/** The equations as far as the answer shows them, with states from prefixes where the side gives none. */
async function judgedEquations(
  implementation: Implementation,
  examination: Examination,
  unseen: string[],
): Promise<JudgedEquation[]> {
  const { problem, steps, results } = examination;
  const refused = examination.refusals.some(({ view }) => view === 'steps');
  // a side that takes no other sizes still shows its forward steps
  let answer: Evaluation = (refused ? undefined : steps?.answer) ?? results?.answer ?? {};
  if (answer.states === undefined && examination.withheld.includes('states')) {
    const states = await statesByPrefixes(implementation, problem);
    if (states === undefined) {
      unseen.push(
        'the state of each step: states are not given, and prefixes of the sequence gave no final state',
      );
      return [];
    }
    answer = { ...answer, states };
    const at = unseen.findIndex((sentence) => sentence.includes('states is declared'));
    if (at >= 0) unseen.splice(at, 1);
  }
  return judgeEquations(problem, answer, implementation);
}

async function fromEquation(
  implementation: Implementation,
  examination: Examination,
  judged: JudgedEquation,
  inherited: readonly string[],
  unseen: readonly string[],
): Promise<Location> {
  const { equation, verdict } = judged;
  const { name, formula, axes, expected } = equation;
  const place = {
    caseId: examination.problem.id,
    phase: phaseOf(name),
    tensor: name,
    formula,
    ...worstOf(verdict, implementation),
    inherited,
  };
  if (axes.some(({ counts }) => counts === 'timeStep')) {
    const [, timeSteps, n] = expected.shape;
    const steps = new Set(clearlyWrongElements(judged).map((i) => Math.floor(i / n) % timeSteps));
    return { ...place, timeSteps: [...steps].sort((one, other) => one - other), unseen };
  }
  if (!(sumNames as readonly string[]).includes(name)) return { ...place, unseen };
  const found = await stepsOfSum(implementation, examination.problem, name as SumName);
  if ('unseen' in found) return { ...place, unseen: [...unseen, found.unseen] };
  return {
    ...place,
    timeSteps: found.timeSteps,
    unseen: found.note === undefined ? unseen : [...unseen, found.note],
  };
}

/** From the comparison with the reference, where no equation could be judged by itself. */
function fromResults(
  examination: Examination,
  red: TensorVerdict,
  inherited: readonly string[],
  unseen: readonly string[],
): Location {
  const { problem, results } = examination;
  const tensor = red.tensor as TensorName;
  const steps = stepsOf(examination, tensor, results?.answer ?? {});
  // an error travels forward through the states, and back through the gradients: only where it enters is its own
  const own = tensor === 'states' ? steps.slice(0, 1) : inherited.length > 0 ? steps.slice(-1) : steps;
  return {
    caseId: problem.id,
    phase: phaseOf(tensor),
    tensor,
    ...(own.length > 0 && { timeSteps: own }),
    ...worstOf(red, { precision: examination.precision }),
    inherited,
    unseen,
  };
}

/** Where results and equations are right, and a single weight or the second answer is not. */
function fromOtherView(examination: Examination, unseen: readonly string[]): Location {
  const { problem, precision } = examination;
  const exhibit = failingViewsOf(examination).at(0);
  const red = exhibit?.verdict.tensors.filter(isFailing) ?? [];
  if (exhibit === undefined || red.length === 0)
    throw new Error(`locate: nothing fails in the examination of ${problem.id}; there is nothing to locate`);
  const why =
    exhibit.view === 'repeat'
      ? 'the step: it is right at first, and wrong when it is asked again'
      : 'the step: single weights were probed in a sequence of one step';
  return {
    caseId: exhibit.verdict.caseId,
    phase: phaseOf(red[0].tensor),
    tensor: red[0].tensor,
    ...worstOf(red[0], { precision }),
    inherited: red.slice(1).map(({ tensor }) => tensor),
    unseen: [...unseen, why],
  };
}

/** `gradients.inputs` where it is the only failing result: dz_t is seen through it, so that it must not be taken for dz_t itself. */
function inputGradientsAlone(examination: Examination): TensorVerdict | undefined {
  const red = redResults(examination);
  const others = examination.results?.verdict.tensors.some(
    ({ tensor, status }) => tensor === 'gradients.kernel' && status === 'pass',
  );
  return red.length === 1 && red[0].tensor === 'gradients.inputs' && others === true ? red[0] : undefined;
}

/** Time steps at which a result is beyond its budget. */
function stepsOf(examination: Examination, name: TensorName, answer: Evaluation): number[] {
  const { problem, reference, implementation } = examination;
  const given = tensorOf(answer, name);
  const expected = tensorOf(reference, name);
  if (name !== 'states' && name !== 'gradients.inputs') return [];
  if (given === undefined || expected === undefined || given.shape.join() !== expected.shape.join())
    return [];
  const side = { name: implementation, precision: examination.precision };
  const allowed = budgetFor(problem, precisionModelOf(side)).allowed(name, true);
  const { timeSteps } = sizesOf(problem);
  const steps = new Set<number>();
  expected.data.forEach((x, i) => {
    if (given.data[i] !== x && !(Math.abs(given.data[i] - x) <= allowed[i]))
      steps.add(indexOf(i, expected.shape)[1]);
  });
  return Array.from({ length: timeSteps }, (_, t) => t).filter((t) => steps.has(t));
}

/** Failing results whose own equation holds: wrong only because of what they are made from. */
function inheritedOf(
  examination: Examination,
  equations: readonly JudgedEquation[],
  wrong: readonly JudgedEquation[],
): string[] {
  const own = new Set(wrong.map(({ equation }) => equation.name));
  const seen = new Set(equations.map(({ equation }) => equation.name));
  return redResults(examination)
    .map(({ tensor }) => tensor)
    .filter((tensor) => seen.has(tensor) && !own.has(tensor));
}

function redResults({ results }: Examination): TensorVerdict[] {
  return (results?.verdict.tensors ?? [])
    .filter(isFailing)
    .sort((one, other) => rankOf(one.tensor) - rankOf(other.tensor));
}

export function worstOf(
  { worst }: TensorVerdict,
  { precision }: Pick<Implementation, 'precision'>,
): { readonly worst?: WrongNumber } {
  if (worst === undefined) return {};
  const { at, given, reference } = worst;
  return { worst: { at, given, expected: reference, ulps: ulpsBetween(given, reference, precision) } };
}
