import { asError, CandidateError, isFatal, ProblemRefusedError } from '../base/side-errors';
import {
  caseIdOf,
  examine,
  viewNames,
  viewsOf,
  type Examination,
  type ExamineOptions,
  type ViewName,
  questionFor,
  type Question,
} from '../examine/index';
import type { OpenSide } from '../sides/index';
import {
  compareTraining,
  namedTensors,
  trainingSteps,
  trainingStepsAsync,
  type TrainingCheck,
} from '../judge/index';
import { UsageError } from '../base/outcome';
import { omitsOf, sizesOf, type AnyProblem } from '../base/problem';
import { silentProgress } from '../base/progress';
import type { VectorCase } from '../problems/vectors/index';
import type { Cases } from './cases';
import type { Collected } from './collected';
import { compareVectors } from './compare-vectors';
import { casesFor, Tally } from './not-run';
import type { ParityOptions } from './options';
import { plannedUpdates, plannedViews, viewsAt } from './planned';
import { SideFailures } from './side-failures';
import type { ClassifierWeights } from '../../scratch/index';

/** How cases are run on a side. */
export type SideOptions = Pick<ParityOptions, 'tolerance' | 'observer' | 'progress' | 'diagnoses'>;

/** Calls back after pending messages and signals were heard; a browser has no setImmediate. */
const nextTask: (callback: () => void) => unknown = 'setImmediate' in globalThis ? setImmediate : setTimeout;

/** Runs the cases on one side. */
export class SideRun {
  private readonly name: string;
  private readonly views: readonly ViewName[];
  /** what could not be seen */ private readonly unseen = new Tally();
  /** why problems were not run */ private readonly refused = new Tally();
  private readonly failures: SideFailures;

  constructor(
    private readonly side: OpenSide,
    private readonly options: SideOptions,
    private readonly findings: Collected,
  ) {
    const { implementation } = side;
    this.name = implementation.name;
    const { absolute, relative } = options.tolerance ?? {};
    this.views = absolute !== undefined || relative !== undefined ? ['results'] : viewNames;
    this.failures = new SideFailures(implementation, findings);
  }

  /** why it runs none of the problems that it was given; undefined where it ran one, or failed */
  get refusal(): string | undefined {
    const { cases, errors } = this.findings;
    const { reasons } = this.refused;
    if (reasons.length === 0 || cases.length > 0 || errors.length > 0) return undefined;
    return `it runs none of these problems: ${reasons.join('; ')}`;
  }

  async put(cases: Cases): Promise<void> {
    const { findings, options, side } = this;
    const { problems, vectors, training, notes } = casesFor(side, cases);
    findings.notes.push(...notes);
    const progress = (options.progress ?? silentProgress)(
      this.name,
      problems.length + vectors.length + training.length,
    );
    const each = async <T extends { readonly id: string }>(
      items: readonly T[],
      work: (item: T, i: number) => Promise<void>,
    ): Promise<void> => {
      for (const [i, item] of items.entries()) {
        await this.guard(item.id, () => work(item, i));
        progress.step(item.id);
        await this.breathe();
      }
    };
    try {
      await each(vectors, (vector) => this.vector(vector));
      await each(problems, (problem, i) => this.problem(problem, i));
      await each(training, (check) => this.training(check));
      await this.failures.diagnose(options.diagnoses);
      await options.observer?.sideDone(side.implementation);
    } catch (error) {
      if (!isFatal(error)) throw error;
    } finally {
      progress.stop();
    }
    findings.notes.push(
      ...this.refused.notes((given, reason, are) => `${given} ${are} not run on ${this.name}: ${reason}`),
      ...this.unseen.notes((given, sentence) => `${this.name}, ${given}: ${sentence}`),
    );
  }

  /**
   * Lets the process hear messages and signals, where a caller watches. In silence nothing comes in between: the time limit of a test
   * runner would otherwise be reported instead of the verdict.
   */
  private async breathe(): Promise<void> {
    if ((this.options.progress ?? silentProgress) === silentProgress) return;
    await new Promise<void>((resolve) => {
      nextTask(resolve);
    });
  }

  private async problem(given: AnyProblem, i: number): Promise<void> {
    const views = viewsAt(i, given, this.views);
    const { findings, options } = this;
    findings.plan.push(...plannedViews(this.name, given, views));
    this.failures.add(await this.examine(given, { views, tolerance: options.tolerance }));
  }

