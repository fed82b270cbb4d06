import { sizeOf } from '../../scratch/index';
import { memoize } from '../base/memoize';
import { expectedShape, isLayered, tensorOf, type AnyProblem, type Evaluation } from '../base/problem';
import { precisionModelOf, stepsOfNetwork } from '../budget/index';
import { asOutcome, equationsOf } from '../equations/index';
import { judgeStep, type JudgedEquation, type LocalOptions } from './judge-step';
import { ledgerOf, whyUnseen } from './local-ledger';
import type { Side, TensorVerdict } from './verdict';

/** Whether a problem has a backward pass, so that its inner gradients can be seen on the instrumented problem. */
export function hasBackward(problem: AnyProblem): boolean {
  const hasTargets = isLayered(problem) && problem.targets !== undefined;
  return hasTargets || problem.labels !== undefined || problem.upstream !== undefined;
}

/**
 * The problem that a side runs for its local judgement. Where there is a backward pass it has one more feature, always zero, for every
 * inner gradient of the layers that read the inputs, whose rows of the kernel are the identity: so gradients.inputs shows the gradient with
 * respect to z_t (`instrument`).
 */
export const problemForLocalJudgement = memoize((source: AnyProblem): AnyProblem =>
  hasBackward(source) ? ledgerOf(source).asked : source,
) as <P extends AnyProblem>(source: P) => P;

/** What the local judgement of a full answer looks at, in the order of the computation: the ledger of `judgeLocally`. */
export function localNames(problem: AnyProblem): string[] {
  return [...ledgerOf(problem).steps.keys()];
}

/** The shape of that quantity; dPreActivations is [B, T, U] as the states are. */
export function localShape(problem: AnyProblem, name: string): number[] {
  return (ledgerOf(problem).steps.get(name)?.axes ?? []).map(({ size }) => size);
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
    const why = whyUnseen(problem, answer, tensor, omits);
    return { implementation: side.name, caseId, tensor, elements, compared: 0, beyond: 0, ...why };
  });
}

/** The same, with every element: only the equations that the answer shows, in the order of the computation. */
export function judgeEquations(source: AnyProblem, answer: Evaluation, side: Side): JudgedEquation[] {
  const { network, problem } = equationsOf(source);
  const { asked, steps } = ledgerOf(source);
  // tensors of another shape show nothing
  const outcome = asOutcome(equationsOf(asked), (name) => {
    const tensor = tensorOf(answer, name);
    return tensor?.shape.join() === expectedShape(asked, name).join() ? tensor : undefined;
  });
  const model = precisionModelOf(side);
  const seen = stepsOfNetwork(network, problem, outcome, model);
  return [...steps].flatMap(([name, { own, axes }]) => {
    const step = seen.get(own);
    if (step === undefined) return [];
    // the equations have the output after the last step as a sequence of one
    const shape = axes.map(({ size }) => size);
    const asShown = sizeOf(shape) === step.value.length ? { ...step, shape } : step;
    return [judgeStep({ name, axes, step: asShown, network, own, caseId: source.id, side, model })];
  });
}
