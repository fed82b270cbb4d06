import type { Tensor } from '../../../scratch/index';
import { budgetFor, precisionModelOf, rootMeanSquare, type Budget } from '../../budget/index';
import type { Side } from '../../judge/index';
import { tensorNames, tensorOf, type Evaluation, type Problem, type TensorName } from '../../base/problem';
import { firstAnswer, type HandNetwork } from '../../faults/index';
import type { Suspect } from './suspect';

/** How much more than an honest run's budget the run of a faulty network may be off: it is another function, with other errors. */
const replaySlack = 4;
/** Earlier calls that a fault of memory is looked for in. */
const mostCalls = 5;
/** Of what is wrong a fault must explain all but this share, in the worst number and in all failing numbers together. */
const mostRest = 1 / 4;
/** A distance counts as so many budgets at most, so that one number does not speak for all. */
const mostBudgets = 1e6;

/** One answer of a side, to be explained by faults. */
export class Reading {
  readonly budget: Budget;
  /** the tensors that the answer holds, by name, in the order of the computation */
  readonly given: ReadonlyMap<TensorName, Tensor>;
  private readonly allowed = new Map<TensorName, { readonly each: Float64Array; readonly rms: number }>();

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
    this.budget = budgetFor(problem, precisionModelOf(side));
    this.given = new Map(
      tensorNames.flatMap((name) => {
        const tensor = tensorOf(answer, name);
        return tensor === undefined ? [] : [[name, tensor] as const];
      }),
    );
  }

  /** The right answer, in float64. */
  get right(): Evaluation {
    return this.budget.evaluation;
  }

  /**
   * Whether this fault gives every number of the answer, up to rounding, and accounts for what is wrong with it (`accountsFor`); a
   * fault of memory after the previous problem was asked once or several times.
   *
   * @param unlessBackward leaves the gradients out: after a wrong forward pass they may be made in two ways, by hand from the right
   * formulas, or by differentiating the wrong ones
   */
  isExplainedBy({ network, calls }: Pick<Suspect, 'network' | 'calls'>, unlessBackward = false): boolean {
    const names = [...this.given.keys()].filter((name) => !unlessBackward || !name.startsWith('gradients.'));
    const isIt = (answer: Evaluation): boolean =>
      names.every((name) => this.isTensorNear(name, tensorOf(answer, name))) &&
      this.accountsFor(answer, names);
    if (calls !== true) return isIt(firstAnswer({ network }, this.problem));
    let earlier: HandNetwork | undefined;
    for (let call = 0; call < mostCalls; call++) {
      earlier = new network(this.previous, earlier);
      earlier.evaluate();
      if (isIt(new network(this.problem, earlier).evaluate())) return true;
    }
    return false;
  }

  /** The same, or the answer is right and the fault changes nothing here: nothing that speaks against it. */
  agreesWith({ network }: Pick<Suspect, 'network'>, unlessBackward = false): boolean {
    if (this.isExplainedBy({ network }, unlessBackward)) return true;
    const replayed = firstAnswer({ network }, this.problem);
    return this.isRight && this.isNear(replayed, 1);
  }

  /** Whether the answer is within the budget of an honest run. */
  get isRight(): boolean {
    return this.isNear(this.right, 1);
  }

  /** Whether every tensor of the answer is that of `replayed`, up to rounding. */
  isNear(replayed: Evaluation, slack?: number): boolean {
    return [...this.given.keys()].every((name) => this.isTensorNear(name, tensorOf(replayed, name), slack));
  }

  /** Whether that tensor of the answer is `replayed`, up to rounding. */
  isTensorNear(name: TensorName, replayed: Tensor | undefined, slack = replaySlack): boolean {
    const given = this.given.get(name);
    if (given === undefined || replayed === undefined) return given === replayed;
    if (given.shape.join() !== replayed.shape.join()) return false;
    const right = tensorOf(this.right, name);
    const { each, rms } = this.allowedFor(name);
    const finite = replayed.data.filter(Number.isFinite);
    const size = rootMeanSquare(finite);
    const growth = right === undefined ? 1 : Math.max(1, size / Math.max(rootMeanSquare(right.data), 1e-300));
    const largest = finite.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    // where the fault makes numbers larger, rounding errors grow alike
    const factor = slack * Math.min(growth, 1e9);
    const floor = slack * this.budget.model.unit * largest;
    return replayed.data.every((x, i) => {
      const bound = factor * Math.max(i < each.length ? each[i] : 0, rms) + floor;
      return Object.is(given.data[i], x) || Math.abs(given.data[i] - x) <= bound;
    });
  }

  /** The tensors that are not the right ones. */
  wrongTensors(): TensorName[] {
    return [...this.given.keys()].filter((name) => !this.isTensorNear(name, tensorOf(this.right, name)));
  }

  /** How far a number of that tensor may be from the right one. */
  allowedFor(name: TensorName): { readonly each: Float64Array; readonly rms: number } {
    const known = this.allowed.get(name);
    if (known !== undefined) return known;
    const each =
      tensorOf(this.right, name) === undefined ? new Float64Array(0) : this.budget.allowed(name, true);
    const made = { each, rms: rootMeanSquare(each) };
    this.allowed.set(name, made);
    return made;
  }

  /**
   * Whether the replay of a fault is the reason for what is wrong: in the worst of the failing numbers its own effect is beyond the
   * budget, and what it leaves is a small part; so it is over all failing numbers together. A fault that changes nothing, or a fitted
   * number that takes a little off the error, is near every answer that is nearly right.
   */
  private accountsFor(replayed: Evaluation, names: readonly TensorName[]): boolean {
    let worst = { share: 0, isBeyond: false, isLittle: false };
    let [offs, rests] = [0, 0];
    for (const name of names) {
      const [given, right, made] = [
        this.given.get(name),
        tensorOf(this.right, name),
        tensorOf(replayed, name),
      ];
      if (given === undefined || right === undefined || made === undefined) continue;
      if (given.shape.join() !== right.shape.join()) return made.shape.join() === given.shape.join();
      const { each, rms } = this.allowedFor(name);
      right.data.forEach((x, i) => {
        const share = budgets(given.data[i], x, each[i]);
        if (share <= 1) return;
        const floor = replaySlack * this.budget.model.unit * Math.abs(made.data[i]);
        const usual = Math.max(each[i], rms, Number.isFinite(floor) ? floor : 0);
        const [off, rest] = [x, made.data[i]].map((number) => budgets(given.data[i], number, usual));
        offs += off * off;
        rests += rest * rest;
        if (share > worst.share)
          worst = {
            share,
            isBeyond: budgets(made.data[i], x, each[i]) > 1,
            isLittle: rest <= mostRest * off,
          };
      });
    }
    return worst.isBeyond && worst.isLittle && rests <= mostRest ** 2 * offs;
  }
}

/** How many budgets two numbers are apart. */
function budgets(one: number, other: number, allowed: number): number {
  if (Object.is(one, other) || one === other) return 0;
  const share = Math.abs(one - other) / allowed;
  return Number.isNaN(share) ? mostBudgets : Math.min(share, mostBudgets);
}