  /** The results are held to the file's numbers; what the file does not ask for is looked at by steps and probe. */
  private async vector(vector: VectorCase): Promise<void> {
    const { side, options, findings } = this;
    const { implementation } = side;
    const given = { ...vector.problem, id: vector.id };
    // the scratch network would be its own reference in the probe
    const views = viewsOf(
      given,
      this.views.filter((view) => view !== 'probe' || this.name !== 'scratch'),
    );
    const sizes = [...namedTensors(vector.expected)].map(([name, { data }]) => [name, data.length] as const);
    findings.plan.push(...plannedViews(this.name, given, views, Object.fromEntries(sizes)));
    const exact = questionFor(vector.problem, 'float64');
    const examination = await this.examine(
      given,
      {
        views,
        compare: (solved, reference, answer) =>
          compareVectors({
            vector,
            solved,
            exact: exact.reference,
            reference,
            given: answer,
            side: implementation,
            omits: omitsOf(implementation, vector.problem),
            tolerance: options.tolerance,
          }),
      },
      questionFor(vector.problem, implementation.precision),
    );
    this.failures.add(examination, vector.expected);
  }

  private async examine<P extends AnyProblem>(
    given: P,
    options: ExamineOptions<P>,
    known?: Question<P>,
  ): Promise<Examination<P>> {
    const { side, findings } = this;
    const { implementation } = side;
    const { problem, reference } = known ?? questionFor(given, implementation.precision);
    const asked = problem.id === given.id ? problem : { ...problem, id: given.id };
    const examination = await examine(implementation, asked, { ...options, reference });
    findings.cases.push(...examination.verdicts);
    this.noteUnseen(examination);
    const { results } = examination;
    if (results !== undefined) this.options.observer?.judged({ implementation, reference, ...results });
    return examination;
  }

  /** A side of our own that refuses a problem is broken; a candidate may be of fixed sizes, which is reported. */
  private noteUnseen({ unseen, refusals, problem }: Examination<AnyProblem>): void {
    const isOwn = this.side.candidate !== true;
    const isRefused = (error: Error): boolean => error instanceof ProblemRefusedError;
    if (isOwn)
      for (const { view, error } of refusals)
        if (!isRefused(error)) this.fail(caseIdOf(problem.id, view), error);
    const isTold = (sentence: string): boolean =>
      !isOwn || refusals.some(({ error }) => isRefused(error) && sentence.includes(error.message));
    for (const sentence of unseen.filter(isTold)) this.unseen.add(sentence);
  }

  private async training(check: TrainingCheck): Promise<void> {
    const { side, findings, options } = this;
    const { implementation } = side;
    const { optimizer, clipNorm } = check;
    const plan = plannedUpdates(this.name, check);
    findings.plan.push(...plan);
    let i = 0;
    for await (const step of stepsOf(check, side)) {
      const { reference } = questionFor(step.problem, implementation.precision);
      const { caseId } = plan[i];
      const { tolerance } = options;
      const comparison = { caseId, optimizer, clipNorm, step, reference, tolerance, side: implementation };
      const verdict = compareTraining(comparison);
      findings.cases.push(verdict);
      this.failures.addUpdate(i++, comparison, verdict);
    }
  }

  /**
   * Notes what a side throws; usage errors end the run, and a dead or hanging candidate is not asked again. A problem that the side
   * refuses was not run on it: it is no longer planned.
   */
  private async guard(caseId: string, work: () => Promise<void>): Promise<void> {
    const { plan } = this.findings;
    const planned = plan.length;
    try {
      await work();
    } catch (error) {
      if (error instanceof UsageError) throw error;
      if (error instanceof ProblemRefusedError) {
        plan.length = planned;
        this.refused.add(error.message);
        return;
      }
      this.fail(caseId, asError(error));
      if (isFatal(error)) throw error;
    }
  }

  private fail(caseId: string, error: Error): void {
    const { message, stack = '' } = error;
    const trace = error instanceof CandidateError ? error.trace : stack;
    this.findings.errors.push({ implementation: this.name, caseId, message, trace });
  }
}

/** The updates of a check as the side takes them. */
async function* stepsOf(check: TrainingCheck, { createClassifier, update }: OpenSide) {
  if (update !== undefined) {
    yield* trainingStepsAsync(check, update);
    return;
  }
  const [first] = check.batches;
  const { features, units, classes = 1 } = sizesOf(first);
  const model = createClassifier?.({ features, units, classes, weights: first.weights as ClassifierWeights });
  if (model === undefined) return;
  try {
    yield* trainingSteps(check, model);
  } finally {
    model.dispose();
  }
}
