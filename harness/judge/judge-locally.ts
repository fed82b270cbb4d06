import { formatShape, sizeOf } from '../../scratch/index';
import { memoize } from '../base/memoize';
import {
  axesOf,
  expectedNames,
  expectedShape,
  isLayered,
  sizesOf,
  tensorNames,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Problem,
  type TensorName,
} from '../base/problem';
import { askedForSteps, precisionModelOf, stepsOfNetwork } from '../budget/index';
import { asOutcome, equationsOf } from '../equations/index';
import {
  layersInSteps,
  madeByLayers,
  shownOfLayers,
  unseenInLayers,
  type LayersInSteps,
  type LocalStep,
  type Unseen,
} from './judge-layers';
import { judgeStep, type JudgedEquation, type LocalOptions } from './judge-step';
import type { Side, TensorVerdict } from './verdict';

/** Whether a problem has a backward pass, so that its inner gradients can be seen on the instrumented problem. */
export function hasBackward(problem: AnyProblem): boolean {
  const hasTargets = isLayered(problem) && problem.targets !== undefined;
  return hasTargets || problem.labels !== undefined || problem.upstream !== undefined;
}

/**
 * The problem that a side runs for its local judgement. Where there is a backward pass it has one more feature per unit, always zero,
 * whose rows of the kernel are the identity: so gradients.inputs shows the gradient with respect to z_t (`instrument`).
 */
export const problemForLocalJudgement = memoize((source: AnyProblem): AnyProblem => {
  if (!hasBackward(source)) return source;
  if (isLayered(source)) return layersInSteps(source).asked;
  const { network, problem } = equationsOf(source);
  const asked = askedForSteps(network, problem).problem;
  const { kernel } = asked.weights['rnn'];
  return { ...source, inputs: asked.inputs, weights: { ...source.weights, kernel } };
}) as <P extends AnyProblem>(source: P) => P;

/** A quantity of the local judgement: every tensor of a full answer, and the gradients with respect to z_t. */
export type LocalName = TensorName | 'dPreActivations';

/** Every quantity, in the order of the computation: dz_t comes before the gradients that are made of it. */
const inOrder: readonly string[] = tensorNames.flatMap((name) =>
  name === 'gradients.inputs' ? ['dPreActivations', name] : [name],
);

/** The place of a quantity in the order of the computation; tensors that were not asked for come last. */
export function rankOf(name: string): number {
  const rank = inOrder.indexOf(name);
  return rank < 0 ? inOrder.length : rank;
}

/** Each equation of the simple RNN by its name in reports, as `layersInSteps` has those of layers. */
const simpleSteps = memoize((source: Problem): LayersInSteps['steps'] => {
  const { names } = equationsOf(source);
  return new Map(
    expectedNames(source).flatMap((name): [LocalName, LocalStep][] => {
      const [own = ''] = name === 'states' ? ['rnn.h'] : (names.get(name) ?? []);
      const step = { own, axes: axesOf(source, name) };
      return name === 'gradients.inputs'
        ? [
            ['dPreActivations', { own: 'rnn.dz', axes: axesOf(source, 'states') }],
            [name, step],
          ]
        : [[name, step]];
    }),
  );
});

const stepsIn = (problem: AnyProblem): LayersInSteps['steps'] =>
  isLayered(problem) ? layersInSteps(problem).steps : simpleSteps(problem);

/** What the local judgement of a full answer looks at, in the order of the computation: the ledger of `judgeLocally`. */
export function localNames(problem: AnyProblem): string[] {
  return [...stepsIn(problem).keys()];
}

/** The shape of that quantity; dPreActivations is [B, T, U] as the states are. */
export function localShape(problem: AnyProblem, name: string): number[] {
  return (stepsIn(problem).get(name)?.axes ?? []).map(({ size }) => size);
}

/** The equations that a quantity is made by, from the inputs on: when all of these hold, it is right whatever its error. */
export function madeBy(problem: AnyProblem, name: string): string[] {
  if (isLayered(problem)) return madeByLayers(problem, name);
  const output = problem.labels === undefined ? [] : ['logits'];
  if (name === 'states') return ['states'];
  if (name === 'finalState' || name === 'logits') return ['states', name];
  if (name === 'probabilities') return ['states', 'logits', name];
  if (name === 'loss' || name.startsWith('gradients.output')) return ['states', ...output, name];
  return ['states', ...output, 'dPreActivations', ...(name === 'dPreActivations' ? [] : [name])];
}

