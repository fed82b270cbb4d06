import {
  clipByGlobalNorm,
  createOptimizer,
  type OptimizerConfig,
  type OptimizerSlots,
  type Tensor,
} from '../../../scratch/index';
import { largest } from '../../base/magnitude';
import { once } from '../../base/memoize';
import { axesOf, tensorOf, type AnyProblem, type Axis, type Evaluation } from '../../base/problem';
import { possibleOf, type Budget } from '../../budget/index';
import { compareTensor, compareTensors, type ExpectedTensor } from '../compare-tensors';
import { formulaInWords, tolerancesFor, type FixedTolerance, type Tolerances } from '../tolerance';
import { caseVerdict, type CaseVerdict, type Side } from '../verdict';
import {
  eachOf,
  splitName,
  updateReach,
  type Reach,
  type UpdateRule,
  type UpdateStart,
} from './update-reach';

/** Of float32, in which every side but scratch computes. */
const unit = 2 ** -24;

/** What one update made. */
export interface MadeUpdate<N extends string> {
  /** of the batch, before the update; absent where it is not asked for */ readonly loss?: number | undefined;
  readonly weights: Readonly<Record<N, Tensor>>;
  readonly state: Pick<UpdateStart<N>['state'], 'slots'>;
}

/** One update of a network whose weights are named N. */
export interface UpdateComparison<N extends string> {
  readonly caseId: string;
  readonly optimizer: OptimizerConfig;
  /** the norm that the gradients are clipped to, all together */ readonly clipNorm?: number | undefined;
  /** the batch with the weights it started from; needed where no budget is given */ readonly problem?: AnyProblem;
  /** what the loss and the gradients may be off; default: the budget of the problem */
  readonly budget?: GradientBudget | undefined;
  /** the reference's answer to it */ readonly reference: Evaluation;
  readonly start: UpdateStart<N>;
  /** by the reference */ readonly scratch: MadeUpdate<N>;
  /** by the side */ readonly given: MadeUpdate<N>;
  readonly side: Side;
  readonly tolerance?: FixedTolerance | undefined;
  /** what answers call the gradient of a weight: `gradients.kernel` */ readonly gradientOf: (
    name: N,
  ) => string;
}

/** What rounding may do to the loss and the gradients, by the names that answers have for them. */
export interface GradientBudget extends Pick<Budget, 'model' | 'spread' | 'allowed'> {
  /** what the axes of a gradient count */ axes(name: string): readonly Axis[];
}

/** What the gradients may be off, by the name that answers have for them. */
type ErrorsOf = (budget: Pick<Budget, 'spread' | 'allowed'>, name: string) => Float64Array;

const plainErrors: ErrorsOf = (budget, name) => budget.allowed(name, false);

/**
 * Judges one update: the loss before it, the new weights, and what the optimizer remembers.
 *
 * An update rule is a function of the gradient g, so its tolerance is what that function makes of the gradient's own
 * tolerance E, found by evaluating it (float64) all over [g - E, g + E]: exact for SGD, and right for Adam too, where a
 * gradient near zero may turn the sign of the whole step. On top comes the rounding of the update itself.
 */
export function compareUpdate<N extends string>(comparison: UpdateComparison<N>): CaseVerdict {
  const { caseId, side } = comparison;
  const expected = expectations(comparison, plainErrors);
  const inflated = once(() => expectations(comparison, (budget, name) => budget.allowed(name, true)));
  const possible = once(() => expectations(comparison, (budget, name) => possibleOf(budget.spread(name))));
  const given = namedUpdate(comparison.given);
  const tensors = compareTensors(side.name, caseId, expected, given, new Set(), (...args) => {
    const [sideName, id, name, own, found] = args;
    const plain = compareTensor(...args);
    if (plain.status !== 'differs' || comparison.tolerance !== undefined) return plain;
    const wider = compareTensor(sideName, id, name, inflated().get(name) ?? own, found);
    if (wider.status !== 'differs') return wider;
    const most = compareTensor(sideName, id, name, possible().get(name) ?? own, found);
    const reason =
      'ill-conditioned: rounding may have moved the gradients of this batch so far; the steps of its backward pass decide';
    return most.status === 'differs' ? wider : { ...most, status: 'ill', reason };
  });
  return caseVerdict(caseId, side.name, 'scratch', tensors);
}

