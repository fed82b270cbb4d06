import type { CaseVerdict } from '../judge/index';
import { isGreen } from '../judge/index';
import { sizesOf, type Implementation, type Problem } from '../problem';
import { sideAtFault, type RefereeOptions, type Ruling } from '../referee/index';
import { referenceAnswer } from '../implementations/index';
import type { Diagnosis } from './diagnosis';
import type { Examination, View } from './examine';
import { kindOf } from './kind/index';
import { locate } from './locate';
import { ulpsBetween } from '../ulps';

export interface DiagnoseOptions {
  /** the side that made the reference; default `scratch` */ readonly against?: string;
  /** names the kind of mistake; default true */ readonly kind?: boolean;
}

/** Products of numbers that dual-number runs may cost in all: a few seconds. */
const mostProducts = 4e8;

/**
 * Says of a failed examination where the mistake begins (`locate`), what kind it looks like (`kindOf`) and which side made it
 * (`sideAtFault`). The side is asked a few more problems for it; the cost matters on failure only.
 *
 * @param implementation the side that was examined, still able to answer
 * @param examination whose status is `fail`
 * @throws Error where nothing is red
 */
export async function diagnose(
  implementation: Implementation,
  examination: Examination,
  options: DiagnoseOptions = {},
): Promise<Diagnosis> {
  const location = await locate(implementation, examination);
  const kind = options.kind === false ? undefined : await kindOfFault(implementation, examination, location);
  const verdict = rule(implementation, examination, options.against ?? 'scratch');
  const { side, note } = verdict;
  return {
    implementation: implementation.name,
    ...location,
    ...(kind && { kind }),
    side,
    sideNote: note,
  };
}

async function kindOfFault(
  implementation: Implementation,
  { problem, results }: Examination,
  { timeSteps }: Pick<Diagnosis, 'timeSteps'>,
): Promise<Diagnosis['kind']> {
  if (results === undefined) return undefined;
  return kindOf(problem, results.answer, implementation, {
    timeSteps,
    ask: (other) => implementation.evaluate(other),
  });
}

/** By the results; where these are right, by the problem whose numbers are not. */
function rule(
  implementation: Implementation,
  examination: Examination,
  against: string,
): Pick<Ruling, 'side' | 'note'> {
  const { problem, results, probe, steps, reference } = examination;
  if (results?.verdict.status === 'fail') {
    const ruling = ruleOn(implementation, problem, results, reference, against);
    if (ruling.side !== 'undecided') return ruling;
  }
  if (probe?.verdict.status === 'fail') {
    const expected = referenceAnswer(probe.problem);
    const ruling = ruleOn(implementation, probe.problem, probe, expected, against);
    if (ruling.side !== 'undecided') return { ...ruling, note: `${ruling.note}, in the weight probe` };
  }
  // an equation that does not hold between a side's own numbers needs no other side to be wrong
  const red = steps?.verdict.tensors.find(({ status }) => ['differs', 'nan', 'infinity'].includes(status));
  if (red !== undefined)
    return {
      side: implementation.name,
      note: `its own numbers contradict each other: ${red.tensor} does not follow from what it is made of`,
    };
  return {
    side: 'undecided',
    note: 'the referees could accuse nobody: what is wrong is a shape, a name, or beyond them',
  };
}

function ruleOn(
  { name, precision }: Implementation,
  problem: Problem,
  { answer, verdict }: View,
  reference: View['answer'],
  against: string,
): Ruling {
  const suspects: Record<string, readonly number[]> = {};
  for (const { tensor, worst, status } of verdict.tensors) {
    if (worst === undefined || status === 'pass') continue;
    const { shape } = { shape: shapeOf(problem, worst.at) };
    suspects[tensor] = [worst.index.reduce((flat, i, axis) => flat * shape[axis] + i, 0)];
  }
  const { batch, timeSteps, features, units } = sizesOf(problem);
  const products = batch * timeSteps * units * (features + units) * 3;
  const options: RefereeOptions = {
    suspects,
    runs: Math.max(14, Math.min(200, Math.floor(mostProducts / products))),
  };
  const first = { name: against, precision: 'float64', evaluation: reference } as const;
  return sideAtFault(problem, first, { name, precision, evaluation: answer }, options);
}

/** The sizes of the axes that a place names, in its order. */
function shapeOf(problem: Problem, at: Readonly<Record<string, number>>): number[] {
  const { batch, timeSteps, features, units, classes = 0 } = sizesOf(problem);
  const sizes: Readonly<Record<string, number>> = {
    example: batch,
    timeStep: timeSteps,
    feature: features,
    unit: units,
    fromUnit: units,
    class: classes,
  };
  return Object.keys(at).map((axis) => sizes[axis] ?? 0);
}

/** What can be said of a red update of the weights, or of the optimizer's memory. */
export function diagnoseUpdate(implementation: Implementation, verdict: CaseVerdict): Diagnosis {
  const red = verdict.tensors.filter((tensor) => !isGreen(tensor) && tensor.status !== 'ill');
  const [first] = red;
  const { worst } = first;
  return {
    implementation: implementation.name,
    caseId: verdict.caseId,
    phase: first.tensor === 'loss' ? 'loss' : 'update',
    tensor: first.tensor,
    ...(worst && {
      worst: {
        at: worst.at,
        given: worst.given,
        expected: worst.reference,
        ulps: ulpsBetween(worst.given, worst.reference, implementation.precision),
      },
    }),
    inherited: [],
    side: 'undecided',
    sideNote: 'the referees look at results and gradients, not at updates',
    unseen: ['the gradient that this update was made from: compare results of the same batch'],
  };
}
