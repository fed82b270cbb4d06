import { type ViewName, weightProbe } from '../examine/index';
import type { AnyProblem } from '../base/problem';
import { isFailing, judgeLocally, problemForLocalJudgement } from '../judge/index';
import { firstExamples, firstSteps, workOf } from '../problems/index';
import { Detectability, type Judging } from './detectability';
import { isAble, wrongAnswers, type NamedFault } from './faults';
import { namesOf, type Asked } from './weakness';

export interface LookOptions extends Judging {
  /** the ways in which the problems run on the sides; default: the results alone */
  readonly views?: readonly ViewName[];
}

/** Faults are replayed on nothing larger: multiplications of one forward pass. */
const mostWork = 100_000;

/** One problem of a run, and what it can show; all are set when they are first needed. */
export class Look {
  readonly work: number;
  /** it is malformed, or too large: what it can show is not known */ passedOver = false;
  private whole: Detectability | undefined;
  private part: Detectability | undefined;
  private probe: Detectability | undefined;

  constructor(
    readonly asked: Asked<AnyProblem>,
    private readonly options: LookOptions,
  ) {
    this.work = workOf(asked.problem);
  }

  /** Set on the problem, on the first part of it where it is large; absent where it is passed over. */
  get onProblem(): Detectability | undefined {
    return (this.whole ??= this.set(this.partOf(this.asked.problem)));
  }

  /** Whether the onProblem is set on a part only: what is hidden there need not be hidden in the whole. */
  get isCut(): boolean {
    return this.work > mostWork;
  }

  /** Whether the part of it that faults are replayed on is too large still: what it can show is not known. */
  get isTooLarge(): boolean {
    return workOf(this.partOf(this.asked.problem)) > mostWork;
  }

  private partOf(problem: AnyProblem): AnyProblem {
    return this.isCut ? firstSteps(firstExamples(problem, 2), mostWork) : problem;
  }

  /** Set on two examples: quicker. */
  get onTwoExamples(): Detectability | undefined {
    if (this.onProblem === undefined) return undefined;
    const { problem } = this.onProblem.asked;
    const part = firstExamples(problem, 2);
    return (this.part ??= part === problem ? this.onProblem : this.set(part));
  }

  private set(problem: AnyProblem): Detectability | undefined {
    if (workOf(problem) > mostWork) this.passedOver = true;
    return this.passedOver
      ? undefined
      : this.attempt(() => new Detectability({ ...this.asked, problem }, this.options));
  }

  /** Those of the faults that change its answer at all, by exact replay. */
  able(faults: readonly NamedFault[]): readonly NamedFault[] {
    const { precision } = this.options;
    const problem = this.onProblem?.asked.problem;
    if (problem === undefined) return [];
    return this.attempt(() => faults.filter((fault) => isAble(fault, problem, precision))) ?? [];
  }

  /** Those of the faults that its results do not show. */
  withoutShown(faults: readonly NamedFault[]): readonly NamedFault[] {
    const all = (): Detectability[] =>
      [...new Set([this.onTwoExamples, this.onProblem])].filter((onProblem) => onProblem !== undefined);
    const shown = this.attempt(() =>
      faults.filter((fault) => all().some((onProblem) => onProblem.isShown(fault))),
    );
    return shown === undefined ? faults : faults.filter((fault) => !shown.includes(fault));
  }

  /** Those that do not show either where the problem is put in its other ways: weight by weight, and equation by equation. */
  withoutSeen(faults: readonly NamedFault[]): readonly NamedFault[] {
    const { views = [] } = this.options;
    return faults.filter(
      (fault) =>
        !(views.includes('probe') && this.isShownByProbe(fault)) &&
        !(views.includes('steps') && this.able([fault]).length > 0 && this.isShownBySteps(fault)),
    );
  }

  private isShownByProbe(fault: NamedFault): boolean {
    const probe = this.attempt(() => weightProbe(this.asked.problem));
    if (probe === undefined || !isAble(fault, probe, this.options.precision)) return false;
    return this.onProbe?.isShown(fault) === true;
  }

  private isShownBySteps(fault: NamedFault): boolean {
    const problem = this.onTwoExamples?.asked.problem;
    if (problem === undefined) return false;
    const side = { name: 'any side', precision: this.options.precision };
    const wrong = wrongAnswers(fault, problemForLocalJudgement(problem));
    return wrong.length > 0 && wrong.every((answer) => judgeLocally(problem, answer, side).some(isFailing));
  }

  /** Set on the probe of single weights. */
  private get onProbe(): Detectability | undefined {
    const { precision } = this.options;
    const problem = weightProbe(this.asked.problem);
    if (problem === undefined) return undefined;
    return (this.probe ??= this.attempt(() => new Detectability({ problem }, { precision })));
  }

  /** The tensors that no fault shows in, by results or probe; of those only that are compared. */
  blindTensors(): string[] {
    const blind = this.onProblem?.blind() ?? [];
    if (blind.length === 0 || this.options.views?.includes('probe') !== true) return blind;
    const { onProbe } = this;
    if (onProbe === undefined) return blind;
    const blindToo = onProbe.blind();
    const probed = namesOf(onProbe.asked);
    return blind.filter((name) => !probed.includes(name) || blindToo.includes(name));
  }

  /** A malformed problem is the business of the run, which says what is wrong with it. */
  private attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch {
      this.passedOver = true;
      return undefined;
    }
  }
}
