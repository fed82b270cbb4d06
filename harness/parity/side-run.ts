import { asError, CandidateError, ProblemRefusedError } from '../base/side-errors';
import {
  caseIdOf,
  examine,
  plannedTensors,
  viewNames,
  viewsOf,
  type Examination,
  type ExamineOptions,
  type ViewName,
  questionFor,
  type Question,
} from '../examine/index';
import { diagnose, diagnosisOrder, onlyWhere, sketchOf, type Diagnosis } from '../diagnosis/index';
import { diagnoseUpdate } from '../diagnosis/update/index';
import type { OpenSide } from '../sides/index';
import {
  type CaseVerdict,
  compareTraining,
  isOfNumbers,
  namedTensors,
  plannedTraining,
  type TrainingComparison,
  trainingSteps,
  trainingStepsAsync,
  type TrainingCheck,
} from '../judge/index';
import { UsageError } from '../base/outcome';
import { omitsOf, sizesOf, type AnyProblem, type Evaluation } from '../base/problem';
import { silentProgress, type StartProgress } from '../base/progress';
import type { VectorCase } from '../problems/vectors/index';
import type { Cases } from './cases';
import { compareVectors, singlePrecisionNames } from './compare-vectors';
import { runnable, Tally } from './not-run';
import type { ParityOptions } from './options';
import type { HarnessError, PlannedCase, SideReport } from './report';
import type { ClassifierWeights } from '../../scratch/index';

/** What the sides' runs add to; `conclude` draws the conclusion. */
export interface Collected {
  readonly sides: SideReport[];
  readonly notes: string[];
  readonly plan: PlannedCase[];
  readonly cases: CaseVerdict[];
  readonly diagnoses: Diagnosis[];
  readonly warnings: string[];
  readonly errors: HarnessError[];
}

export function noFindings(): Collected {
  return { sides: [], notes: [], plan: [], cases: [], diagnoses: [], warnings: [], errors: [] };
}

interface SideRunOptions {
  readonly side: OpenSide;
  readonly options: Pick<ParityOptions, 'tolerance' | 'observer' | 'diagnoses'>;
  readonly findings: Collected;
  readonly start: StartProgress;
}

/** Failed problems of a side that are diagnosed by default; each costs a few more questions to the side and referee runs. */
const usualDiagnoses = 3;

/** Of so many problems one, the first among them, is asked again: a memory of earlier calls shows anywhere. */
export const repeatEvery = 20;

/** The first updates of each check are kept, to tell which mistake of an optimizer another one shows. */
const updatesKept = 3;

function isOfSameRule(one: TrainingComparison, other: TrainingComparison): boolean {
  const rules = [one, other].map(({ optimizer, clipNorm }) => JSON.stringify({ optimizer, clipNorm }));
  return rules[0] === rules[1];
}

/** Calls back after pending messages and signals were heard; a browser has no setImmediate. */
const nextTask: (callback: () => void) => unknown = 'setImmediate' in globalThis ? setImmediate : setTimeout;

/** Runs the cases on one side. */
export class SideRun {
  private readonly name: string;
  private readonly views: readonly ViewName[];
  /** what could not be seen */ private readonly unseen = new Tally();
  /** why problems were not run */ private readonly refused = new Tally();

  private readonly failed: Examination<AnyProblem>[] = [];
  private readonly passed: AnyProblem[] = [];
  /** of a vectors file, by the examination that failed against them */
  private readonly expected = new Map<Examination<AnyProblem>, Evaluation>();
  /** the first ones of every check */ private readonly updates: TrainingComparison[] = [];
  private failedUpdate:
    { readonly comparison: TrainingComparison; readonly verdict: CaseVerdict } | undefined;

  constructor(private readonly run: SideRunOptions) {
    this.name = run.side.implementation.name;
    const { absolute, relative } = run.options.tolerance ?? {};
    this.views = absolute !== undefined || relative !== undefined ? ['results'] : viewNames;
  }

  /** why it runs none of the problems that it was given; undefined where it ran one, or failed */
  get refusal(): string | undefined {
    const { cases, errors } = this.run.findings;
    const { reasons } = this.refused;
    if (reasons.length === 0 || cases.length > 0 || errors.length > 0) return undefined;
    return `it runs none of these problems: ${reasons.join('; ')}`;
  }

  async put(cases: Cases): Promise<void> {
    const { findings, options, side, start } = this.run;
    const problems = [...this.problemsOf(cases.problems), ...this.problemsOf(cases.layered)];
    const training = this.trainingOf(cases);
    const vectors = this.runnable(cases.vectors, ({ problem }) => problem);
    const progress = start(this.name, problems.length + vectors.length + training.length);
    try {
      for (const vector of vectors) {
        await this.guard(vector.id, () => this.vector(vector));
        progress.step(vector.id);
        await this.breathe();
      }
      for (const [i, problem] of problems.entries()) {
        await this.guard(problem.id, () => this.problem(problem, i % repeatEvery === 0));
        progress.step(problem.id);
        await this.breathe();
      }
      for (const check of training) {
        await this.training(check);
        progress.step(check.id);
        await this.breathe();
      }
      this.noteSinglePrecision();
      await this.diagnoseWorst();
      await options.observer?.sideDone(side.implementation);
    } catch (error) {
      if (!(error instanceof SideStopped)) throw error;
    } finally {
      progress.stop();
    }
    findings.notes.push(
      ...this.refused.notes(
        (problems, reason, are) => `${problems} ${are} not run on ${this.name}: ${reason}`,
      ),
      ...this.unseen.notes((problems, sentence) => `${this.name}, ${problems}: ${sentence}`),
    );
  }

