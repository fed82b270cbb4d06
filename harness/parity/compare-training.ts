import {
  createOptimizer,
  type ClassifierWeights,
  type OptimizerConfig,
  type Tensor,
} from '../../scratch/index';
import {
  caseVerdict,
  compareTensor,
  compareTensors,
  tolerancesFor,
  type CaseVerdict,
  type ExpectedTensor,
  type FixedTolerance,
  type Side,
} from '../judge/index';
import type { Evaluation, TensorName } from '../problem';
import type { TrainingStart, TrainingStep } from './training';

const weightNames = ['kernel', 'recurrentKernel', 'bias', 'outputKernel', 'outputBias'] as const;
type WeightName = (typeof weightNames)[number];

const axes: Readonly<Record<WeightName, readonly string[]>> = {
  kernel: ['feature', 'unit'],
  recurrentKernel: ['fromUnit', 'unit'],
  bias: ['unit'],
  outputKernel: ['fromUnit', 'class'],
  outputBias: ['class'],
};

const unit = 2 ** -24;

/** Where inside the interval that a gradient may lie in the update rule is evaluated, as a share of its half width. */
const probes = [-1, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1];

export interface TrainingComparison {
  readonly caseId: string;
  readonly optimizer: OptimizerConfig;
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
  const expected = expectations(comparison, false);
  let inflated: Map<string, ExpectedTensor> | undefined;
  const tensors = compareTensors(side.name, caseId, expected, given(step), new Set(), (...args) => {
    const verdict = compareTensor(...args);
    if (verdict.status !== 'differs' || comparison.tolerance !== undefined) return verdict;
    inflated ??= expectations(comparison, true);
    const wider = inflated.get(args[2]);
    return wider === undefined ? verdict : compareTensor(args[0], args[1], args[2], wider, args[4]);
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

function expectations(comparison: TrainingComparison, inflated: boolean): Map<string, ExpectedTensor> {
  const { step, reference, side, tolerance, optimizer } = comparison;
  const tolerances = tolerancesFor(step.problem, reference, side, tolerance);
  const allowedOf = (name: TensorName): Float64Array => {
    const own =
      inflated && tolerances.budget ? tolerances.budget.allowed(name, true) : tolerances.allowed(name);
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
  for (const name of weightNames) {
    const gradient = reference.gradients?.[name];
    if (gradient === undefined) throw new Error(`compareTraining: the reference has no gradient of ${name}`);
    const reach = reachOf(optimizer, step.start, name, gradient.data, allowedOf(`gradients.${name}`));
    for (const [group, { centre, allowed }] of reach) {
      const tensor = group === 'weights' ? step.scratch.weights[name] : step.scratch.state.slots[group][name];
      checkSame(centre, tensor.data, `${group}.${name}`);
      expected.set(`${group}.${name}`, {
        reference: tensor,
        allowed: fixed ? plain(tensor) : allowed,
        axes: axes[name],
        tolerance: source,
      });
    }
  }
  return expected;
}

interface Reach {
  readonly centre: Float64Array;
  readonly allowed: Float64Array;
}

/** How far the new weight and the memory can be off when the gradient is off by at most E. */
function reachOf(
  optimizer: OptimizerConfig,
  start: TrainingStart,
  name: WeightName,
  gradient: Float64Array,
  E: Float64Array,
): Map<string, Reach> {
  const update = (share: number): Map<string, Float64Array> => {
    const weight = start.weights[name].data.slice();
    const slots = Object.entries(start.state.slots).map(([slot, of]) => [slot, [of[name].data]] as const);
    const rule = createOptimizer(optimizer, { step: start.state.step, slots: Object.fromEntries(slots) });
    rule.update([weight], [gradient.map((g, i) => g + share * E[i])]);
    return new Map([
      ['weights', weight],
      ...Object.entries(rule.slots).map(([slot, [data]]) => [slot, data] as const),
    ]);
  };
  const centre = update(0);
  const others = probes.map(update);
  const correction = biasCorrectionError(optimizer, start.state.step + 1);
  const before = start.weights[name].data;
  return new Map(
    [...centre].map(([group, values]) => {
      const allowed = values.map((value, i) => {
        const spread = Math.max(...others.map((other) => Math.abs((other.get(group) ?? values)[i] - value)));
        // a few roundings of the result, of the terms it is made of, and of what Adam divides by
        const moved = group === 'weights' ? Math.abs(value - before[i]) : Math.abs(value);
        const terms = group === 'weights' ? Math.abs(before[i]) : slotTerms(start, group, name, gradient, i);
        return 1.1 * spread + unit * (2 * Math.abs(value) + 4 * terms + (8 + correction) * moved) + 2 ** -120;
      });
      return [group, { centre: values, allowed }];
    }),
  );
}

/** Size of the two terms that a slot's new value is the sum of. */
function slotTerms(
  start: TrainingStart,
  slot: string,
  name: WeightName,
  gradient: Float64Array,
  i: number,
): number {
  const old = start.state.slots as Partial<Record<string, ClassifierWeights>>;
  const g = slot === 'v' ? gradient[i] ** 2 : Math.abs(gradient[i]);
  return Math.abs(old[slot]?.[name].data[i] ?? 0) + g;
}

/**
 * Relative error, in units of roundoff, of Adam's bias corrections 1 - beta^t when beta^t is a float32 product of t
 * factors: (t + 1) beta^t / (1 - beta^t). At t = 1 and beta2 = 0.999 that is 2000 roundings.
 */
function biasCorrectionError(optimizer: OptimizerConfig, t: number): number {
  if (optimizer.name !== 'adam') return 0;
  const of = (beta: number): number => ((t + 1) * beta ** t) / (1 - beta ** t);
  return of(optimizer.beta1 ?? 0.9) + of(optimizer.beta2 ?? 0.999);
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
