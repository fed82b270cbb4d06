import {
  clipByGlobalNorm,
  createOptimizer,
  weightNames,
  type ClassifierWeights,
  type OptimizerConfig,
  type OptimizerSlots,
  type Tensor,
} from '../../../scratch/index';
import { possibleOf, type Budget } from '../../budget/index';
import { compareTensor, compareTensors, type ExpectedTensor } from '../compare-tensors';
import { tolerancesFor, type FixedTolerance } from '../tolerance';
import { caseVerdict, type CaseVerdict, type Side } from '../verdict';
import { once } from '../../base/memoize';
import type { Evaluation, TensorName } from '../../base/problem';
import { each, type Numbers } from '../../faults/updates/index';
import type { TrainingStep } from './training-checks';
import { updateReach, type UpdateRule } from './update-reach';

type WeightName = keyof ClassifierWeights;

const axes: Readonly<Record<WeightName, readonly string[]>> = {
  kernel: ['feature', 'unit'],
  recurrentKernel: ['fromUnit', 'unit'],
  bias: ['unit'],
  outputKernel: ['fromUnit', 'class'],
  outputBias: ['class'],
};

/** Of float32, in which every side but scratch computes. */
const unit = 2 ** -24;

export interface TrainingComparison {
  readonly caseId: string;
  readonly optimizer: OptimizerConfig;
  /** the norm that the gradients are clipped to, all together */ readonly clipNorm?: number | undefined;
  readonly step: TrainingStep;
  /** the reference's answer to `step.problem` */ readonly reference: Evaluation;
  readonly side: Side;
  readonly tolerance?: FixedTolerance | undefined;
}

/**
 * Judges one update: the loss before it, the new weights, and what the optimizer remembers.
 *
 * An update rule is a function of the gradient g, so its tolerance is what that function makes of the gradient's own
 * tolerance E, found by evaluating it (float64) all over [g - E, g + E]: exact for SGD, and right for Adam too, where a
 * gradient near zero may turn the sign of the whole step. On top comes the rounding of the update itself.
 */
export function compareTraining(comparison: TrainingComparison): CaseVerdict {
  const { caseId, side, step } = comparison;
  const expected = expectations(comparison, (budget, name) => budget.allowed(name, false));
  const inflated = once(() => expectations(comparison, (budget, name) => budget.allowed(name, true)));
  const possible = once(() => expectations(comparison, (budget, name) => possibleOf(budget.spread(name))));
  const tensors = compareTensors(side.name, caseId, expected, given(step), new Set(), (...args) => {
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

/** Sizes of what one update is compared by, for the ledger. */
export function plannedTraining(
  weights: ClassifierWeights,
  optimizer: OptimizerConfig,
): Record<string, number> {
  const names = ['weights', ...slotsOf(optimizer)];
  const sizes = names.flatMap((group) =>
    weightNames.map((name) => [`${group}.${name}`, weights[name].data.length] as const),
  );
  return { loss: 1, ...Object.fromEntries(sizes) };
}

function slotsOf(optimizer: OptimizerConfig): string[] {
  if (optimizer.name === 'adam') return ['m', 'v'];
  return (optimizer.momentum ?? 0) > 0 ? ['velocity'] : [];
}

function given({ given: { loss, weights, state } }: TrainingStep): Map<string, Tensor> {
  const named = new Map<string, Tensor>([['loss', { data: Float64Array.of(loss), shape: [] }]]);
  for (const [group, values] of Object.entries({ weights, ...state.slots })) {
    for (const name of weightNames) named.set(`${group}.${name}`, values[name]);
  }
  return named;
}

/** @param errorsOf what the gradients may be off */
function expectations(
  comparison: TrainingComparison,
  errorsOf: (budget: Budget, name: TensorName) => Float64Array,
): Map<string, ExpectedTensor> {
  const { step, reference, side, tolerance, optimizer, clipNorm } = comparison;
  const tolerances = tolerancesFor(step.problem, reference, side, tolerance);
  const allowedOf = (name: TensorName): Float64Array => {
    const own = tolerances.budget ? errorsOf(tolerances.budget, name) : tolerances.allowed(name);
    return typeof own === 'number' ? Float64Array.of(own) : own;
  };
  const fixed = tolerance?.absolute !== undefined || tolerance?.relative !== undefined;
  const plain = (tensor: Tensor): Float64Array =>
    tensor.data.map((x) => (tolerance?.absolute ?? 0) + (tolerance?.relative ?? 0) * Math.abs(x));
  const loss = { data: Float64Array.of(step.scratch.loss), shape: [] };
  const expected = new Map<string, ExpectedTensor>();
  expected.set('loss', {
    reference: loss,
    allowed: allowedOf('loss'),
    axes: [],
    tolerance: tolerances.source('loss'),
  });
  const source = fixed
    ? tolerances.source('gradients.kernel')
    : `the update rule over the gradient's own tolerance, and its rounding`;
  const gradients = each((name) => {
    const gradient = reference.gradients?.[name];
    if (gradient === undefined) throw new Error(`compareTraining: the reference has no gradient of ${name}`);
    return gradient.data;
  });
  const errors = each((name) => allowedOf(`gradients.${name}`));
  const reach = updateReach(scratchRule(comparison, gradients), {
    optimizer,
    clipNorm,
    start: step.start,
    gradients,
    errors,
    unit,
  });
  for (const [tensorName, { centre, allowed }] of reach) {
    const [group, name] = tensorName.split('.') as [string, WeightName];
    const tensor = group === 'weights' ? step.scratch.weights[name] : step.scratch.state.slots[group][name];
    checkSame(centre, tensor.data, tensorName);
    expected.set(tensorName, {
      reference: tensor,
      allowed: fixed ? plain(tensor) : allowed,
      axes: axes[name],
      tolerance: source,
    });
  }
  return expected;
}

/** What the scratch optimizer makes of gradients that are off by something. */
function scratchRule({ optimizer, step }: TrainingComparison, gradients: Numbers): UpdateRule {
  return (shift, clipNorm) => {
    const { state, weights } = step.start;
    const slots = Object.entries(state.slots).map(([slot, of]) => [
      slot,
      weightNames.map((name) => of[name].data),
    ]);
    const rule = createOptimizer(optimizer, {
      step: state.step,
      slots: Object.fromEntries(slots) as OptimizerSlots,
    });
    const after = weightNames.map((name) => weights[name].data.slice());
    const moved = weightNames.map((name) => gradients[name].map((g, i) => g + shift[name][i]));
    if (clipNorm !== undefined) clipByGlobalNorm(moved, clipNorm);
    rule.update(after, moved);
    const group = (data: readonly Float64Array[]): Numbers => each((name) => data[weightNames.indexOf(name)]);
    return {
      weights: group(after),
      slots: Object.fromEntries(Object.entries(rule.slots).map(([slot, data]) => [slot, group(data)])),
    };
  };
}

/** The reference side must itself have followed the rule that the tolerance is made from. */
function checkSame(rule: Float64Array, scratch: Float64Array, name: string): void {
  const size = rule.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  const bad = rule.findIndex((x, i) => !(Math.abs(x - scratch[i]) <= 1e-9 * (size + Math.abs(x))));
  if (bad >= 0) {
    throw new Error(
      `the scratch side's ${name} after an update is ${scratch[bad]} at ${bad}, but its own optimizer makes ${rule[bad]} of its own gradient; training and lossAndGradients disagree`,
    );
  }
}
