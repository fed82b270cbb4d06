import {
  CandidateError,
  candidateImplementation,
  loadCandidate,
  type Candidate,
  type CandidateImplementation,
} from '../candidate/index';
import {
  scratchImplementation,
  sideNames,
  sideSource,
  SideUnavailableError,
  type OpenSide,
  type SideName,
  type SideSource,
} from '../implementations/index';
import {
  compareEvaluation,
  judgeLocally,
  problemForLocalJudgement,
  settleLocally,
  type CaseVerdict,
  type FixedTolerance,
} from '../judge/index';
import { ask, withMalformed, type Diagnosis } from '../diagnosis/index';
import { UsageError } from '../outcome';
import { silentProgress, type StartProgress } from '../progress';
import {
  expectedNames,
  expectedShape,
  sizesOf,
  tensorNames,
  tensorOf,
  type Implementation,
  type Problem,
} from '../problem';
import type { ClassifierWeights } from '../../scratch/index';
import { loadVectors, type VectorCase } from '../vectors/index';
import { compareTraining, plannedTraining } from './compare-training';
import { compareVectors } from './compare-vectors';
import { conclude } from './conclude';
import type { Observer } from './observe';
import { ReferenceAnswers } from './reference';
import type { HarnessError, ParityReport, PlannedCase, SideReport } from './report';
import { isSelected } from './select';
import { defaultGenerated, notebookVectors, suiteProblems } from './suite/index';
import { trainingChecks, trainingSteps, type TrainingCheck } from './training';

export interface ParityOptions {
  /**
   * backends to run the twin on, each of which must run; default: all this machine has, and none beside a candidate (which
   * stands in place of the twin) unless there are vectors
   */
  readonly backends?: readonly SideName[] | undefined;
  /** NATIVE_REQUIRED=1: tensorflow, and graph which runs inside it, must run wherever backends run */ readonly requireNative?: boolean;
  /** the sides themselves, in place of `backends` */ readonly sides?: readonly SideSource[];
  /** part of a case's id, or a pattern with * and ? */ readonly only?: string | undefined;
  /** of everything that is drawn; default 1 */ readonly seed?: number | undefined;
  /** how many generated problems; default 200 */ readonly cases?: number | undefined;
  /** files, or cases: these run instead of the suite */
  readonly vectors?: readonly string[] | readonly VectorCase[] | undefined;
  /** a module's path, or a candidate at hand */ readonly candidate?: string | Candidate | undefined;
  /** replaces the derived tolerances */ readonly tolerance?: FixedTolerance | undefined;
  /** for a candidate, per problem; default 30 */ readonly timeoutSeconds?: number | undefined;
  /** these run instead of the suite */ readonly problems?: readonly Problem[] | undefined;
  /** sees every answer with all its numbers */ readonly observer?: Observer | undefined;
  readonly progress?: StartProgress;
}

/**
 * Puts every case to every side and judges the answers against the scratch network (or against the vectors' numbers).
 *
 * @throws UsageError when an option, a vectors file or the candidate's module is wrong, or when no case is selected
 */
export async function runParity(options: ParityOptions = {}): Promise<ParityReport> {
  const seed = options.seed ?? 1;
  const cases = await selectCases(options, seed);
  const candidate = await openCandidate(options);
  const run = new Run(options, cases);
  try {
    if (cases.vectors.length > 0) await run.side(scratchSide(), false);
    for (const source of options.sides ?? backendSides(options)) await run.source(source);
    if (candidate !== undefined) {
      await run.side({ implementation: candidate, masks: candidate.masks }, true);
    }
  } finally {
    candidate?.dispose();
  }
  return conclude({
    seed,
    only: options.only ?? null,
    ...(options.vectors !== undefined && { vectors: options.vectors.map(sourceOf) }),
    ...(typeof options.candidate === 'string' && { candidate: options.candidate }),
    complete:
      options.only === undefined &&
      options.vectors === undefined &&
      options.problems === undefined &&
      (options.cases ?? 1) > 0,
    ...run.findings,
  });
}

function sourceOf(vectors: string | VectorCase): string {
  return typeof vectors === 'string' ? vectors : vectors.source;
}

interface Cases {
  readonly problems: readonly Problem[];
  readonly vectors: readonly VectorCase[];
  readonly training: readonly TrainingCheck[];
}

function backendSides({ backends, candidate, vectors, requireNative = false }: ParityOptions): SideSource[] {
  if (backends !== undefined) return backends.map((name) => sideSource(name, true));
  if (candidate !== undefined && vectors === undefined) return [];
  const native = (name: SideName): boolean => name === 'tensorflow' || name === 'graph';
  return sideNames.map((name) => sideSource(name, requireNative && native(name)));
}

