import { memoize } from '../base/memoize';
import { expectedNames, type Evaluation, type Problem, type TensorName } from '../base/problem';
import type { Matrix } from './matrix';
import { budgetForNetwork } from './network-budget';
import type { PrecisionModel } from './precision-model';
import { fromNetworkNames, networkName, networkOf } from './simple-rnn';
import type { Spread } from './spread';

/** One number for every element of each tensor. */
export type ErrorMap = Partial<Record<TensorName, Matrix>>;

/** What rounding can do to every element of an answer. */
export interface Budget {
  readonly model: PrecisionModel;
  /** the answer in float64 */ readonly evaluation: Evaluation;
  /** largest possible |error| of each element */ readonly bound: ErrorMap;
  /** standard deviation of the error of each element */ readonly sigma: ErrorMap;
  /** false where errors are so large that their propagation is no longer linear: sigma then says nothing */
  readonly linear: boolean;
  /** true where a number of the run can exceed the largest single-precision number */
  readonly overflow: boolean;
  /** all of it that concerns one tensor */ spread(name: TensorName): Spread;
  /** what each element may be off: by the tightest stage, or by the widest with `inflated` (`stagesOf`) */
  allowed(name: TensorName, inflated: boolean): Matrix;
}

/**
 * The error budget of one problem for one way of rounding: that of its network (`budgetForNetwork`), under the problem's names.
 *
 * @param problem with numbers that the judged side holds exactly (float32: see `roundProblem`)
 * @throws RangeError when a number of the problem is not exact in single precision but the model is
 */
export function budgetFor(problem: Problem, model: PrecisionModel): Budget {
  const known = budgets(problem);
  const budget = known.get(model) ?? makeBudget(problem, model);
  known.set(model, budget);
  return budget;
}

const budgets = memoize<Problem, Map<PrecisionModel, Budget>>(() => new Map());

function makeBudget(source: Problem, model: PrecisionModel): Budget {
  const { network, problem } = networkOf(source);
  const budget = budgetForNetwork(network, problem, model);
  const each = (pick: 'bound' | 'sigma'): ErrorMap =>
    Object.fromEntries(
      expectedNames(source).map((name) => [name, budget.estimates.get(networkName(name))?.[pick]]),
    );
  return {
    model,
    evaluation: fromNetworkNames(
      new Map([...budget.estimates].map(([name, { value, shape }]) => [name, { data: value, shape }])),
    ),
    bound: each('bound'),
    sigma: each('sigma'),
    linear: budget.linear,
    get overflow() {
      return budget.overflow;
    },
    spread: (name) => budget.spread(networkName(name)),
    allowed: (name, inflated) => budget.allowed(networkName(name), inflated),
  };
}