/** Everything that an update made: `loss`, `weights.kernel`, `m.kernel`, ... */
export function namedUpdate<N extends string>({
  loss,
  weights,
  state: { slots },
}: MadeUpdate<N>): Map<string, Tensor> {
  const groups = Object.entries<Readonly<Record<N, Tensor>>>({ weights, ...slots });
  return new Map([
    ...(loss === undefined ? [] : [['loss', { data: Float64Array.of(loss), shape: [] }] as const]),
    ...groups.flatMap(([group, values]) =>
      Object.entries<Tensor>(values).map(([name, tensor]) => [`${group}.${name}`, tensor] as const),
    ),
  ]);
}

/**
 * Whether the update is that of other settings of the optimizer, and not of those that were asked for: every number is within four times what
 * this update or the honest one may be off, since a wrong update is another function with other errors.
 */
export function isUpdateOf<N extends string>(
  comparison: UpdateComparison<N>,
  optimizer: OptimizerConfig,
): boolean {
  return explainsUpdate(
    namedUpdate(comparison.given),
    reachOf({ ...comparison, optimizer }, plainErrors),
    reachOf(comparison, plainErrors),
  );
}

/** Whether every number of an update lies within four times either reach around where the first says. */
export function explainsUpdate(
  given: ReadonlyMap<string, Tensor>,
  reach: ReadonlyMap<string, Reach>,
  honest: ReadonlyMap<string, Reach>,
): boolean {
  return [...reach].every(([tensor, { centre, allowed }]) => {
    const data = given.get(tensor)?.data ?? [];
    const right = honest.get(tensor)?.allowed ?? [];
    return centre.every((x, i) => Math.abs((data[i] ?? NaN) - x) <= 4 * Math.max(allowed[i], right[i] ?? 0));
  });
}

/** @param errorsOf what the gradients may be off */
function expectations<N extends string>(
  comparison: UpdateComparison<N>,
  errorsOf: ErrorsOf,
): Map<string, ExpectedTensor> {
  const { tolerance, scratch, gradientOf } = comparison;
  const tolerances = tolerancesOf(comparison);
  const fixed = tolerance?.absolute !== undefined || tolerance?.relative !== undefined;
  const plain = (tensor: Tensor): Float64Array =>
    tensor.data.map((x) => (tolerance?.absolute ?? 0) + (tolerance?.relative ?? 0) * Math.abs(x));
  const made = namedUpdate(scratch);
  const expected = new Map<string, ExpectedTensor>();
  const loss = made.get('loss');
  if (loss !== undefined)
    expected.set('loss', {
      reference: loss,
      allowed: tolerances.budget ? errorsOf(tolerances.budget, 'loss') : tolerances.allowed('loss'),
      axes: [],
      tolerance: tolerances.source('loss'),
    });
  const source = fixed
    ? tolerances.source('loss')
    : `the update rule over the gradient's own tolerance, and its rounding`;
  for (const [tensorName, { centre, allowed }] of reachOf(comparison, errorsOf)) {
    const tensor = made.get(tensorName) ?? { data: new Float64Array(0), shape: [] };
    checkSame(centre, tensor.data, tensorName);
    expected.set(tensorName, {
      reference: tensor,
      allowed: fixed ? plain(tensor) : allowed,
      axes: tolerances.axes(gradientOf(splitName<N>(tensorName)[1])),
      tolerance: source,
    });
  }
  return expected;
}

/** What an update is judged by: a given budget, or that of the problem. */
interface UpdateTolerances extends Pick<Tolerances, 'allowed' | 'source'>, Pick<GradientBudget, 'axes'> {
  readonly budget?: Pick<Budget, 'spread' | 'allowed'>;
}

