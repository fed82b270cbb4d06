import type { Tensor } from '../../scratch/index';
import { rootMeanSquare } from '../base/magnitude';

/** Of what is wrong a fault must explain all but this share, in the worst number and in all failing numbers together. */
const mostRest = 1 / 4;
/** A distance counts as so many budgets at most, so that one number does not speak for all. */
const mostBudgets = 1e6;

/** Tensors by name. */
export type Answer = ReadonlyMap<string, Tensor>;

interface WrongNumber {
  readonly name: string;
  readonly at: number;
  readonly given: number;
  readonly right: number;
  readonly allowed: number;
}

/** An answer compared with the right one: the numbers that rounding does not explain, and whether a fault accounts for them. */
export class Reading {
  /** numbers that rounding does not explain, the worst first */ private readonly wrong: readonly WrongNumber[];
  private readonly misshapen: string[] = [];
  private readonly known = new Map<string, { readonly each: Float64Array; readonly rms: number }>();

  /**
   * @param given the answer: only what it holds is looked at
   * @param allowed what each number of a tensor of the right answer may be off
   * @param unit half a unit in the last place of the side
   */
  constructor(
    readonly given: Answer,
    private readonly expected: Answer,
    private readonly allowed: (name: string) => Float64Array,
    private readonly unit: number,
  ) {
    const wrong: WrongNumber[] = [];
    for (const [name, { data: rights, shape }] of expected) {
      const own = given.get(name);
      if (own === undefined) continue;
      if (own.shape.join() !== shape.join()) {
        this.misshapen.push(name);
        continue;
      }
      const { each } = this.allowedFor(name);
      rights.forEach((right, at) => {
        if (!(budgets(own.data[at], right, each[at]) <= 1))
          wrong.push({ name, at, given: own.data[at], right, allowed: each[at] });
      });
    }
    const share = ({ given: own, right, allowed: most }: WrongNumber): number => budgets(own, right, most);
    this.wrong = wrong.sort((one, other) => share(other) - share(one));
  }

  /** Whether rounding explains every number. */
  get isRight(): boolean {
    return this.wrong.length === 0;
  }

  /** Whether rounding explains what a fault changes. */
  protected showsNothingOf(made: Answer): boolean {
    return [...this.expected].every(([name, { data }]) => {
      const { each } = this.allowedFor(name);
      const own = made.get(name)?.data;
      return own === undefined || data.every((right, at) => budgets(own[at], right, each[at]) <= 1);
    });
  }

  /** The tensors with numbers that rounding does not explain. */
  get wrongTensors(): ReadonlySet<string> {
    return new Set(this.wrong.map(({ name }) => name));
  }

  /** What each number of that tensor may be off, and the root of the mean of the squares; nothing where it is not expected. */
  protected allowedFor(name: string): { readonly each: Float64Array; readonly rms: number } {
    const each =
      this.known.get(name)?.each ?? (this.expected.has(name) ? this.allowed(name) : new Float64Array(0));
    const made = this.known.get(name) ?? { each, rms: rootMeanSquare(each) };
    this.known.set(name, made);
    return made;
  }

  /** Whether in the worst of the wrong numbers that a fault gives its own effect is beyond the budget, and leaves a small part. */
  protected accountsForWorst(made: Answer): boolean {
    const worst = this.wrong.find(({ name }) => made.has(name));
    if (worst === undefined) return true;
    const { replayed, off, rest } = this.read(worst, made);
    return budgets(replayed, worst.right, worst.allowed) > 1 && rest <= Math.max(mostRest * off, 1);
  }

  /**
   * Whether a fault is the reason for what is wrong: for the worst number, and for all failing numbers together. A fault that changes
   * nothing, or a fitted number that takes a little off the error, is near every answer that is nearly right.
   */
  protected accountsFor(made: Answer): boolean {
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
    const size = 8 * this.unit * Math.abs(replayed);
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
