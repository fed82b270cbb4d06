import type { Tensor } from '../../scratch/index';
import { largest, rootMeanSquare } from '../base/magnitude';
import { memoize } from '../base/memoize';
import { tensorOf, type AnyProblem, type Evaluation } from '../base/problem';
import { budgetForNetwork, precisionModelOf, type NetworkBudget } from '../budget/index';
import {
  asOutcome,
  chargesOf,
  equationsOf,
  errorArithmetic,
  estimates,
  rankOf,
  type Network,
  type NetworkProblem,
} from '../equations/index';
import {
  exactFault,
  runFault,
  type EquationFault,
  type ExactAnswer,
  type FaultyRun,
} from '../faults/equations/index';
import type { Side } from '../judge/index';

/** A number of a faulty network may be so many standard deviations off, as a number of a right network may. */
const deviations = 10;
/** Earlier calls that a fault of memory is looked for in. */
const mostCalls = 5;

/** Of what is wrong a fault must explain all but this share, in the worst number and in all failing numbers together. */
const mostRest = 1 / 4;
/** A distance counts as so many budgets at most, so that one number does not speak for all. */
const mostBudgets = 1e6;

/** Tensors by the names of `evaluateNetwork`. */
type Answer = ReadonlyMap<string, Tensor>;

/** A fault that may explain an answer. */
export interface Suspect extends Pick<
  EquationFault,
  'name' | 'words' | 'page' | 'phase' | 'layer' | 'gate' | 'timeStep' | 'atStep' | 'runs'
> {
  /** the first answer is right: it needs an earlier call */ readonly calls?: true;
}

/** A faulty network, and what it gives in float64. */
interface Replay extends ExactAnswer {
  readonly run: FaultyRun;
}

interface WrongNumber {
  readonly name: string;
  readonly at: number;
  readonly given: number;
  readonly right: number;
  readonly allowed: number;
}

/** One answer to one problem, compared with the right one: the numbers that rounding does not explain, and whether a fault accounts for them. */
export class Reading {
  readonly network: Network;
  readonly problem: NetworkProblem;
  readonly given: Answer;
  /** numbers that rounding does not explain, the worst first */ private readonly wrong: readonly WrongNumber[];
  private readonly misshapen: string[] = [];
  private readonly budget: NetworkBudget;
  private readonly known = new Map<string, { readonly each: Float64Array; readonly rms: number }>();

  /**
   * @param source as the side solved it: rounded to float32 where the side is float32
   * @param answer only what it holds is looked at
   * @param previous what the side was asked before, for faults of memory; default the same problem
   */
  constructor(
    source: AnyProblem,
    answer: Evaluation,
    side: Side,
    private readonly previous: AnyProblem = source,
  ) {
    const equations = equationsOf(source);
    this.network = equations.network;
    this.problem = equations.problem;
    this.given = asOutcome(equations, (name) => tensorOf(answer, name));
    this.budget = budgetForNetwork(this.network, this.problem, precisionModelOf(side));
    const wrong: WrongNumber[] = [];
    for (const [name, { value, shape }] of this.budget.estimates) {
      const own = this.given.get(name);
      if (own === undefined) continue;
      if (own.shape.join() !== shape.join()) {
        this.misshapen.push(name);
        continue;
      }
      const { each } = this.allowedFor(name);
      value.forEach((right, at) => {
        if (!(budgets(own.data[at], right, each[at]) <= 1))
          wrong.push({ name, at, given: own.data[at], right, allowed: each[at] });
      });
    }
    const share = ({ given: own, right, allowed: most }: WrongNumber): number => budgets(own, right, most);
    this.wrong = wrong.sort((one, other) => share(other) - share(one));
  }

  /** Whether rounding explains every number. */
  get isRight(): boolean {
    return this.wrong.length === 0 && this.misshapen.length === 0;
  }

  /**
   * Whether a fault gives this answer: every number lies within the faulty network's own budget, and the fault accounts for what is wrong.
   *
   * @param forwardOnly leaves the gradients out: after a wrong forward pass they may be those of the wrong formulas, or of the right ones
   */
  isExplainedBy(suspect: Suspect, forwardOnly = false): boolean {
    return this.replaysOf(suspect).some((replay) => {
      // most faults are ruled out by the forward pass alone
      if (!this.accountsForWorst(replay.forward)) return false;
      const made = forwardOnly ? replay.forward : replay.whole();
      return this.accountsFor(made) && this.isNear(replay.run, made, forwardOnly);
    });
  }

  /** The same, or the answer is right and rounding explains what the fault changes here: nothing that speaks against it. */
  agreesWith(suspect: Suspect, forwardOnly: boolean): boolean {
    if (!this.isRight) return this.isExplainedBy(suspect, forwardOnly);
    const replays = this.replaysOf(suspect);
    return replays.length === 0 || replays.some(({ whole }) => this.showsNothingOf(whole()));
  }

  /** Whether rounding explains what a fault changes. */
  private showsNothingOf(made: Answer): boolean {
    return [...this.budget.estimates].every(([name, { value }]) => {
      const { each } = this.allowedFor(name);
      const own = made.get(name)?.data;
      return own === undefined || value.every((right, at) => budgets(own[at], right, each[at]) <= 1);
    });
  }

  /** The networks of a fault; of a fault of memory after the previous problem was asked once or several times. */
  private replaysOf({ runs, calls }: Suspect): readonly Replay[] {
    if (calls !== true) return replaysOn(this.problem)(runs)(this.network);
    const { network, problem } = equationsOf(this.previous);
    let earlier: Answer | undefined;
    return Array.from({ length: mostCalls }, () => {
      const before = runs(network, problem, { earlier }).at(0);
      earlier = before && exactFault(before).whole();
      return runs(this.network, this.problem, { earlier }).slice(0, 1);
    }).flatMap((made) => made.map((run) => ({ run, ...exactFault(run) })));
  }

