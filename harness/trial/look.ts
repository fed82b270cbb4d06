import { diagnose, ruleOn, type Diagnosis } from '../diagnosis/index';
import { ask, everyView, examine, type Examination, type ViewName } from '../examine/index';
import type { AnyProblem, Evaluation, Implementation } from '../base/problem';

/** Everything the harness says about one side on one problem. */
export interface Look {
  /** whether each oracle failed the answer: the four views (the second asking: it alone), and the referees on the answer */
  readonly caught: Readonly<Record<ViewName | 'referee', boolean>>;
  /** fails in any of the views, so that a user learns of it */ readonly isFailing: boolean;
  /** diagnosis of the failure, as a user gets it */ readonly diagnosis?: Diagnosis;
}

/** Runs one problem on a side in every view, and asks the harness what is wrong, where, which fault class, and which side is at fault. */
export async function lookAt(side: Implementation, problem: AnyProblem): Promise<Look> {
  const examination = await examine(side, problem, { views: everyView });
  const fails = (view: ViewName): boolean => examination[view]?.verdict.status === 'fail';
  const isFailing = examination.status === 'fail';
  return {
    caught: {
      results: fails('results'),
      steps: fails('steps'),
      probe: fails('probe'),
      // what is wrong at first is so when it is asked again: only a change tells of a memory
      repeat: fails('repeat') && !fails('results'),
      referee: refereesBlame(side, examination),
    },
    isFailing,
    ...(isFailing && { diagnosis: await diagnose(side, examination) }),
  };
}

/** The referees alone, without knowing any verdict: first on the plain answer, then on the one that was given later. */
function refereesBlame({ name, precision }: Implementation, examination: Examination<AnyProblem>): boolean {
  const { problem, reference, results, repeat } = examination;
  return [results, repeat].some((view) => {
    if (view === undefined) return false;
    const scratch = { name: 'scratch', precision: 'float64', evaluation: reference } as const;
    return ruleOn(problem, scratch, { name, precision, evaluation: view.answer }).side === name;
  });
}

/** The side that the referees blame when the scratch side is wrong and the twin is right. */
export async function sideOfScratch(
  problem: AnyProblem,
  wrong: Implementation,
  twin: Implementation,
): Promise<string> {
  const right = { name: twin.name, precision: twin.precision, evaluation: (await ask(twin, problem)).answer };
  const rule = (evaluation: Evaluation): string =>
    ruleOn(problem, { name: 'scratch', precision: wrong.precision, evaluation }, right).side;
  const side = rule((await ask(wrong, problem)).answer);
  if (side !== 'undecided') return side;
  // right when it is asked first: a memory of earlier calls shows later
  const { repeat } = await examine(wrong, problem, { views: ['repeat'] });
  return rule(repeat?.answer ?? {});
}

/** Where a fault should be found. */
export interface Place {
  readonly phase: Diagnosis['phase'];
  /** the quantity and the step of its equation, for a fault of one step */
  readonly wrong?: { readonly tensor: string; readonly timeStep?: number };
}

/** Whether a diagnosis names the phase and, for a fault of one step, that step alone (or the quantity, where it has no steps). */
export function isLocated({ phase, wrong }: Place, found: Diagnosis | undefined): boolean {
  if (found?.phase !== phase) return false;
  if (wrong === undefined) return true;
  return wrong.timeStep === undefined
    ? found.tensor === wrong.tensor
    : found.timeSteps?.join() === String(wrong.timeStep);
}

/** The place in words. */
export function whereOf({ phase, wrong }: Place): string {
  return wrong === undefined ? phase : `${phase}, ${wrong.tensor} at step ${wrong.timeStep ?? 'none'}`;
}