async function selectCases(options: ParityOptions, seed: number): Promise<Cases> {
  const { only } = options;
  if (options.vectors !== undefined) {
    const vectors = await givenVectors(options.vectors);
    return checkSome(
      { problems: [], vectors: vectors.filter(({ id }) => isSelected(id, only)), training: [] },
      only,
    );
  }
  const isWanted = (id: string): boolean => isSelected(id, only);
  if (options.problems !== undefined) {
    const problems = options.problems.filter(({ id }) => isWanted(id));
    return checkSome({ problems, vectors: [], training: [] }, only);
  }
  return checkSome(
    {
      problems: await suiteProblems(seed, options.cases ?? defaultGenerated, isWanted),
      vectors: [notebookVectors()].filter(({ id }) => isWanted(id)),
      training: await trainingChecks(seed, isWanted),
    },
    only,
  );
}

async function givenVectors(
  vectors: readonly string[] | readonly VectorCase[],
): Promise<readonly VectorCase[]> {
  const files = vectors.filter((item) => typeof item === 'string');
  return files.length > 0 ? loadVectors(files) : (vectors as readonly VectorCase[]);
}

function checkSome(cases: Cases, only: string | undefined): Cases {
  if (cases.problems.length + cases.vectors.length + cases.training.length > 0) return cases;
  throw new UsageError(
    only === undefined
      ? 'there is no case to run: nothing would be compared; give vectors or problems that hold cases.'
      : `no case matches --only ${JSON.stringify(only)}; ids look like generated/017, edge/one-step, digits/keras-weights, step/adam-first (a part of an id is enough, * and ? are wildcards).`,
  );
}

async function openCandidate(options: ParityOptions): Promise<CandidateImplementation | undefined> {
  const { candidate, timeoutSeconds } = options;
  if (candidate === undefined) return undefined;
  if (typeof candidate === 'string') return loadCandidate(candidate, { timeoutSeconds });
  return candidateImplementation(candidate, { timeoutSeconds });
}

function scratchSide(): OpenSide {
  return { implementation: scratchImplementation() };
}

/** Collects what the sides answer. */
class Run {
  readonly findings = {
    sides: [] as SideReport[],
    notes: [] as string[],
    plan: [] as PlannedCase[],
    cases: [] as CaseVerdict[],
    diagnoses: [] as Diagnosis[],
    warnings: [] as string[],
    errors: [] as HarnessError[],
  };
  private readonly references = new ReferenceAnswers();
  private readonly start: StartProgress;

  constructor(
    private readonly options: ParityOptions,
    private readonly cases: Cases,
  ) {
    this.start = options.progress ?? silentProgress;
  }

  async source(source: SideSource): Promise<void> {
    let side: OpenSide;
    try {
      side = await source.open();
    } catch (error) {
      if (!(error instanceof SideUnavailableError)) throw error;
      const { name, required } = source;
      this.findings.sides.push({ name, status: 'not run', required, reason: error.message });
      return;
    }
    await this.side(side, source.required);
    side.implementation.dispose?.();
  }

  async side(side: OpenSide, required: boolean): Promise<void> {
    const { name } = side.implementation;
    if (this.findings.sides.some((other) => other.name === name)) {
      throw new UsageError(
        `two sides are called ${JSON.stringify(name)}; give the candidate a name of its own.`,
      );
    }
    const version = side.version === undefined ? {} : { version: side.version };
    this.findings.sides.push({ name, status: 'ran', required, ...version });
    const problems = this.problemsFor(side);
    const training = this.trainingFor(side);
    const total = problems.length + this.cases.vectors.length + training.length;
    const progress = this.start(name, total);
    try {
      for (const vector of this.cases.vectors) {
        await this.guard(name, vector.id, () => this.vector(vector, side.implementation));
        progress.step(vector.id);
      }
      for (const problem of problems) {
        await this.guard(name, problem.id, () => this.problem(problem, side.implementation));
        progress.step(problem.id);
      }
      for (const check of training) {
        await this.training(check, side);
        progress.step(check.id);
      }
      await this.options.observer?.sideDone(side.implementation);
    } catch (error) {
      if (!(error instanceof SideStopped)) throw error;
    } finally {
      progress.stop();
    }
  }

  private problemsFor({ implementation, masks }: OpenSide): readonly Problem[] {
    if (implementation.name === 'scratch') return [];
    const { problems } = this.cases;
    const chosen = masks === false ? problems.filter((problem) => problem.mask === undefined) : problems;
    const left = problems.length - chosen.length;
    if (left > 0) {
      this.findings.notes.push(
        `${left} masked problems were not put to ${implementation.name}: it does not declare masks: true`,
      );
    }
    return chosen;
  }

