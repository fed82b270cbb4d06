import { largest } from '../base/magnitude';
import type { Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import {
  emulateNetwork,
  estimateNetwork,
  forwardOnly,
  hasBackward,
  instrument,
  isGradientName,
  judgeSteps,
  largestNumber,
  tensorsOf,
  type Estimate,
  type JudgedStep,
  type Network,
  type NetworkProblem,
  type RoundingOptions,
  type SummationOrder,
} from '../equations/index';
import { emulatedRuns, measureInflation, type Inflation } from './inflation';
import { shortDouble, withCustomaryForms, type PrecisionModel } from './precision-model';
import { allowedOf, type Spread } from './spread';

/** What rounding can do to every number that a network answers, by the names of `evaluateNetwork`. */
export interface NetworkBudget {
  readonly model: PrecisionModel;
  /** value in float64, bound and standard deviation of every tensor */
  readonly estimates: ReadonlyMap<string, Estimate>;
  /** false where errors are so large that their propagation is no longer linear: sigma then says nothing */
  readonly linear: boolean;
  /** true where a number of the run can exceed the largest single-precision number */
  readonly overflow: boolean;
  /** all of it that concerns one tensor */ spread(name: string): Spread;
  /** what each element may be off: by the tightest stage, or by the widest with `inflated` (`stagesOf`) */
  allowed(name: string, inflated: boolean): Float64Array;
}

/**
 * The error budget of one problem for one way of rounding, computed along with a float64 run of the network's formulas; no answer of
 * any side enters it. Made once for each network, problem and model: sides on the same kernels share it.
 *
 * @param problem with numbers that the judged side holds exactly (float32: rounded before)
 * @throws RangeError when a number of the problem is not exact in single precision but the model is
 */
export function budgetForNetwork(
  network: Network,
  problem: NetworkProblem,
  model: PrecisionModel,
): NetworkBudget {
  const known = budgets(network)(problem);
  const budget = known.get(model) ?? makeBudget(network, problem, model);
  known.set(model, budget);
  return budget;
}

const budgets = memoize<Network, (problem: NetworkProblem) => Map<PrecisionModel, NetworkBudget>>(() =>
  memoize(() => new Map()),
);

function makeBudget(network: Network, problem: NetworkProblem, model: PrecisionModel): NetworkBudget {
  if (model.precision === 'float32') checkExact(problem);
  const estimates = estimateNetwork(network, problem, model);
  const linear = isLinear(estimates);
  let overflow: boolean | undefined;
  let inflations: ReadonlyMap<string, Inflation> | undefined;
  const budget: NetworkBudget = {
    model,
    estimates,
    linear,
    get overflow() {
      overflow ??= canOverflow(network, problem, model);
      return overflow;
    },
    spread(name) {
      const estimate = estimates.get(name);
      if (estimate === undefined)
        throw new Error(
          `budgetForNetwork: the problem asks for no ${name}; it asks for ${[...estimates.keys()].join(', ')}`,
        );
      const { bound, sigma } = estimate;
      return {
        bound,
        sigma,
        linear,
        get overflow() {
          return budget.overflow && canOverflow(network, neededFor(network, problem, name), model);
        },
        otherForms() {
          const other = withCustomaryForms(model);
          return other && budgetForNetwork(network, problem, other).estimates.get(name);
        },
        inflation() {
          inflations ??= inflationsOf(network, problem, model, estimates);
          return inflations.get(name) ?? { largest: 1, rms: 1, share: 1 };
        },
      };
    },
    allowed: (name, inflated) => allowedOf(budget.spread(name), inflated),
  };
  return budget;
}

function canOverflow(network: Network, problem: NetworkProblem, model: PrecisionModel): boolean {
  return model.precision === 'float32' && !(largestNumber(network, problem) < 2 ** 127);
}

/** The part of the problem that a quantity depends on: an overflow on the way back excuses no infinity in states and logits. */
function neededFor(network: Network, problem: NetworkProblem, name: string): NetworkProblem {
  const needsAll = isGradientName(network, name) || name === 'loss' || name === 'outputs';
  return needsAll ? problem : forwardOnly(problem);
}

/** tanh and softmax are straight within errors of this size; states of other sizes count by their own scale. */
function isLinear(estimates: ReadonlyMap<string, Estimate>): boolean {
  return [...estimates].every(([name, { value, sigma }]) => {
    if (name === 'logits') return largest(sigma) <= 0.05;
    if (!/^(states|final)\./.test(name)) return true;
    return sigma.every((s, i) => s <= 1e-3 * Math.max(1, Math.abs(value[i])));
  });
}

/** How far emulated runs scatter beyond sigma, for every tensor: in single precision, or in the short doubles that stand for double. */
function inflationsOf(
  network: Network,
  problem: NetworkProblem,
  model: PrecisionModel,
  estimates: ReadonlyMap<string, Estimate>,
): ReadonlyMap<string, Inflation> {
  const emulated = emulatedModel(model);
  const own = emulated === model ? estimates : estimateNetwork(network, problem, emulated);
  const runs = Array.from({ length: emulatedRuns }, (_, k) => emulatedAnswer(network, problem, model, k));
  return new Map(
    [...own].map(([name, { value, sigma }]) => [
      name,
      measureInflation(
        value,
        sigma,
        runs.map((run) => run.get(name)?.data ?? value),
      ),
    ]),
  );
}

/** The model whose roundings can be measured: a float64 run's own cannot, because the reference rounds alike. */
function emulatedModel(model: PrecisionModel): PrecisionModel {
  return model.precision === 'float32' ? model : shortDouble;
}

const orders: readonly SummationOrder[] = ['sequential', 'reversedFused', 'lanes', 'double'];

/**
 * How emulated run number k computes: every order of summation, fused or not, with errors of the functions that all go one way (k = 0, 1)
 * or are random, then also of the sums.
 */
function emulatedOptions(k: number, { precision }: PrecisionModel): RoundingOptions {
  return {
    order: orders[k % orders.length],
    joint: k % 3 === 1,
    flat: k % 2 === 1,
    noise: k === 0 ? 'high' : k === 1 ? 'low' : 'sums',
    seed: k,
    format: precision === 'float32' ? 'single' : 'double45',
  };
}

/** What the k-th honest implementation answers, in single precision or, for a float64 model, in doubles cut to 45 bits. */
export function emulatedAnswer(
  network: Network,
  problem: NetworkProblem,
  model: PrecisionModel,
  k: number,
): ReadonlyMap<string, Tensor> {
  return emulateNetwork(network, problem, model.kappa, emulatedOptions(k, model));
}

/** An equation by itself: what it gives from the side's own earlier values, what the side gave, and what rounding can do. */
export interface NetworkStep extends JudgedStep {
  readonly spread: Spread;
}

/** The network and problem that a side runs for its local judgement: instrumented where there is a backward pass. */
export function askedForSteps(
  network: Network,
  problem: NetworkProblem,
): { readonly network: Network; readonly problem: NetworkProblem } {
  return (hasBackward(problem) ? instrument(network, problem) : undefined) ?? { network, problem };
}

/**
 * Every equation of the network by itself (`judgeSteps`), with the spread of its rounding errors: no error accumulates over time.
 *
 * @param answer of the side to `askedForSteps(network, problem)`
 */
export function stepsOfNetwork(
  network: Network,
  problem: NetworkProblem,
  answer: ReadonlyMap<string, Tensor>,
  model: PrecisionModel,
): ReadonlyMap<string, NetworkStep> {
  const form = withCustomaryForms(model);
  let other: ReadonlyMap<string, JudgedStep> | undefined;
  return new Map(
    [...judgeSteps(network, problem, answer, model)].map(([name, step]) => [
      name,
      {
        ...step,
        spread: {
          bound: step.bound,
          sigma: step.sigma,
          linear: true,
          get overflow() {
            // of the run that the steps are read from, which an infinity enters once a number of it has overflowed
            const asked = askedForSteps(network, problem);
            return canOverflow(asked.network, neededFor(asked.network, asked.problem, name), model);
          },
          otherForms() {
            other ??= form && judgeSteps(network, problem, answer, form);
            return other?.get(name);
          },
          inflation() {
            const scatters = knownScatters(network, problem, model);
            return { largest: scatters.get(name) ?? 1, rms: 1, share: 1 };
          },
        },
      },
    ]),
  );
}

const scattersOf = memoize<
  Network,
  (problem: NetworkProblem) => Map<PrecisionModel, ReadonlyMap<string, number>>
>(() => memoize(() => new Map()));

/** No answer enters it, so it is measured once. */
function knownScatters(
  network: Network,
  problem: NetworkProblem,
  model: PrecisionModel,
): ReadonlyMap<string, number> {
  const known = scattersOf(network)(problem);
  const scatters = known.get(model) ?? scatterOfSteps(network, problem, model);
  known.set(model, scatters);
  return scatters;
}

/** How far the equations of emulated runs scatter beyond sigma, over 3; at least 1. */
function scatterOfSteps(
  network: Network,
  problem: NetworkProblem,
  model: PrecisionModel,
): ReadonlyMap<string, number> {
  const scatters = new Map<string, number>();
  const asked = askedForSteps(network, problem);
  const emulated = emulatedModel(model);
  for (let k = 0; k < emulatedRuns; k++) {
    const run = emulatedAnswer(asked.network, asked.problem, model, k);
    for (const [name, { value, given, sigma }] of judgeSteps(network, problem, run, emulated)) {
      const { largest: found } = measureInflation(value, sigma, [given]);
      scatters.set(name, Math.max(scatters.get(name) ?? 1, found));
    }
  }
  return scatters;
}

function checkExact(problem: NetworkProblem): void {
  for (const [path, { data }] of tensorsOf(problem)) {
    const at = data.findIndex((x) => Math.fround(x) !== x);
    if (at >= 0)
      throw new RangeError(
        `budgetFor: ${path} holds ${String(data[at])}, which float32 cannot hold; the rounding of the problem itself is no error of the answer, so judge the problem that roundProblem(problem) gives.`,
      );
  }
}
