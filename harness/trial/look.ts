import { examine, kindOf, type Examination, type Kind, type Phase } from '../diagnosis/index';
import { indexOf } from '../../scratch/index';
import { precisionModelOf, type Side, type TensorVerdict } from '../judge/index';
import { deviations } from '../judge/budget/budget';
import { localEquations } from '../judge/budget/local-equations';
import { tensorNames, tensorOf, type Evaluation, type Implementation, type Problem } from '../problem';
import { sideAtFault } from '../referee/index';
import { mapTensor, rightAnswer } from '../specimens/index';

/** Everything the harness says about one side on one problem. */
export interface Look {
  /** whether each oracle turned red */
  readonly caught: {
    readonly results: boolean;
    readonly steps: boolean;
    readonly probe: boolean;
    /** the same question, asked again, got another answer */ readonly repeat: boolean;
    readonly referee: boolean;
  };
  readonly phase?: Phase;
  /** the first wrong quantity in the order of the computation */ readonly tensor?: string;
  readonly timeStep?: number;
  readonly kind?: Kind;
  /** the side that the referees accuse, of what was caught */ readonly side: string;
}

/** A question with the answer that was judged wrong. */
interface Exhibit {
  readonly problem: Problem;
  readonly answer: Evaluation;
  readonly previous?: Problem;
}

/** Dual-number runs for each ruling: a sample is enough, since suspects are looked at first. */
const refereeRuns = 60;

/**
 * Puts one problem to a side in every way there is, and asks the harness what is wrong, where, of what kind, and whose fault it is.
 *
 * @param right the answers of a right implementation, to stand as the scratch side
 */
export async function lookAt(side: Implementation, problem: Problem): Promise<Look> {
  const examination = await examine(side, problem);
  const { kept, after, again, between } = await askAgain(side, problem);
  const exhibits = exhibitsOf(examination, problem);
  const isOverwritten = !isSame(kept, after);
  const repeat = isOverwritten || !isSame(kept, again);
  if (isOverwritten) exhibits.push({ problem, answer: after });
  else if (repeat) exhibits.push({ problem, answer: again, previous: between });
  let kind: Kind | undefined;
  let accused = 'undecided';
  for (const exhibit of exhibits) {
    const { previous } = exhibit;
    const options = { previous, ask: (other: Problem) => side.evaluate(other) };
    kind ??= await kindOf(exhibit.problem, exhibit.answer, side, options);
    if (accused === 'undecided') accused = ruling(exhibit, side);
  }
  if (exhibits.length === 0) accused = ruling({ problem, answer: kept }, side);
  const red = (view: keyof Pick<Examination, 'results' | 'steps' | 'probe'>): boolean =>
    examination[view]?.verdict.status === 'fail';
  return {
    caught: {
      results: red('results'),
      steps: red('steps'),
      probe: red('probe'),
      repeat,
      referee: accused === side.name,
    },
    ...place(examination, kind, side),
    ...(kind && { kind }),
    side: accused,
  };
}

/** Whom the referees accuse when it is the scratch side that answers wrong, and the twin is right. */
export async function sideOfScratch(
  problem: Problem,
  wrong: Implementation,
  twin: Implementation,
): Promise<string> {
  const { kept, after, again } = await askAgain(wrong, problem);
  const answer = isSame(kept, after) ? again : after;
  const scratch = { name: 'scratch', precision: wrong.precision, evaluation: answer };
  const right = { name: twin.name, precision: twin.precision, evaluation: await twin.evaluate(problem) };
  return sideAtFault(problem, scratch, right, { runs: refereeRuns, suspects: suspects(problem, answer) })
    .side;
}

/** Asks, asks something else, and asks again: the first answer as it was and as it is after the next, and the last one. */
async function askAgain(side: Implementation, problem: Problem) {
  const between = { ...problem, inputs: mapTensor(problem.inputs, (x) => -x) };
  const first = await side.evaluate(problem);
  const kept = structuredClone(first);
  await side.evaluate(between);
  const after = structuredClone(first);
  const again = structuredClone(await side.evaluate(problem));
  return { kept, after, again, between };
}