  private trainingFor(side: OpenSide): readonly TrainingCheck[] {
    const { training } = this.cases;
    if (side.createClassifier !== undefined || training.length === 0) return training;
    const { name } = side.implementation;
    if (name !== 'scratch') {
      this.findings.notes.push(
        `${training.length} training checks were not put to ${name}: it has no optimizer`,
      );
    }
    return [];
  }

  private async problem(given: Problem, implementation: Implementation): Promise<void> {
    const { name, precision, omits } = implementation;
    const tensors = expectedNames(given).map(
      (tensor) => [tensor, size(expectedShape(given, tensor))] as const,
    );
    this.plan(name, given.id, Object.fromEntries(tensors));
    const { problem, reference } = await this.references.for(given, precision);
    const { answer, malformed } = await ask(implementation, problem);
    const verdict = compareEvaluation(problem, reference, answer, implementation, {
      omits,
      tolerance: this.options.tolerance,
    });
    const settled = withMalformed(await settle(verdict, problem, implementation), malformed);
    this.findings.cases.push(settled);
    this.options.observer?.judged({ implementation, problem, reference, answer, verdict: settled });
  }

  private async vector(vector: VectorCase, implementation: Implementation): Promise<void> {
    const { name, precision, omits } = implementation;
    const tensors = tensorNames.flatMap((tensor) => {
      const expected = tensorOf(vector.expected, tensor);
      return expected === undefined ? [] : [[tensor, expected.data.length] as const];
    });
    this.plan(name, vector.id, Object.fromEntries(tensors));
    const exact = await this.references.for(vector.problem, 'float64');
    const { problem, reference } = await this.references.for(vector.problem, precision);
    const { answer, malformed } = await ask(implementation, problem);
    const verdict = compareVectors({
      vector,
      solved: problem,
      exact: exact.reference,
      reference,
      given: answer,
      side: implementation,
      omits,
      tolerance: this.options.tolerance,
    });
    const whole = withMalformed(verdict, malformed);
    this.findings.cases.push(whole);
    this.options.observer?.judged({ implementation, problem, reference, answer, verdict: whole });
  }

  private async training(check: TrainingCheck, side: OpenSide): Promise<void> {
    const { implementation, createClassifier } = side;
    const { name, precision } = implementation;
    const [first] = check.batches;
    const { features, units, classes = 1 } = sizesOf(first);
    const ids = check.batches.map((_, i) => (check.batches.length === 1 ? check.id : `${check.id}/${i + 1}`));
    const weights = first.weights as ClassifierWeights;
    for (const id of ids) this.plan(name, id, plannedTraining(weights, check.optimizer));
    await this.guard(name, check.id, async () => {
      const model = createClassifier?.({ features, units, classes, weights });
      if (model === undefined) return;
      try {
        let i = 0;
        for (const step of trainingSteps(check, model)) {
          const { reference } = await this.references.for(step.problem, precision);
          const { optimizer } = check;
          const { tolerance } = this.options;
          this.findings.cases.push(
            compareTraining({
              caseId: ids[i++],
              optimizer,
              step,
              reference,
              side: implementation,
              tolerance,
            }),
          );
        }
      } finally {
        model.dispose();
      }
    });
  }

  private plan(implementation: string, caseId: string, tensors: Readonly<Record<string, number>>): void {
    this.findings.plan.push({ implementation, caseId, tensors });
  }

  /** Notes what a side throws; usage errors end the run, and a dead or hanging candidate is not asked again. */
  private async guard(implementation: string, caseId: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof UsageError) throw error;
      const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
      const trace = error instanceof CandidateError ? error.trace : stack;
      this.findings.errors.push({ implementation, caseId, message, trace });
      if (error instanceof CandidateError && error.fatal) throw new SideStopped();
    }
  }
}

/** An ill-conditioned comparison is settled one step at a time, where the side answers the instrumented problem. */
async function settle(
  verdict: CaseVerdict,
  problem: Problem,
  implementation: Implementation,
): Promise<CaseVerdict> {
  if (verdict.status !== 'ill') return verdict;
  try {
    const { answer } = await ask(implementation, problemForLocalJudgement(problem));
    return settleLocally(problem, verdict, judgeLocally(problem, answer, implementation));
  } catch (error) {
    if (error instanceof CandidateError && error.fatal) throw error;
    return verdict;
  }
}

/** A side answers no more. */
class SideStopped extends Error {
  override readonly name = 'SideStopped';
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
