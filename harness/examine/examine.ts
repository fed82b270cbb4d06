import { asError, isFatal, UnansweredError } from '../base/side-errors';
import {
  caseVerdict,
  compareEvaluation,
  hasBackward,
  judgeLocally,
  namedTensors,
  problemForLocalJudgement,
  resolveIllConditioned,
  type CaseVerdict,
  type FixedTolerance,
  type TensorVerdict,
} from '../judge/index';
import { weightProbe } from './weight-probe';
import { memoize } from '../base/memoize';
import {
  evaluationOf,
  expectedNames,
  expectedShape,
  mapProblem,
  omitsOf,
  readsIntegers,
  roundProblem,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Implementation,
  type Precision,
  type Problem,
} from '../base/problem';
import { ask, withMalformed, type Answer } from './ask';
import { referenceFor } from './reference';
import { caseIdOf, plannedTensors, viewsOf, type ViewName } from './views';

/** The problem of one view, the side's answer to it, and the verdict on the answer. */
export interface View<P extends AnyProblem = Problem> {
  readonly problem: P;
  readonly answer: Evaluation;
  readonly verdict: CaseVerdict;
}

/** A side answers the plain problem, but not one of other sizes or in other shapes. */
export interface Refusal {
  readonly view: ViewName;
  readonly error: Error;
}

/** All that was seen of one side on one problem. */
export interface Examination<P extends AnyProblem = Problem> {
  readonly implementation: string;
  readonly precision: Precision;
  /** the plain problem as the side holds it: rounded to float32 for a float32 side */ readonly problem: P;
  /** the reference's answer to it */ readonly reference: Evaluation;
  /** `ill`: nothing fails, but something stayed ill-conditioned */ readonly status: 'pass' | 'ill' | 'fail';
  readonly results?: View<P>;
  readonly steps?: View<P>;
  readonly probe?: View<P>;
  /** the plain problem, asked again after `between` */ readonly repeat?: View<P> & { readonly between: P };
  /** the verdicts of these, in that order */ readonly verdicts: readonly CaseVerdict[];
  /** tensors that the side does not give */ readonly withheld: readonly string[];
  /** what else could not be examined, and why */ readonly unseen: readonly string[];
  readonly refusals: readonly Refusal[];
}

export interface ExamineOptions<P extends AnyProblem = Problem> {
  /** the reference's answer to the problem, rounded where the side is float32; default: the scratch network is asked */
  readonly reference?: Evaluation | undefined;
  /** which ways; default `viewNames`, and only the results where the tolerance is fixed: budgets are derived in the others */
  readonly views?: readonly ViewName[] | undefined;
  /** names that the side declared not to give; default: `implementation.omits` */
  readonly omits?: readonly string[] | undefined;
  /** replaces the derived tolerances of the results */ readonly tolerance?: FixedTolerance | undefined;
  /** judges the results, instead of `compareEvaluation` against the reference */
  compare?(problem: P, reference: Evaluation, given: Evaluation): CaseVerdict;
}

/**
 * Runs a problem on a side in up to four ways and judges each: its results, each equation by itself, single weights, and its results
 * once more after another problem, where the first answer may not have changed in the caller's hands either.
 * Results that are ill-conditioned are settled by the single steps (`resolveIllConditioned`). A side that answers the problem but refuses
 * the two further problems (which have different sizes) is not blamed for it: `unseen` and `refusals` say so, and the ledger counts them as omitted.
 *
 * @param implementation the side; what it throws on the plain problem is thrown on
 * @param problem any problem; it is rounded to float32 for a float32 side
 */
export async function examine<P extends AnyProblem>(
  implementation: Implementation,
  problem: P,
  options: ExamineOptions<P> = {},
): Promise<Examination<P>> {
  const plain = implementation.precision === 'float32' ? roundProblem(problem) : problem;
  const reference = options.reference ?? referenceFor(plain);
  const subject: Subject<P> = { implementation, plain, reference, options, refusals: [] };
  const { absolute, relative } = options.tolerance ?? {};
  const fixed = absolute !== undefined || relative !== undefined;
  const views = viewsOf(plain, options.views ?? (fixed ? ['results'] : undefined));

  const first = await ask(implementation, plain);
  const kept = views.includes('repeat') ? structuredClone(first.answer) : first.answer;
  let results = views.includes('results') ? lookAtResults(subject, first) : undefined;
  const wantsSteps = views.includes('steps') || results?.verdict.status === 'ill';
  const steps = wantsSteps ? await lookAtSteps(subject, first) : undefined;
  if (results !== undefined && steps !== undefined)
    results = { ...results, verdict: resolveIllConditioned(plain, results.verdict, steps.verdict.tensors) };
  const probe = views.includes('probe') ? await lookAtProbe(subject, first) : undefined;
  let repeat = views.includes('repeat') ? await lookAgain(subject, kept, first) : undefined;
  if (repeat !== undefined && steps !== undefined)
    repeat = { ...repeat, verdict: resolveIllConditioned(plain, repeat.verdict, steps.verdict.tensors) };
  const seen = {
    ...(results && { results }),
    ...(steps && views.includes('steps') && { steps }),
    ...(probe && { probe }),
    ...(repeat && { repeat }),
  };
  const withheld = absent(subject, first);
  const verdicts = Object.values(seen).map(({ verdict }) => verdict);
  return {
    implementation: implementation.name,
    precision: implementation.precision,
    problem: plain,
    reference,
    status: worstOf(verdicts),
    ...seen,
    verdicts,
    withheld,
    unseen: [...unseen(subject, steps, withheld), ...(await unsteadiness(subject, seen))],
    refusals: subject.refusals,
  };
}