/**
 * Judges every equation of the network by itself, from the side's own earlier values: no error accumulates over time, so
 * this tells right from wrong where a comparison of results cannot (ill-conditioned problems), and finds smaller faults.
 *
 * @param problem the plain problem, rounded to float32 where the side is float32
 * @param answer what the side answered to `problemForLocalJudgement(problem)`
 * @returns one verdict for each of `localNames(problem)`
 */
export function judgeLocally(
  problem: AnyProblem,
  answer: Evaluation,
  side: Side,
  { omits = [], caseId = problem.id }: LocalOptions = {},
): TensorVerdict[] {
  const seen = new Map(
    judgeEquations(problem, answer, side).map(({ equation, verdict }) => [equation.name, verdict]),
  );
  return localNames(problem).map((tensor) => {
    const verdict = seen.get(tensor);
    if (verdict !== undefined) return { ...verdict, caseId };
    const elements = sizeOf(localShape(problem, tensor));
    const why = isLayered(problem)
      ? unseenInLayers(problem, answer, tensor, omits)
      : unseen(problem, answer, tensor, omits);
    return { implementation: side.name, caseId, tensor, elements, compared: 0, beyond: 0, ...why };
  });
}

/** The same, with every element: only the equations that the answer shows, in the order of the computation. */
export function judgeEquations(source: AnyProblem, answer: Evaluation, side: Side): JudgedEquation[] {
  const { network, problem } = equationsOf(source);
  const steps = stepsIn(source);
  const shown = isLayered(source) ? shownOfLayers(source, answer) : answer;
  const asked = isLayered(source) ? layersInSteps(source).asked : source;
  const outcome = asOutcome(equationsOf(asked), (name) => tensorOf(shown, name));
  const model = precisionModelOf(side);
  const seen = stepsOfNetwork(network, problem, outcome, model);
  // what is made of a quantity that is not shown cannot be judged alone
  const isShown = (name: string): boolean =>
    isLayered(source) ||
    madeBy(source, name).every((one) => one === 'logits' || seen.has(steps.get(one)?.own ?? ''));
  return [...steps].flatMap(([name, { own, axes }]) => {
    const step = seen.get(own);
    if (step === undefined || !isShown(name)) return [];
    // the equations have the output after the last step as a sequence of one
    const shape = axes.map(({ size }) => size);
    const asShown = sizeOf(shape) === step.value.length ? { ...step, shape } : step;
    return [judgeStep({ name, axes, step: asShown, network, own, caseId: source.id, side, model })];
  });
}

/** Why there is no equation to judge: the tensor itself, or one that it is computed from, is not there or has another shape. */
function unseen(problem: Problem, answer: Evaluation, name: string, omits: readonly string[]): Unseen {
  const asked = problemForLocalJudgement(problem);
  const own = name === 'dPreActivations' ? 'gradients.inputs' : name;
  const inner = name.startsWith('gradients.') && !name.startsWith('gradients.output');
  for (const tensor of [own, 'states', ...(inner ? ['gradients.inputs'] : [])]) {
    const given = tensorOf(answer, tensor);
    const shape = expectedShape(asked, tensor);
    if (given === undefined && omits.includes(tensor)) {
      const without = tensor === name ? 'is' : `cannot be judged step by step: ${tensor} is`;
      return { status: 'omitted', reason: `${without} declared beforehand as not given` };
    }
    if (given === undefined)
      return { status: 'missing', reason: `cannot be judged step by step: ${tensor} is missing` };
    if (given.shape.join() !== shape.join()) {
      const reason = `${tensor} has shape ${formatShape(given.shape)}, but ${formatShape(shape)} was expected (the problem with one more feature for each of ${sizesOf(problem).units} units)`;
      return { status: 'shape', reason };
    }
  }
  throw new Error(`judgeLocally: ${name} has no equation though everything it needs is there`);
}
