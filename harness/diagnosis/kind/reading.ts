import type { Tensor } from '../../../scratch/index';
import { largest, rootMeanSquare } from '../../base/magnitude';
import { budgetFor, precisionModelOf, type Budget } from '../../budget/index';
import { asEvaluation } from '../../equations/index';
import type { Side } from '../../judge/index';
import { expectedNames, tensorNames, tensorOf, type Evaluation, type Problem } from '../../base/problem';
import { firstAnswer, outcomeOf } from '../../faults/index';
import { Reading, type Answer } from '../reading';
import type { Suspect } from './suspect';

/** How much more than an honest run's budget the run of a faulty network may be off: it is another function, with other errors. */
const replaySlack = 4;
/** Earlier calls that a fault of memory is looked for in. */
const mostCalls = 5;

/** One answer of a side, to be explained by the catalogue. */
export class SideReading extends Reading {
  readonly budget: Budget;

  /**
   * @param problem as the side solved it: rounded to float32 where the side is float32
   * @param previous what the side was asked before, for faults of memory; default the same problem
   */
  constructor(
    readonly problem: Problem,
    readonly answer: Evaluation,
    readonly side: Side,
    private readonly previous: Problem = problem,
  ) {
    const budget = budgetFor(problem, precisionModelOf(side));
    const right = named(budget.evaluation, expectedNames(problem));
    super(named(answer), right, (name) => budget.allowed(name, true), budget.model.unit);
    this.budget = budget;
  }

  /** The right answer, in float64. */
  get right(): Evaluation {
    return this.budget.evaluation;
  }

  /**
   * Whether this fault gives every number of the answer, up to rounding, and accounts for what is wrong with it; a fault of memory after
   * the previous problem was asked once or several times.
   *
   * @param unlessBackward leaves the gradients out: after a wrong forward pass they may be made in two ways, by hand from the right
   * formulas, or by differentiating the wrong ones
   */
  isExplainedBy({ runs, calls }: Pick<Suspect, 'runs' | 'calls'>, unlessBackward = false): boolean {
    const names = [...this.given.keys()].filter((name) => !unlessBackward || !name.startsWith('gradients.'));
    const isNear = (answer: Evaluation, some: readonly string[]): boolean =>
      some.every((name) => this.isTensorNear(name, tensorOf(answer, name)));
    const isIt = (answer: Evaluation): boolean =>
      isNear(answer, names) && this.accountsFor(named(answer, names));
    if (calls !== true) {
      // most faults are ruled out by the forward pass alone
      const forward = names.filter((name) => !name.startsWith('gradients.'));
      const { problem } = this;
      return (
        isNear(firstAnswer({ runs }, problem, 'forward'), forward) && isIt(firstAnswer({ runs }, problem))
      );
    }
    let earlier: Answer | undefined;
    for (let call = 0; call < mostCalls; call++) {
      earlier = outcomeOf({ runs }, this.previous, earlier);
      if (isIt(asEvaluation(this.problem, outcomeOf({ runs }, this.problem, earlier)))) return true;
    }
    return false;
  }

  /** The same, or the answer is right and the fault changes nothing here: nothing that speaks against it. */
  agreesWith({ runs }: Pick<Suspect, 'runs'>, unlessBackward = false): boolean {
    if (this.isExplainedBy({ runs }, unlessBackward)) return true;
    return this.isHonest && this.isNear(firstAnswer({ runs }, this.problem), 1);
  }

  /** Whether the answer is within the budget of an honest run, the numbers of a tensor taken together. */
  get isHonest(): boolean {
    return this.isNear(this.right, 1);
  }

  private isNear(replayed: Evaluation, slack: number): boolean {
    return [...this.given.keys()].every((name) => this.isTensorNear(name, tensorOf(replayed, name), slack));
  }

  /** Whether that tensor of the answer is `replayed`, up to rounding. */
  isTensorNear(name: string, replayed: Tensor | undefined, slack = replaySlack): boolean {
    const given = this.given.get(name);
    if (given === undefined || replayed === undefined) return given === replayed;
    if (given.shape.join() !== replayed.shape.join()) return false;
    const right = tensorOf(this.right, name);
    const { each, rms } = this.allowedFor(name);
    const finite = replayed.data.filter(Number.isFinite);
    const size = rootMeanSquare(finite);
    const growth = right === undefined ? 1 : Math.max(1, size / Math.max(rootMeanSquare(right.data), 1e-300));
    // where the fault makes numbers larger, rounding errors grow alike
    const factor = slack * Math.min(growth, 1e9);
    const floor = slack * this.budget.model.unit * largest(finite);
    return replayed.data.every((x, i) => {
      const bound = factor * Math.max(i < each.length ? each[i] : 0, rms) + floor;
      return Object.is(given.data[i], x) || Math.abs(given.data[i] - x) <= bound;
    });
  }
}

function named(answer: Evaluation, names: readonly string[] = tensorNames): Answer {
  return new Map(
    names.flatMap((name) => {
      const tensor = tensorOf(answer, name);
      return tensor === undefined ? [] : [[name, tensor] as const];
    }),
  );
}