  /**
   * Lets the process hear messages and signals, where a caller watches. In silence nothing comes in between: the time limit of a test
   * runner would otherwise be reported instead of the verdict.
   */
  private async breathe(): Promise<void> {
    if (this.run.start === silentProgress) return;
    await new Promise<void>((resolve) => {
      nextTask(resolve);
    });
  }

  private problemsOf<P extends AnyProblem>(given: readonly P[]): readonly P[] {
    if (this.name === 'scratch') return [];
    const problems = this.runnable(given, (problem) => problem);
    const chosen =
      this.run.side.masks === false ? problems.filter((problem) => problem.mask === undefined) : problems;
    const left = problems.length - chosen.length;
    if (left > 0) {
      this.run.findings.notes.push(
        `${left} masked ${left === 1 ? 'problem was' : 'problems were'} not run on ${this.name}: it does not declare masks: true`,
      );
    }
    return chosen;
  }

  private runnable<T>(items: readonly T[], problemOf: (item: T) => AnyProblem): readonly T[] {
    const { chosen, notes } = runnable(this.run.side.implementation, items, problemOf);
    this.run.findings.notes.push(...notes);
    return chosen;
  }

  private trainingOf({ training }: Cases): readonly TrainingCheck[] {
    const { createClassifier, update } = this.run.side;
    if (createClassifier !== undefined || update !== undefined || training.length === 0) return training;
    if (this.name !== 'scratch') {
      this.run.findings.notes.push(
        `${training.length} training checks were not run on ${this.name}: it has no optimizer`,
      );
    }
    return [];
  }

  private async problem(given: AnyProblem, again: boolean): Promise<void> {
    const views = viewsOf(given, again ? [...this.views, 'repeat'] : this.views);
    for (const view of views) this.plan(caseIdOf(given.id, view), plannedTensors(given, view), given);
    const { tolerance } = this.run.options;
    await this.examine(given, { views, tolerance });
  }

  /** The results are held to the file's numbers; what the file does not ask for is looked at by steps and probe. */
  private async vector(vector: VectorCase): Promise<void> {
    const { side, options } = this.run;
    const { implementation } = side;
    const tensors = [...namedTensors(vector.expected)].map(
      ([name, { data }]) => [name, data.length] as const,
    );
    // the scratch network would be its own reference in the probe
    const views = viewsOf(
      vector.problem,
      this.views.filter((view) => view !== 'probe' || this.name !== 'scratch'),
    );
    for (const view of views) {
      const planned = view === 'results' ? Object.fromEntries(tensors) : plannedTensors(vector.problem, view);
      this.plan(caseIdOf(vector.id, view), planned, { ...vector.problem, id: vector.id });
    }
    const exact = questionFor(vector.problem, 'float64');
    const examination = await this.examine(
      { ...vector.problem, id: vector.id },
      {
        views,
        compare: (solved, reference, given) =>
          compareVectors({
            vector,
            solved,
            exact: exact.reference,
            reference,
            given,
            side: implementation,
            omits: omitsOf(implementation, vector.problem),
            tolerance: options.tolerance,
          }),
      },
      questionFor(vector.problem, implementation.precision),
    );
    this.expected.set(examination, vector.expected);
  }

  private async examine<P extends AnyProblem>(
    given: P,
    options: ExamineOptions<P>,
    known?: Question<P>,
  ): Promise<Examination<P>> {
    const { side, findings } = this.run;
    const { implementation } = side;
    const { problem, reference } = known ?? questionFor(given, implementation.precision);
    const asked = problem.id === given.id ? problem : { ...problem, id: given.id };
    const examination = await examine(implementation, asked, { ...options, reference });
    findings.cases.push(...examination.verdicts);
    this.noteUnseen(examination);
    if (isOfNumbers(examination.verdicts)) this.failed.push(examination);
    else if (examination.status === 'pass') this.passed.push(problem);
    const { results } = examination;
    if (results === undefined) return examination;
    const { answer, verdict } = results;
    this.run.options.observer?.judged({
      implementation,
      problem: results.problem,
      reference,
      answer,
      verdict,
    });
    return examination;
  }