interface Subject<P extends AnyProblem = AnyProblem> {
  readonly implementation: Implementation;
  readonly plain: P;
  readonly reference: Evaluation;
  readonly options: ExamineOptions<P>;
  readonly refusals: Refusal[];
}

function lookAtResults<P extends AnyProblem>(subject: Subject<P>, { answer, malformed }: Answer): View<P> {
  const { implementation, plain, reference, options } = subject;
  const { omits = omitsOf(implementation, plain), tolerance } = options;
  const verdict =
    options.compare?.(plain, reference, answer) ??
    compareEvaluation(plain, reference, answer, implementation, { omits, tolerance });
  return { problem: plain, answer, verdict: withMalformed(verdict, malformed) };
}

async function lookAtSteps<P extends AnyProblem>(subject: Subject<P>, first: Answer): Promise<View<P>> {
  const { implementation, plain } = subject;
  const caseId = caseIdOf(plain.id, 'steps');
  const problem = { ...problemForLocalJudgement(plain), id: caseId };
  // without a backward pass it is the plain problem, which was answered already
  const given = hasBackward(plain) ? await askOther(subject, 'steps', problem) : first;
  const omits = absent(subject, first);
  const verdict = (tensors: readonly TensorVerdict[]): CaseVerdict =>
    caseVerdict(caseId, implementation.name, 'its own earlier values', tensors);
  if (given !== undefined) {
    const tensors = judgeLocally(plain, given.answer, implementation, { omits, caseId });
    if (!isOfOtherShape(tensors, first, plain))
      return { problem, answer: given.answer, verdict: withMalformed(verdict(tensors), given.malformed) };
    refuse(subject, 'steps', new Error('it answers in other shapes than the problem asks for'));
  }
  return { problem, answer: {}, verdict: verdict(notSeen(subject, 'steps', caseId)) };
}

async function lookAtProbe<P extends AnyProblem>(
  subject: Subject<P>,
  first: Answer,
): Promise<View<P> | undefined> {
  const { implementation, plain } = subject;
  const probe = weightProbe(plain);
  if (probe === undefined) return undefined;
  const problem = implementation.precision === 'float64' ? withLongNumbers(probe) : probe;
  const given = await askOther(subject, 'probe', problem);
  if (given !== undefined) {
    const reference = referenceFor(problem);
    // tensors that were not asked for are judged with the results
    const asked = expectedNames(problem).flatMap((name) => {
      const tensor = tensorOf(given.answer, name);
      return tensor === undefined ? [] : [[name, tensor] as const];
    });
    const answer = evaluationOf(new Map(asked));
    const omits = [...absent(subject, first), ...omitsOf(implementation, problem)];
    const verdict = compareEvaluation(problem, reference, answer, implementation, { omits });
    if (!isOfOtherShape(verdict.tensors, first, plain))
      return { problem, answer, verdict: withMalformed(verdict, given.malformed) };
    refuse(subject, 'probe', new Error('it answers in other shapes than the problem asks for'));
  }
  const caseId = caseIdOf(plain.id, 'probe');
  const verdict = caseVerdict(caseId, implementation.name, 'scratch', notSeen(subject, 'probe', caseId));
  return { problem, answer: {}, verdict };
}

/**
 * The same problem with numbers that float32 cannot hold: most problems are exact in float32, and a float64 side that keeps its weights or
 * inputs in float32 would be right on them.
 */
const withLongNumbers = memoize((problem: AnyProblem) => mapProblem(problem, (x) => x * (1 + 2 ** -30))) as <
  P extends AnyProblem,
>(
  problem: P,
) => P;

/** Runs a different problem, then the same one again; if the first answer has changed meanwhile, it is judged instead of the second. */
async function lookAgain<P extends AnyProblem>(
  subject: Subject<P>,
  kept: Evaluation,
  first: Answer,
): Promise<Examination<P>['repeat']> {
  const { plain } = subject;
  const { inputs } = plain;
  // an embedding reads integers
  const other = readsIntegers(plain) ? inputs.data.toReversed() : inputs.data.map((x) => -x);
  const between = { ...plain, inputs: { ...inputs, data: other } };
  await askOther(subject, 'repeat', between);
  const isSpoiled = isOther(kept, first.answer);
  const again = isSpoiled ? first : await ask(subject.implementation, plain);
  const { answer, verdict } = lookAtResults(subject, again);
  const caseId = caseIdOf(plain.id, 'repeat');
  const tensors = verdict.tensors.map((tensor) => ({ ...tensor, caseId }));
  return {
    problem: plain,
    answer: structuredClone(answer),
    verdict: { ...verdict, caseId, tensors },
    between,
  };
}