function tolerancesOf<N extends string>({
  problem,
  reference,
  side,
  tolerance,
  budget,
}: UpdateComparison<N>): UpdateTolerances {
  if (budget !== undefined)
    return {
      budget,
      allowed: (name) => budget.allowed(name, false),
      source: () => formulaInWords(budget.model),
      axes: (name) => budget.axes(name),
    };
  if (problem === undefined) throw new Error('compareUpdate: neither a problem nor a budget is given');
  return {
    ...tolerancesFor(problem, reference, side, tolerance),
    axes: (name) => axesOf(problem, name),
  };
}

/**
 * Whether the update differs from none at all: a new weight is farther from the one before than it may be off. Otherwise a program that
 * changes nothing would pass as well.
 */
export function showsUpdate<N extends string>(comparison: UpdateComparison<N>): boolean {
  return [...reachOf(comparison, plainErrors)].some(([tensor, { centre, allowed }]) => {
    const [group, name] = splitName<N>(tensor);
    const before = comparison.start.weights[name].data;
    return group === 'weights' && centre.some((x, i) => Math.abs(x - before[i]) > allowed[i]);
  });
}

/** How far every number of the update may be off. */
function reachOf<N extends string>(
  comparison: UpdateComparison<N>,
  errorsOf: ErrorsOf,
): ReadonlyMap<string, Reach> {
  const { reference, optimizer, clipNorm, start, gradientOf } = comparison;
  const tolerances = tolerancesOf(comparison);
  const names = Object.keys(start.weights) as N[];
  const gradients = eachOf(names, (name) => {
    const gradient = tensorOf(reference, gradientOf(name));
    if (gradient === undefined) throw new Error(`compareUpdate: the reference has no gradient of ${name}`);
    return gradient.data;
  });
  const errors = eachOf(names, (name): Float64Array => {
    const tensor = gradientOf(name);
    const own = tolerances.budget ? errorsOf(tolerances.budget, tensor) : tolerances.allowed(tensor);
    return typeof own === 'number' ? Float64Array.of(own) : own;
  });
  return updateReach(scratchRule(comparison, gradients), {
    ...{ optimizer, clipNorm, start, gradients, errors, unit },
  });
}

/** What the scratch optimizer makes of gradients that are off by something. */
function scratchRule<N extends string>(
  { optimizer, start: { state, weights } }: UpdateComparison<N>,
  gradients: Readonly<Record<N, Float64Array>>,
): UpdateRule<N> {
  const names = Object.keys(gradients) as N[];
  return (shift, clipNorm) => {
    const slots = Object.entries(state.slots).map(([slot, of]) => [slot, names.map((name) => of[name].data)]);
    const rule = createOptimizer(optimizer, {
      step: state.step,
      slots: Object.fromEntries(slots) as OptimizerSlots,
    });
    const after = names.map((name) => weights[name].data.slice());
    const moved = names.map((name) => gradients[name].map((g, i) => g + shift[name][i]));
    if (clipNorm !== undefined) clipByGlobalNorm(moved, clipNorm);
    rule.update(after, moved);
    const group = (data: readonly Float64Array[]) => eachOf(names, (name) => data[names.indexOf(name)]);
    return {
      weights: group(after),
      slots: Object.fromEntries(Object.entries(rule.slots).map(([slot, data]) => [slot, group(data)])),
    };
  };
}

/** The reference side must itself have followed the rule that the tolerance is made from. */
function checkSame(rule: Float64Array, scratch: Float64Array, name: string): void {
  const size = largest(rule);
  const bad = rule.findIndex((x, i) => !(Math.abs(x - scratch[i]) <= 1e-9 * (size + Math.abs(x))));
  if (bad >= 0) {
    throw new Error(
      `the scratch side's ${name} after an update is ${scratch[bad]} at ${bad}, but its own optimizer makes ${rule[bad]} of its own gradient; training and lossAndGradients disagree`,
    );
  }
}
