import type { Tensor } from '../../../scratch/index';
import { budgetForNetwork, type NetworkBudget, type PrecisionModel } from '../../budget/index';
import {
  chargesOf,
  errorArithmetic,
  estimates,
  type Network,
  type NetworkProblem,
} from '../../equations/index';
import { exactFault, runFault, type FaultyRun } from '../../faults/equations/index';

/** Standard deviations that a number of a faulty network may be off, as those of a right one. */
const deviations = 10;
/** Of what is wrong a fault must explain all but this share, in the worst number and in all failing numbers together. */
const mostRest = 1 / 4;
/** A distance counts as so many budgets at most, so that one number does not speak for all. */
const mostBudgets = 1e6;

export type Answer = ReadonlyMap<string, Tensor>;

interface WrongNumber {
  readonly name: string;
  readonly at: number;
  readonly given: number;
  readonly right: number;
  readonly allowed: number;
}

/** One answer to one problem, to be explained by faulty networks. */
export class LayersReading {
  readonly budget: NetworkBudget;
  /** numbers that rounding does not explain, the worst first */
  private readonly wrong: readonly WrongNumber[];

  /** @param answer by the names of `evaluateNetwork`; only what it holds is looked at */
  constructor(
    readonly network: Network,
    readonly problem: NetworkProblem,
    readonly answer: Answer,
    readonly model: PrecisionModel,
  ) {
    this.budget = budgetForNetwork(network, problem, model);
    const wrong: WrongNumber[] = [];
    for (const [name, { value }] of this.budget.estimates) {
      const given = answer.get(name)?.data;
      if (given?.length !== value.length) continue;
      const allowed = this.budget.allowed(name, true);
      value.forEach((right, at) => {
        if (!(Math.abs(given[at] - right) <= allowed[at]))
          wrong.push({ name, at, given: given[at], right, allowed: allowed[at] });
      });
    }
    const share = ({ given, right, allowed }: WrongNumber): number => budgets(given, right, allowed);
    this.wrong = wrong.sort((one, other) => share(other) - share(one));
  }

  get isRight(): boolean {
    return this.wrong.length === 0;
  }

  /** The tensors with numbers that rounding does not explain. */
  get wrongTensors(): ReadonlySet<string> {
    return new Set(this.wrong.map(({ name }) => name));
  }

  /**
   * Whether a faulty network gives this answer: every number lies within the faulty network's own budget, the fault's own effect on the
   * worst number is beyond the budget of a right answer, and little is left of what is wrong.
   *
   * @param forwardOnly leaves the gradients out: after a wrong forward pass they may be those of the wrong formulas, or of the right ones
   */
  isExplainedBy(run: FaultyRun, forwardOnly = false): boolean {
    const made = exactFault(run);
    // most faults are ruled out by the forward pass alone
    if (!this.accountsForWorst(made.forward)) return false;
    const isSeen = (name: string): boolean => !forwardOnly || !name.startsWith('gradients.');
    const answer = forwardOnly ? made.forward : made.whole();
    return (
      this.accountsForWorst(answer) && this.accountsForAll(answer) && this.isWithinOwnBudget(run, isSeen)
    );
  }

  /** In the worst of the wrong numbers that it answers the fault's own effect is beyond the budget, and leaves a small part. */
  private accountsForWorst(made: Answer): boolean {
    const worst = this.wrong.find(({ name }) => made.has(name));
    if (worst === undefined) return true;
    const { replayed, off, rest } = this.read(worst, made);
    return budgets(replayed, worst.right, worst.allowed) > 1 && rest <= Math.max(mostRest * off, 1);
  }

  private accountsForAll(made: Answer): boolean {
    let [offs, rests] = [0, 0];
    for (const one of this.wrong) {
      if (!made.has(one.name)) continue;
      const { off, rest } = this.read(one, made);
      offs += off * off;
      rests += rest * rest;
    }
    return offs > 0 && rests <= mostRest ** 2 * offs;
  }

  /** How far the answer is from the right number, and from that of the faulty network. */
  private read(
    { name, at, given, right, allowed }: WrongNumber,
    made: Answer,
  ): { replayed: number; off: number; rest: number } {
    const replayed = made.get(name)?.data[at] ?? NaN;
    // numbers that the fault makes large are rounded accordingly
    const usual = Math.max(allowed, 8 * this.model.unit * Math.abs(replayed));
    return { replayed, off: budgets(given, right, usual), rest: budgets(given, replayed, usual) };
  }

  private isWithinOwnBudget(run: FaultyRun, isSeen: (name: string) => boolean): boolean {
    const { model } = this;
    const { charges, observe } = chargesOf(run.problem, model);
    const own = estimates(runFault(run, errorArithmetic(charges), observe), charges);
    for (const [name, { data, shape }] of this.answer) {
      if (!isSeen(name) || !this.budget.estimates.has(name)) continue;
      const estimate = own.get(name);
      if (estimate?.shape.join() !== shape.join()) return false;
      const { value, bound, sigma } = estimate;
      const plain = deviations * this.inflationOf(name);
      const isNear = data.every((given, i) => {
        if (Object.is(given, value[i])) return true;
        return Math.abs(given - value[i]) <= Math.min(bound[i], plain * sigma[i]);
      });
      if (!isNear) return false;
    }
    return true;
  }

  private inflationOf(name: string): number {
    return this.budget.spread(name).inflation().largest;
  }
}

/** How many budgets two numbers are apart. */
function budgets(one: number, other: number, allowed: number): number {
  if (Object.is(one, other) || one === other) return 0;
  const share = Math.abs(one - other) / allowed;
  return Number.isNaN(share) ? mostBudgets : Math.min(share, mostBudgets);
}