/** Whether a tensor of one answer has another number in the other. */
function isOther(one: Evaluation, other: Evaluation): boolean {
  return [...namedTensors(one)].some(
    ([name, { data }]) => !data.every((x, i) => Object.is(x, tensorOf(other, name)?.data[i])),
  );
}

/** Asks what was answered wrongly once more: a side that is wrong in one call only has no mistake in its formulas. */
async function unsteadiness(
  { implementation }: Subject,
  { results, steps, probe }: Partial<Record<ViewName, View<AnyProblem>>>,
): Promise<string[]> {
  for (const view of [results, steps, probe]) {
    if (view?.verdict.status !== 'fail') continue;
    try {
      const { answer } = await ask(implementation, view.problem);
      if (isOther(view.answer, answer))
        return [
          'the same problem got another answer when it was asked again: random numbers, or a memory of earlier calls',
        ];
    } catch (error) {
      if (isOver(error)) throw error;
    }
  }
  return [];
}

/** Asks a problem of other sizes; a side that cannot answer it refuses, unless it can answer nothing any more. */
async function askOther(subject: Subject, view: ViewName, problem: AnyProblem): Promise<Answer | undefined> {
  try {
    return await ask(subject.implementation, problem);
  } catch (error) {
    if (isOver(error)) throw error;
    refuse(subject, view, asError(error));
    return undefined;
  }
}

/** No refusal of one problem: the side answers nothing any more, or gave no answer in time. */
function isOver(error: unknown): boolean {
  return error instanceof UnansweredError || isFatal(error);
}

function refuse(subject: Subject, view: ViewName, error: Error): void {
  subject.refusals.push({ view, error });
}

/** Declared as not given, or not in the answer to the plain problem: its absence there was judged already. */
function absent({ implementation, plain, options }: Subject, { answer }: Answer): string[] {
  const declared = options.omits ?? omitsOf(implementation, plain);
  const missing = expectedNames(plain).filter((name) => tensorOf(answer, name) === undefined);
  return [...new Set([...declared, ...missing])];
}

/** A wrong shape in an answer to a problem of other sizes, where the plain problem was answered in the right shapes. */
function isOfOtherShape(tensors: readonly TensorVerdict[], { answer }: Answer, plain: AnyProblem): boolean {
  const right = expectedNames(plain).every((name) => {
    const tensor = tensorOf(answer, name);
    return tensor === undefined || tensor.shape.join() === expectedShape(plain, name).join();
  });
  return right && tensors.some(({ status }) => status === 'shape');
}

function notSeen(
  { implementation, plain, refusals }: Subject,
  view: ViewName,
  caseId: string,
): TensorVerdict[] {
  const reason = `not seen: ${refusals.find((refusal) => refusal.view === view)?.error.message ?? 'not asked'}`;
  return Object.entries(plannedTensors(plain, view)).map(([tensor, elements]) => ({
    implementation: implementation.name,
    caseId,
    tensor,
    status: 'omitted',
    reason,
    elements,
    compared: 0,
    beyond: 0,
  }));
}

function worstOf(verdicts: readonly CaseVerdict[]): Examination['status'] {
  if (verdicts.some(({ status }) => status === 'fail')) return 'fail';
  return verdicts.some(({ status }) => status === 'ill') ? 'ill' : 'pass';
}

const unseenWithout: Readonly<Record<ViewName, string>> = {
  results: 'nothing could be seen: the problem',
  steps: 'no equation could be judged by itself: the problem with one more feature for each unit',
  probe: 'no weight could be probed by itself: a problem of other sizes',
  repeat: 'a memory of other inputs could not be seen: the problem with negated inputs',
};

function unseen(
  { plain, refusals }: Subject,
  steps: View<AnyProblem> | undefined,
  withheld: readonly string[],
): string[] {
  const sentences = refusals.map(
    ({ view, error }) => `${unseenWithout[view]} was refused (${error.message})`,
  );
  if (!hasBackward(plain))
    sentences.push('no gradient could be seen: the problem has neither labels nor upstream gradients');
  if (refusals.some(({ view }) => view === 'steps')) return sentences;
  const reasons = new Map<string, string[]>();
  for (const { status, reason = '', tensor } of steps?.verdict.tensors ?? []) {
    if (status !== 'omitted' || withheld.includes(tensor)) continue;
    reasons.set(reason, [...(reasons.get(reason) ?? []), tensor]);
  }
  for (const [reason, tensors] of reasons) sentences.push(`${tensors.join(', ')}: ${reason}`);
  return sentences;
}
