import {
  compareTensor,
  expectedTensors,
  isFailing,
  judgeTensor,
  tolerancesFor,
  type ExpectedTensor,
  type FixedTolerance,
  type Tolerances,
} from '../judge/index';
import { roundProblem, tensorOf, type AnyProblem, type Evaluation, type Precision } from '../base/problem';
import { rightAnswer } from '../faults/index';
import { wrongAnswers, type NamedFault } from './faults';
import { namesOf, type Asked } from './weakness';

/** How a run judges. */
export interface Judging {
  /** the coarsest of the run's sides */ readonly precision: Precision;
  /** replaces the derived tolerances */ readonly tolerance?: FixedTolerance | undefined;
}

/** One question with all that is needed to say whether a fault would be seen in its results. */
export class Detectability {
  readonly right: Evaluation;
  private readonly tolerances: Tolerances;
  private readonly expected: ReadonlyMap<string, ExpectedTensor>;
  private readonly names: readonly string[];

  /** @throws what the network or the judge throws on a malformed problem */
  constructor(
    readonly asked: Asked<AnyProblem>,
    { precision, tolerance }: Judging,
  ) {
    const problem = precision === 'float32' ? roundProblem(asked.problem) : asked.problem;
    this.asked = { ...asked, problem };
    this.right = rightAnswer(problem);
    this.tolerances = tolerancesFor(problem, this.right, { name: 'any side', precision }, tolerance);
    this.expected = expectedTensors(problem, this.right, this.tolerances);
    this.names = namesOf(asked).filter((name) => this.expected.has(name));
  }

  /**
   * The tensors in which a side that rounds nothing, but has that fault, would be found wrong; none where it would not be found in one of the
   * ways to run the fault.
   */
  shows(fault: NamedFault): string[] {
    const ways = wrongAnswers(fault, this.asked.problem);
    const shown = ways.map((wrong) => this.names.filter((name) => this.differs(name, wrong)));
    return shown.every((names) => names.length > 0) ? [...new Set(shown.flat())] : [];
  }

  isShown(fault: NamedFault): boolean {
    const ways = wrongAnswers(fault, this.asked.problem);
    return ways.length > 0 && ways.every((wrong) => this.names.some((name) => this.differs(name, wrong)));
  }

  /** The tensors in which rounding alone may be as large as the signal, or that are zero: no fault shows in them. */
  blind(): string[] {
    return this.names.filter((name) => {
      const { status } = this.judge(name, this.right);
      return status === 'zero' || status === 'ill';
    });
  }

  private differs(name: string, answer: Evaluation): boolean {
    const [given, right] = [tensorOf(answer, name), tensorOf(this.right, name)];
    if (given === undefined || right === undefined || given.shape.join() !== right.shape.join()) return true;
    if (given.data.every((x, i) => x === right.data[i])) return false;
    const own = this.asked.tolerance?.get(name) ?? 0;
    const isBeyond = (allowed: ArrayLike<number>): boolean =>
      given.data.some((x, i) => Math.abs(x - right.data[i]) > own + allowed[i]);
    const { budget } = this.tolerances;
    const bound = budget?.spread(name).bound;
    // no budget is above the rigorous bound: the emulated runs are only worth their time below it
    if (bound !== undefined && isBeyond(bound)) return true;
    const isRed = isFailing(this.judge(name, answer));
    return isRed && (own === 0 || (budget !== undefined && isBeyond(budget.allowed(name, true))));
  }

  private judge(name: string, answer: Evaluation): ReturnType<typeof judgeTensor> {
    const [expected, given] = [this.expected.get(name), tensorOf(answer, name)];
    if (expected === undefined || given === undefined) throw new Error(`there is no ${name} to judge`);
    const { budget } = this.tolerances;
    const { id } = this.asked.problem;
    return budget === undefined
      ? compareTensor('any side', id, name, expected, given)
      : judgeTensor('any side', id, name, expected, given, budget);
  }
}
