import { memoize } from '../base/memoize';
import type { AnyProblem, Evaluation } from '../base/problem';
import { asAnswered, asEvaluation, equationsOf, type ModelAsEquations } from '../equations/index';
import { budgetForNetwork, type NetworkBudget } from './network-budget';
import type { PrecisionModel } from './precision-model';
import { allowedOf, type Errors, type Spread } from './spread';

/** What rounding can do to every element of an answer, by the dotted names of its tensors. */
export interface Budget extends Pick<NetworkBudget, 'model' | 'linear' | 'overflow' | 'spread' | 'allowed'> {
  /** the answer in float64 */ readonly evaluation: Evaluation;
}

/**
 * The error budget of one problem for one way of rounding: that of its equations (`budgetForNetwork`), under the problem's names.
 *
 * @param problem with numbers that the judged side holds exactly (float32: see `roundProblem`)
 * @throws RangeError when a number of the problem is not exact in single precision but the model is
 */
export function budgetFor(problem: AnyProblem, model: PrecisionModel): Budget {
  const known = budgets(problem);
  const budget = known.get(model) ?? makeBudget(problem, model);
  known.set(model, budget);
  return budget;
}

const budgets = memoize<AnyProblem, Map<PrecisionModel, Budget>>(() => new Map());

function makeBudget(source: AnyProblem, model: PrecisionModel): Budget {
  const equations = equationsOf(source);
  const budget = budgetForNetwork(equations.network, equations.problem, model);
  const spread = (name: string): Spread => {
    const own = equations.names.get(name) ?? [];
    if (own.length === 0) throw new Error(`budgetFor: problem ${source.id} asks for no ${name}`);
    return own.length === 1 && !equations.backwards.has(name)
      ? budget.spread(own[0])
      : joinedSpread(equations, budget, name, own);
  };
  const values = [...budget.estimates].map(
    ([name, { value, shape }]) => [name, { data: value, shape }] as const,
  );
  return {
    model,
    evaluation: asEvaluation(source, new Map(values)),
    linear: budget.linear,
    get overflow() {
      return budget.overflow;
    },
    spread,
    allowed: (name, inflated) => allowedOf(spread(name), inflated),
  };
}

/** Of a tensor that the equations have in parts, or in the other order of steps. */
function joinedSpread(
  equations: ModelAsEquations,
  budget: NetworkBudget,
  name: string,
  own: readonly string[],
): Spread {
  const shapes = own.map((one) => budget.estimates.get(one)?.shape ?? []);
  const parts = own.map((one) => budget.spread(one));
  const errors = (all: readonly Errors[]): Errors => {
    const joined = (pick: (one: Errors) => Float64Array): Float64Array =>
      asAnswered(
        equations,
        name,
        all.map((one, i) => ({ data: pick(one), shape: shapes[i] })),
      ).data;
    return { bound: joined(({ bound }) => bound), sigma: joined(({ sigma }) => sigma) };
  };
  return {
    ...errors(parts),
    linear: budget.linear,
    get overflow() {
      return parts.some(({ overflow }) => overflow);
    },
    otherForms() {
      const others = parts.flatMap((part) => part.otherForms() ?? []);
      return others.length === parts.length ? errors(others) : undefined;
    },
    inflation() {
      const all = parts.map((part) => part.inflation());
      const largest = (key: 'largest' | 'rms' | 'share'): number =>
        Math.max(...all.map(({ [key]: value }) => value));
      return { largest: largest('largest'), rms: largest('rms'), share: largest('share') };
    },
  };
}
