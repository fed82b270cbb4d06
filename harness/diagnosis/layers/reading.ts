import { budgetForNetwork, type NetworkBudget, type PrecisionModel } from '../../budget/index';
import {
  chargesOf,
  errorArithmetic,
  estimates,
  type Network,
  type NetworkProblem,
} from '../../equations/index';
import { exactFault, runFault, type FaultyRun } from '../../faults/equations/index';
import { Reading, type Answer } from '../reading';

/** Standard deviations that a number of a faulty network may be off, as those of a right one. */
const deviations = 10;

/** One answer to one problem about layers, to be explained by faulty networks. */
export class LayersReading extends Reading {
  private readonly budget: NetworkBudget;

  /** @param answer by the names of `evaluateNetwork` */
  constructor(
    readonly network: Network,
    readonly problem: NetworkProblem,
    answer: Answer,
    private readonly model: PrecisionModel,
  ) {
    const budget = budgetForNetwork(network, problem, model);
    const right = [...budget.estimates].map(
      ([name, { value, shape }]) => [name, { data: value, shape }] as const,
    );
    super(answer, new Map(right), (name) => budget.allowed(name, true), model.unit);
    this.budget = budget;
  }

  /**
   * Whether a faulty network gives this answer: every number lies within the faulty network's own budget, and the fault accounts for what
   * is wrong.
   *
   * @param forwardOnly leaves the gradients out: after a wrong forward pass they may be those of the wrong formulas, or of the right ones
   */
  isExplainedBy(run: FaultyRun, forwardOnly = false): boolean {
    const made = exactFault(run);
    // most faults are ruled out by the forward pass alone
    if (!this.accountsForWorst(made.forward)) return false;
    return (
      this.accountsFor(forwardOnly ? made.forward : made.whole()) && this.isWithinOwnBudget(run, forwardOnly)
    );
  }

  /** The same, or the answer is right and rounding explains what the fault changes here: nothing that speaks against it. */
  agreesWith(run: FaultyRun, forwardOnly: boolean): boolean {
    if (!this.isRight) return this.isExplainedBy(run, forwardOnly);
    return this.showsNothingOf(exactFault(run).whole());
  }

  private isWithinOwnBudget(run: FaultyRun, forwardOnly: boolean): boolean {
    const { charges, observe } = chargesOf(run.problem, this.model);
    const own = estimates(runFault(run, errorArithmetic(charges), observe), charges);
    for (const [name, { data, shape }] of this.given) {
      if ((forwardOnly && name.startsWith('gradients.')) || !this.budget.estimates.has(name)) continue;
      const estimate = own.get(name);
      if (estimate?.shape.join() !== shape.join()) return false;
      const { value, bound, sigma } = estimate;
      const plain = deviations * this.budget.spread(name).inflation().largest;
      const isNear = data.every((given, i) => {
        if (Object.is(given, value[i])) return true;
        return Math.abs(given - value[i]) <= Math.min(bound[i], plain * sigma[i]);
      });
      if (!isNear) return false;
    }
    return true;
  }
}