  /**
   * Whether every number is the fault's, up to rounding: that of the faulty network, or that of the right one, which grows with the numbers
   * that the fault makes larger.
   */
  private isNear(run: FaultyRun, made: Answer, forwardOnly: boolean): boolean {
    const { charges, observe } = chargesOf(run.problem, this.budget.model);
    const own = estimates(runFault(run, errorArithmetic(charges), observe), charges);
    for (const [name, { data, shape }] of this.given) {
      if ((forwardOnly && name.startsWith('gradients.')) || !this.budget.estimates.has(name)) continue;
      const replayed = made.get(name);
      const estimate = own.get(name);
      if (replayed?.shape.join() !== shape.join() || estimate === undefined) return false;
      const right = this.budget.estimates.get(name);
      const isAlike = right?.shape.join() === shape.join();
      const { each, rms } = this.allowedFor(name);
      const finite = replayed.data.filter(Number.isFinite);
      const [size, usual] = [finite, right?.value.filter(Number.isFinite) ?? []].map(rootMeanSquare);
      const growth = Math.min(Math.max(1, size / Math.max(usual, 1e-300)), 1e9);
      // numbers that the right network holds exactly are rounded where the fault computes them
      const floor = 4 * this.budget.model.unit * largest(finite);
      const plain = deviations * this.budget.spread(name).inflation().largest;
      const isEachNear = data.every((x, i) => {
        if (Object.is(x, replayed.data[i])) return true;
        const fault = Math.min(estimate.bound[i], plain * estimate.sigma[i]) || 0;
        return (
          Math.abs(x - replayed.data[i]) <= Math.max(fault, growth * (isAlike ? each[i] : 4 * rms)) + floor
        );
      });
      if (!isEachNear) return false;
    }
    return true;
  }

  /** The tensors with numbers that rounding does not explain. */
  get wrongTensors(): ReadonlySet<string> {
    return new Set(this.wrong.map(({ name }) => name));
  }

  /** The first of them in the order of the computation. */
  get firstWrongTensor(): string | undefined {
    const rank = (name: string): number => rankOf(this.network, name);
    return [...this.wrongTensors].sort((one, other) => rank(one) - rank(other)).at(0);
  }

  /** Whether the first of them has a single wrong number: a fitted factor, or a fitted summand, explains any single number. */
  get isWrongInOneNumber(): boolean {
    const first = this.firstWrongTensor;
    return this.wrong.filter(({ name }) => name === first).length === 1;
  }

  /** What each number of that tensor may be off, and the root of the mean of the squares; nothing where it is not expected. */
  private allowedFor(name: string): { readonly each: Float64Array; readonly rms: number } {
    const each =
      this.known.get(name)?.each ??
      (this.budget.estimates.has(name) ? this.budget.allowed(name, true) : new Float64Array(0));
    const made = this.known.get(name) ?? { each, rms: rootMeanSquare(each) };
    this.known.set(name, made);
    return made;
  }

  /** Whether in the worst of the wrong numbers that a fault gives its own effect is beyond the budget, and leaves a small part. */
  private accountsForWorst(made: Answer): boolean {
    const worst = this.wrong.find(({ name }) => made.has(name));
    if (worst === undefined) return true;
    const { replayed, off, rest } = this.read(worst, made);
    return budgets(replayed, worst.right, worst.allowed) > 1 && rest <= Math.max(mostRest * off, 1);
  }

  /**
   * Whether a fault is the reason for what is wrong: for the worst number, and for all failing numbers together. A fault that changes
   * nothing, or a fitted number that takes a little off the error, is near every answer that is nearly right.
   */
  private accountsFor(made: Answer): boolean {
    const isAlike = (name: string): boolean =>
      made.get(name)?.shape.join() === this.given.get(name)?.shape.join();
    if (this.misshapen.length > 0) return this.misshapen.every(isAlike);
    if (!this.accountsForWorst(made)) return false;
    let [offs, rests] = [0, 0];
    for (const one of this.wrong) {
      if (!made.has(one.name)) continue;
      const { off, rest } = this.read(one, made);
      offs += off * off;
      rests += rest * rest;
    }
    return offs > 0 && rests <= mostRest ** 2 * offs;
  }

  /** How far the answer is from the right number, and from that of the fault. */
  private read(
    { name, at, given, right, allowed }: WrongNumber,
    made: Answer,
  ): { replayed: number; off: number; rest: number } {
    const replayed = made.get(name)?.data[at] ?? NaN;
    const size = 8 * this.budget.model.unit * Math.abs(replayed);
    // numbers that the fault makes large are rounded accordingly
    const usual = Math.max(allowed, this.allowedFor(name).rms, Number.isFinite(size) ? size : 0);
    return { replayed, off: budgets(given, right, usual), rest: budgets(given, replayed, usual) };
  }
}

/** How many budgets two numbers are apart. */
function budgets(one: number, other: number, allowed: number): number {
  if (Object.is(one, other) || one === other) return 0;
  const share = Math.abs(one - other) / allowed;
  return Number.isNaN(share) ? mostBudgets : Math.min(share, mostBudgets);
}

/** What the networks of a fault answer, worked out once for a problem. */
const replaysOn = memoize((problem: NetworkProblem) =>
  memoize((runs: EquationFault['runs']) =>
    memoize((network: Network): readonly Replay[] =>
      runs(network, problem).map((run) => ({ run, ...exactFault(run) })),
    ),
  ),
);