  /** Numbers of a side that declares float64 and fails, which only single precision gives. */
  private noteSinglePrecision(): void {
    const { implementation } = this.run.side;
    const [first, ...others] = this.failed.map(({ results }) =>
      results === undefined ? new Set<string>() : singlePrecisionNames(results.answer),
    );
    if (implementation.precision !== 'float64' || (first as unknown) === undefined) return;
    const single = [...first].filter((name) => others.every((names) => names.has(name)));
    if (single.length > 0)
      this.run.findings.notes.push(
        `${this.name}: every number of ${single.slice(0, 3).join(', ')}${single.length > 3 ? ` and ${single.length - 3} more tensors` : ''} is exact in float32; declare precision: 'float32' where it computes in single precision`,
      );
  }

  /** What is wrong with those failed problems that tell most (`diagnosisOrder`). */
  private async diagnoseWorst(): Promise<void> {
    const { findings, side, options } = this.run;
    const most = options.diagnoses ?? usualDiagnoses;
    // the first wrong update: later ones may only follow from it
    if (this.failedUpdate !== undefined) {
      const { comparison, verdict } = this.failedUpdate;
      const others = this.updates.filter((other) => other !== comparison && isOfSameRule(other, comparison));
      findings.diagnoses.push(await diagnoseUpdate(side.implementation, comparison, verdict, others));
    }
    const order = diagnosisOrder(this.failed);
    const where = onlyWhere(
      this.failed.map(({ problem }) => problem),
      this.passed,
    );
    for (const examination of order.slice(0, most)) {
      const { id } = examination.problem;
      try {
        const expected = this.expected.get(examination);
        const found = await diagnose(side.implementation, examination, { expected });
        findings.diagnoses.push({ ...found, ...(where !== undefined && { onlyWhere: where }) });
      } catch (error) {
        if (error instanceof CandidateError && error.fatal) throw new SideStopped();
        findings.notes.push(`${this.name}, ${id}: could not be diagnosed: ${String(error)}`);
      }
    }
    if (order.length > most)
      findings.notes.push(
        `${this.name}: ${most} of ${order.length} failed problems ${most === 1 ? 'was' : 'were'} diagnosed, ordinary ones first`,
      );
  }

  /** A side of our own that refuses a problem is broken; a candidate may be of fixed sizes, which is reported. */
  private noteUnseen({ unseen, refusals, problem }: Examination<AnyProblem>): void {
    const isOwn = this.run.side.candidate !== true;
    const isRefused = (error: Error): boolean => error instanceof ProblemRefusedError;
    if (isOwn)
      for (const { view, error } of refusals)
        if (!isRefused(error)) this.fail(caseIdOf(problem.id, view), error);
    const isTold = (sentence: string): boolean =>
      !isOwn || refusals.some(({ error }) => isRefused(error) && sentence.includes(error.message));
    for (const sentence of unseen.filter(isTold)) this.unseen.add(sentence);
  }

  private async training(check: TrainingCheck): Promise<void> {
    const { implementation, createClassifier, update } = this.run.side;
    const [first] = check.batches;
    const { features, units, classes = 1 } = sizesOf(first);
    const ids = check.batches.map((_, i) => (check.batches.length === 1 ? check.id : `${check.id}/${i + 1}`));
    const weights = first.weights as ClassifierWeights;
    const { optimizer, clipNorm } = check;
    for (const id of ids) this.plan(id, plannedTraining(weights, optimizer));
    await this.guard(check.id, async () => {
      const model =
        update === undefined ? createClassifier?.({ features, units, classes, weights }) : undefined;
      const steps =
        update === undefined ? model && trainingSteps(check, model) : trainingStepsAsync(check, update);
      try {
        let i = 0;
        for await (const step of steps ?? []) {
          const { reference } = questionFor(step.problem, implementation.precision);
          const { tolerance } = this.run.options;
          const caseId = ids[i++];
          const comparison = {
            ...{ caseId, optimizer, clipNorm, step, reference, tolerance },
            side: implementation,
          };
          const verdict = compareTraining(comparison);
          if (i <= updatesKept) this.updates.push(comparison);
          this.run.findings.cases.push(verdict);
          if (verdict.status === 'fail') this.failedUpdate ??= { comparison, verdict };
        }
      } finally {
        model?.dispose();
      }
    });
  }

  private plan(caseId: string, tensors: Readonly<Record<string, number>>, given?: AnyProblem): void {
    const problem = caseId === given?.id && sketchOf(given);
    this.run.findings.plan.push({ implementation: this.name, caseId, tensors, ...(problem && { problem }) });
  }

  /**
   * Notes what a side throws; usage errors end the run, and a dead or hanging candidate is not asked again. A problem that the side
   * refuses was not run on it: it is no longer planned.
   */
  private async guard(caseId: string, work: () => Promise<void> | void): Promise<void> {
    const { plan } = this.run.findings;
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
      if (error instanceof CandidateError && error.fatal) throw new SideStopped();
    }
  }

  private fail(caseId: string, error: Error): void {
    const { message, stack = '' } = error;
    const trace = error instanceof CandidateError ? error.trace : stack;
    this.run.findings.errors.push({ implementation: this.name, caseId, message, trace });
  }
}

/** A side answers no more. */
class SideStopped extends Error {
  override readonly name = 'SideStopped';
}