function isSame(one: Evaluation, other: Evaluation): boolean {
  return tensorNames.every((name) => {
    const [a, b] = [tensorOf(one, name)?.data, tensorOf(other, name)?.data];
    return a?.length === b?.length && (a?.every((x, i) => Object.is(x, b?.[i])) ?? true);
  });
}

function exhibitsOf({ results, steps, probe }: Examination, problem: Problem): Exhibit[] {
  const exhibits: Exhibit[] = [];
  if (results?.verdict.status === 'fail') exhibits.push(results);
  if (steps?.verdict.status === 'fail') exhibits.push({ ...steps, previous: problem });
  if (probe?.verdict.status === 'fail') exhibits.push({ ...probe, previous: steps?.problem ?? problem });
  return exhibits;
}

function ruling({ problem, answer }: Exhibit, side: Implementation): string {
  const right = { name: 'scratch', precision: 'float64', evaluation: rightAnswer(problem) } as const;
  const party = { name: side.name, precision: side.precision, evaluation: answer };
  return sideAtFault(problem, right, party, { runs: refereeRuns, suspects: suspects(problem, answer) }).side;
}

/** The largest difference of every tensor is looked at by the referees. */
function suspects(
  problem: Problem,
  answer: Evaluation,
): Partial<Record<(typeof tensorNames)[number], number[]>> {
  const right = rightAnswer(problem);
  return Object.fromEntries(
    tensorNames.map((name) => {
      const [r, g] = [tensorOf(right, name)?.data, tensorOf(answer, name)?.data];
      let worst = 0;
      r?.forEach((x, i) => {
        if (Math.abs((g?.[i] ?? 0) - x) > Math.abs((g?.[worst] ?? 0) - r[worst])) worst = i;
      });
      return [name, [worst]];
    }),
  );
}

const phases: readonly (readonly [phase: Phase, tensors: readonly string[]])[] = [
  ['forward', ['states', 'finalState']],
  ['loss', ['logits', 'probabilities', 'loss', 'gradients.outputKernel', 'gradients.outputBias']],
];

/** The first wrong equation in the order of the computation, and its time step; a sum's step is that of the kind that explains it. */
function place(
  examination: Examination,
  kind: Kind | undefined,
  side: Side,
): Pick<Look, 'phase' | 'tensor' | 'timeStep'> {
  const red = (tensors: readonly TensorVerdict[] = []): TensorVerdict | undefined =>
    tensors.find(({ status }) => ['differs', 'nan', 'infinity', 'shape', 'missing'].includes(status));
  const first = red(examination.steps?.verdict.tensors) ?? red(examination.results?.verdict.tensors);
  if (first === undefined) return {};
  const phase = phases.find(([, tensors]) => tensors.includes(first.tensor))?.[0] ?? 'backward';
  const timeStep = stepOf(first.tensor, examination, side) ?? kind?.timeStep;
  return { phase, tensor: first.tensor, ...(timeStep !== undefined && { timeStep }) };
}

/** The first wrong step of one equation, in the order of the computation: forward the earliest, backward the latest. */
function stepOf(tensor: string, { steps, problem }: Examination, side: Side): number | undefined {
  if (steps === undefined) return undefined;
  const equation = localEquations(problem, steps.answer, precisionModelOf(side)).find(
    ({ name }) => name === tensor,
  );
  const axis = equation?.axes.indexOf('timeStep') ?? -1;
  if (equation === undefined || axis < 0) return undefined;
  const { expected, given, bound, sigma } = equation;
  const wrong = new Set<number>();
  expected.data.forEach((x, i) => {
    const allowed = Math.min(bound[i], deviations * sigma[i]);
    if (!(Math.abs(given.data[i] - x) <= allowed)) wrong.add(indexOf(i, expected.shape)[axis]);
  });
  const order = [...wrong].sort((a, b) => a - b);
  return tensor === 'states' ? order[0] : order[order.length - 1];
}
