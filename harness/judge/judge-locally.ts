import {
  evaluationOf,
  expectedNames,
  expectedShape,
  sizesOf,
  tensorNames,
  tensorOf,
  type Evaluation,
  type Problem,
  type TensorName,
} from '../base/problem';
import {
  emulatedRunOptions,
  emulatedRuns,
  shortDouble,
  instrumentedProblem,
  localEquations,
  type LocalEquation,
  precisionModelOf,
  type PrecisionModel,
  singlePrecisionRun,
  withCustomaryForms,
} from '../budget/index';
import { memoize } from '../base/memoize';
import { judgeNumbers } from './judge-tensor';
import { deviationsInWords } from './tolerance';
import type { Side, TensorVerdict } from './verdict';
import { formatShape, sizeOf, type Tensor } from '../../scratch/index';

/** Whether a problem has a backward pass, so that its inner gradients can be seen on the instrumented problem. */
export function hasBackward(problem: Problem): boolean {
  return problem.labels !== undefined || problem.upstream !== undefined;
}

/** The problem that a side runs for its local judgement: instrumented where there is a backward pass. */
export function problemForLocalJudgement(problem: Problem): Problem {
  return hasBackward(problem) ? instrumentedProblem(problem) : problem;
}

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
export function localNames(problem: Problem): LocalName[] {
  return expectedNames(problem).flatMap((name) =>
    name === 'gradients.inputs' ? ['dPreActivations' as const, name] : [name],
  );
}

/** The shape of that quantity; dPreActivations is [B, T, U] as the states are. */
export function localShape(problem: Problem, name: LocalName): number[] {
  return expectedShape(problem, name === 'dPreActivations' ? 'states' : name);
}

/** The equations that a quantity is made by, from the inputs on: when all of these hold, it is right whatever its error. */
export function madeBy(problem: Problem, name: LocalName): LocalName[] {
  const output = problem.labels === undefined ? [] : (['logits'] as const);
  if (name === 'states') return ['states'];
  if (name === 'finalState' || name === 'logits') return ['states', name];
  if (name === 'probabilities') return ['states', 'logits', name];
  if (name === 'loss' || name.startsWith('gradients.output')) return ['states', ...output, name];
  return ['states', ...output, 'dPreActivations', ...(name === 'dPreActivations' ? [] : [name])];
}

export interface LocalOptions {
  /** tensors that the side declared not to give: what cannot be seen without them is counted as omitted */
  readonly omits?: readonly string[] | undefined;
  /** default: the problem's id */ readonly caseId?: string;
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
  problem: Problem,
  answer: Evaluation,
  side: Side,
  options: LocalOptions = {},
): TensorVerdict[] {
  const judged = { ...problem, id: options.caseId ?? problem.id };
  const seen = new Map(
    judgeEquations(judged, answer, side).map(({ equation, verdict }) => [equation.name, verdict]),
  );
  const asked = problemForLocalJudgement(problem);
  return localNames(problem).map(
    (name) => seen.get(name) ?? unseen(judged, asked, answer, side, name, new Set(options.omits)),
  );
}

/** One kind of equation, what every element of it may be off, and how it fared. */
export interface JudgedEquation {
  readonly equation: LocalEquation;
  readonly allowed: Float64Array;
  readonly verdict: TensorVerdict;
}

/** The same, with every element: only the equations that the answer shows, in the order of the computation. */
export function judgeEquations(problem: Problem, answer: Evaluation, side: Side): JudgedEquation[] {
  const model = precisionModelOf(side);
  const asked = problemForLocalJudgement(problem);
  const readable = new Map<TensorName, Tensor>();
  for (const name of expectedNames(asked)) {
    const tensor = tensorOf(answer, name);
    if (tensor?.shape.join() === expectedShape(asked, name).join()) readable.set(name, tensor);
  }
  const shown = evaluationOf(readable);
  const other = withCustomaryForms(model);
  const otherForms = memoize((answer: Evaluation) => other && mapOf(localEquations(problem, answer, other)));
  const inflations = memoize(() => localInflation(problem, model));
  return localEquations(problem, shown, model)
    .map((equation): JudgedEquation => {
      const { name, formula, expected, axes, given, bound, sigma } = equation;
      const judged = judgeNumbers({
        implementation: side.name,
        caseId: problem.id,
        name,
        expected: { reference: expected, axes },
        given,
        model,
        mean: false,
        spread: {
          bound,
          sigma,
          linear: true,
          overflow: false,
          otherForms: () => otherForms(shown)?.get(name),
          inflation: () => ({ largest: inflations(shown).get(name) ?? 1, rms: 1, share: 1 }),
        },
        inWords: (stage) =>
          `local: ${formula}, from the side's own values; the smaller of the rigorous bound of this one step and ${deviationsInWords(stage)}`,
      });
      return { equation, ...judged };
    })
    .sort((one, other) => rankOf(one.equation.name) - rankOf(other.equation.name));
}

function mapOf(equations: readonly LocalEquation[]): ReadonlyMap<string, LocalEquation> {
  return new Map(equations.map((equation) => [equation.name, equation]));
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

/** How far the local residuals of emulated runs scatter beyond sigma, over 3; at least 1. */
function localInflation(problem: Problem, model: PrecisionModel): Map<string, number> {
  const inflations = new Map<string, number>();
  const asked = problemForLocalJudgement(problem);
  const emulated = model.precision === 'float32' ? model : shortDouble;
  for (let k = 0; k < emulatedRuns; k++) {
    const run = singlePrecisionRun(asked, emulatedRunOptions(k, emulated));
    for (const { name, expected, given, sigma } of localEquations(problem, run, emulated)) {
      let largest = inflations.get(name) ?? 1;
      expected.data.forEach((x, i) => {
        const ratio = Math.abs(given.data[i] - x) / sigma[i] / 3;
        if (Number.isFinite(ratio)) largest = Math.max(largest, ratio);
      });
      inflations.set(name, largest);
    }
  }
  return inflations;
}
