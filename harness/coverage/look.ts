import { examine, type ViewName, weightProbe } from '../examine/index';
import { scratchImplementation } from '../sides/reference/index';
import type { Problem, TensorName } from '../base/problem';
import { canShow, plant, type Fault } from '../faults/index';
import { firstExamples, firstSteps, workOf } from '../problems/index';
import { namesOf } from './sizes';
import { Detectability, type Judging } from './detectability';
import type { Asked } from './weakness';

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
    readonly asked: Asked,
    private readonly options: LookOptions,
  ) {
    this.work = workOf(asked.problem);
  }

  /** Set on the problem, on the first part of it where it is large; absent where it is passed over. */
  get onProblem(): Detectability | undefined {
    const { problem } = this.asked;
    return (this.whole ??= this.set(
      this.work <= mostWork ? problem : firstSteps(firstExamples(problem, 2), mostWork),
    ));
  }

  /** Whether the onProblem is set on a part only: what is hidden there need not be hidden in the whole. */
  get isCut(): boolean {
    return this.work > mostWork;
  }

  /** Set on two examples: quicker. */
  get onTwoExamples(): Detectability | undefined {
    if (this.onProblem === undefined) return undefined;
    const { problem } = this.onProblem.asked;
    const part = firstExamples(problem, 2);
    return (this.part ??= part === problem ? this.onProblem : this.set(part));
  }

  private set(problem: Problem): Detectability | undefined {
    if (workOf(problem) > mostWork) this.passedOver = true;
    return this.passedOver
      ? undefined
      : this.attempt(() => new Detectability({ ...this.asked, problem }, this.options));
  }

  /** Those of the faults that change its answer at all, by exact replay. */
  able(faults: readonly Fault[]): readonly Fault[] {
    const { precision } = this.options;
    const problem = this.onProblem?.asked.problem;
    if (problem === undefined) return [];
    return this.attempt(() => faults.filter((fault) => canShow(fault, problem, precision))) ?? [];
  }

  /** Those of the faults that its results do not show. */
  withoutShown(faults: readonly Fault[]): readonly Fault[] {
    const all = (): Detectability[] =>
      [...new Set([this.onTwoExamples, this.onProblem])].filter((onProblem) => onProblem !== undefined);
    const shown = this.attempt(() =>
      faults.filter((fault) => all().some((onProblem) => onProblem.isShown(fault))),
    );
    return shown === undefined ? faults : faults.filter((fault) => !shown.includes(fault));
  }

  /** Those that do not show either where the problem is put in its other ways: weight by weight, and equation by equation. */
  async withoutSeen(faults: readonly Fault[]): Promise<readonly Fault[]> {
    const { views = [] } = this.options;
    const left: Fault[] = [];
    for (const fault of faults) {
      const seen =
        (views.includes('probe') && this.isShownByProbe(fault)) ||
        (views.includes('steps') && this.able([fault]).length > 0 && (await this.isShownBySteps(fault)));
      if (!seen) left.push(fault);
    }
    return left;
  }

  private isShownByProbe(fault: Fault): boolean {
    const probe = this.attempt(() => weightProbe(this.asked.problem));
    return probe !== undefined && this.onProbe?.isShown(fault) === true;
  }

  private async isShownBySteps(fault: Fault): Promise<boolean> {
    if (this.onTwoExamples === undefined) return false;
    const side = { ...scratchImplementation(), name: 'any side', precision: this.options.precision };
    const { status } = await examine(plant(fault, side), this.onTwoExamples.asked.problem, {
      views: ['steps'],
    });
    return status === 'fail';
  }

  /** Set on the probe of single weights. */
  private get onProbe(): Detectability | undefined {
    const { precision } = this.options;
    return (this.probe ??= this.attempt(
      () => new Detectability({ problem: weightProbe(this.asked.problem) }, { precision }),
    ));
  }

  /** The tensors that no fault shows in, by results or probe; of those only that are compared. */
  blindTensors(): TensorName[] {
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
