import {
  expectedNames,
  expectedShape,
  sizesOf,
  tensorAxes,
  tensorNames,
  tensorOf,
  type Evaluation,
  isLayered,
  type AnyProblem,
  type Problem,
  type TensorName,
} from '../base/problem';
import { askedForSteps, precisionModelOf, stepsOfNetwork } from '../budget/index';
import { asOutcome, equationsOf } from '../equations/index';
import { memoize } from '../base/memoize';
import { judgeLayers, judgeLayersLocally, layersInSteps, madeByLayers } from './judge-layers';
import { judgeStep, type JudgedEquation, type LocalOptions } from './judge-step';
import type { Side, TensorVerdict } from './verdict';
import { formatShape, sizeOf } from '../../scratch/index';

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

/** What the local judgement of a full answer looks at, in the order of the computation: the ledger of `judgeLocally`. */
export function localNames(problem: Problem): LocalName[];
export function localNames(problem: AnyProblem): string[];
export function localNames(problem: AnyProblem): string[] {
  if (isLayered(problem)) return [...layersInSteps(problem).steps.keys()];
  return expectedNames(problem).flatMap((name) =>
    name === 'gradients.inputs' ? ['dPreActivations' as const, name] : [name],
  );
}

/** The shape of that quantity; dPreActivations is [B, T, U] as the states are. */
export function localShape(problem: AnyProblem, name: string): number[] {
  if (isLayered(problem)) return (layersInSteps(problem).steps.get(name)?.axes ?? []).map(({ size }) => size);
  return expectedShape(problem, name === 'dPreActivations' ? 'states' : name);
}

/** The equations that a quantity is made by, from the inputs on: when all of these hold, it is right whatever its error. */
export function madeBy(problem: Problem, name: LocalName): LocalName[];
export function madeBy(problem: AnyProblem, name: string): string[];
export function madeBy(problem: AnyProblem, name: string): string[] {
  if (isLayered(problem)) return madeByLayers(problem, name);
  const output = problem.labels === undefined ? [] : (['logits'] as const);
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
  options: LocalOptions = {},
): TensorVerdict[] {
  if (isLayered(problem)) return judgeLayersLocally(problem, answer, side, options);
  const judged = { ...problem, id: options.caseId ?? problem.id };
  const seen = new Map(
    judgeEquations(judged, answer, side).map(({ equation, verdict }) => [equation.name, verdict]),
  );
  const asked = problemForLocalJudgement(problem);
  return localNames(problem).map(
    (name) => seen.get(name) ?? unseen(judged, asked, answer, side, name, new Set(options.omits)),
  );
}

/** The same, with every element: only the equations that the answer shows, in the order of the computation. */
export function judgeEquations(source: AnyProblem, answer: Evaluation, side: Side): JudgedEquation[] {
  if (isLayered(source)) return judgeLayers(source, answer, side);
  const equations = equationsOf(source);
  const { network, problem, names } = equations;
  const model = precisionModelOf(side);
  const outcome = asOutcome(equations, (name) => tensorOf(answer, name));
  const steps = stepsOfNetwork(network, problem, outcome, model);
  const stepName = (name: LocalName): string =>
    name === 'dPreActivations' ? 'rnn.dz' : name === 'states' ? 'rnn.h' : (names.get(name) ?? [''])[0];
  // what is made of a quantity that is not shown cannot be judged alone
  const isShown = (name: LocalName): boolean =>
    madeBy(source, name).every((one) => one === 'logits' || steps.has(stepName(one)));
  return localNames(source).flatMap((name) => {
    const step = steps.get(stepName(name));
    if (step === undefined || !isShown(name)) return [];
    const [example, ...others] = tensorAxes[name === 'dPreActivations' ? 'states' : name];
    // the network's own logits are [B, 1, C]: of the one step that the output layer reads
    const axes = name === 'logits' ? [example, '', ...others] : [example, ...others];
    return [judgeStep({ name, axes, step, network, own: stepName(name), caseId: source.id, side, model })];
  });
}

/** Why there is no equation to judge: the tensor itself, or one that it is computed from, is not there or has another shape. */
function unseen(
  problem: Problem,
  asked: Problem,
  answer: Evaluation,
  side: Side,
  name: LocalName,
  omits: ReadonlySet<string>,
): TensorVerdict {
  const elements = sizeOf(localShape(problem, name));
  const base = {
    implementation: side.name,
    caseId: problem.id,
    tensor: name,
    elements,
    compared: 0,
    beyond: 0,
  };
  const own: TensorName = name === 'dPreActivations' ? 'gradients.inputs' : name;
  const inner = name.startsWith('gradients.') && !name.startsWith('gradients.output');
  const needed: TensorName[] = [own, 'states', ...(inner ? (['gradients.inputs'] as const) : [])];
  for (const tensor of needed) {
    const given = tensorOf(answer, tensor);
    const shape = expectedShape(asked, tensor);
    if (given === undefined && omits.has(tensor)) {
      const without = tensor === name ? 'is' : `cannot be judged step by step: ${tensor} is`;
      return { ...base, status: 'omitted', reason: `${without} declared beforehand as not given` };
    }
    if (given === undefined)
      return { ...base, status: 'missing', reason: `cannot be judged step by step: ${tensor} is missing` };
    if (given.shape.join() !== shape.join()) {
      const reason = `${tensor} has shape ${formatShape(given.shape)}, but ${formatShape(shape)} was expected (the problem with one more feature for each of ${sizesOf(problem).units} units)`;
      return { ...base, status: 'shape', reason };
    }
  }
  throw new Error(`judgeLocally: ${name} has no equation though everything it needs is there`);
}
