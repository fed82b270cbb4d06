import type { LayeredProblem } from '../base/problem';
import { asAnswered, equationsOf } from '../equations/index';
import type { Matrix } from './matrix';
import { budgetForNetwork, type NetworkBudget } from './network-budget';
import type { PrecisionModel } from './precision-model';
import { allowedOf, type Errors, type Spread } from './spread';

/** What a judge of results needs to know, by the names of an answer's tensors. */
export type NamedBudget = Pick<NetworkBudget, 'model' | 'spread' | 'allowed'>;

/**
 * The error budget of a layered problem (`budgetForNetwork` of its equations), by the dotted names of an answer.
 *
 * @throws RangeError when a number of the problem is not exact in single precision but the model is
 */
export function budgetForModel(problem: LayeredProblem, model: PrecisionModel): NamedBudget {
  const equations = equationsOf(problem);
  const budget = budgetForNetwork(equations.network, equations.problem, model);
  const spread = (name: string): Spread => {
    const own = equations.names.get(name) ?? [];
    const shapes = own.map((one) => budget.estimates.get(one)?.shape ?? []);
    const parts = own.map((one) => budget.spread(one));
    const [first] = parts;
    if (parts.length === 0) throw new Error(`budgetForModel: problem ${problem.id} asks for no ${name}`);
    const errors = (all: readonly Errors[]): Errors => {
      const joined = (pick: (one: Errors) => Matrix): Matrix =>
        asAnswered(
          equations,
          name,
          all.map((one, i) => ({ data: pick(one), shape: shapes[i] })),
        ).data;
      return { bound: joined(({ bound }) => bound), sigma: joined(({ sigma }) => sigma) };
    };
    return {
      ...errors(parts),
      linear: first.linear,
      get overflow() {
        return first.overflow;
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
  };
  return { model, spread, allowed: (name, inflated) => allowedOf(spread(name), inflated) };
}
