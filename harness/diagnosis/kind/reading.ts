import type { Tensor } from '../../../scratch/index';
import { budgetFor, precisionModelOf, type Budget } from '../../budget/index';
import type { Side } from '../../judge/index';
import { tensorNames, tensorOf, type Evaluation, type Problem, type TensorName } from '../../base/problem';
import type { HandNetwork, NetworkClass } from '../../faults/index';

/** How much more than an honest run's budget the run of a faulty network may be off: it is another function, with other errors. */
const replaySlack = 4;
/** Earlier calls that a fault of memory is looked for in. */
const mostCalls = 5;

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
    return this.budget.trace.evaluation;
  }

  /**
   * Whether this network, asked the same, gives every number of the answer, up to rounding; with `calls` when the previous problem
   * was put to it before, once or several times.
   */
  isExplainedBy(network: NetworkClass, calls = false): boolean {
    if (!calls) return this.isNear(new network(this.problem).evaluate());
    let earlier: HandNetwork | undefined;
    for (let call = 0; call < mostCalls; call++) {
      earlier = new network(this.previous, earlier);
      earlier.evaluate();
      if (this.isNear(new network(this.problem, earlier).evaluate())) return true;
    }
    return false;
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
    const size = rootMeanSquare(replayed.data);
    const growth = right === undefined ? 1 : Math.max(1, size / Math.max(rootMeanSquare(right.data), 1e-300));
    const largest = replayed.data.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    // where the fault makes numbers larger, rounding errors grow alike
    const factor = slack * Math.min(growth, 1e9);
    const floor = slack * this.budget.model.unit * largest;
    return replayed.data.every((x, i) => {
      const bound = factor * Math.max(i < each.length ? each[i] : 0, rms) + floor;
      return Math.abs(given.data[i] - x) <= bound;
    });
  }

  /** The tensors that are not the right ones. */
  wrongTensors(): TensorName[] {
    return [...this.given.keys()].filter((name) => !this.isTensorNear(name, tensorOf(this.right, name)));
  }

  private allowedFor(name: TensorName): { readonly each: Float64Array; readonly rms: number } {
    const known = this.allowed.get(name);
    if (known !== undefined) return known;
    const each =
      tensorOf(this.right, name) === undefined ? new Float64Array(0) : this.budget.allowed(name, true);
    const made = { each, rms: rootMeanSquare(each) };
    this.allowed.set(name, made);
    return made;
  }
}

function rootMeanSquare(data: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i] ** 2;
  return Math.sqrt(sum / Math.max(data.length, 1));
}
