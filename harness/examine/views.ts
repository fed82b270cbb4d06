import { sizeOf } from '../../scratch/index';
import { localNames, localShape } from '../judge/index';
import { weightProbe } from './weight-probe';
import { expectedNames, expectedShape, type AnyProblem } from '../base/problem';

/**
 * The ways in which a side is looked at: the `results` of the problem against the reference's, each equation of each time `step` by
 * itself (`judgeLocally`), single weights in a `probe` of one step (`weightProbe`), and the problem asked once more after others
 * (`repeat`), which shows a memory of earlier calls.
 */
export const everyView = ['results', 'steps', 'probe', 'repeat'] as const;
export type ViewName = (typeof everyView)[number];

/** What every problem is looked at in; that a side has no memory needs to be seen now and then only. */
export const viewNames = ['results', 'steps', 'probe'] as const satisfies readonly ViewName[];

/** Those of the views that a problem can be looked at in: not every first layer can be probed (`weightProbe`). */
export function viewsOf(problem: AnyProblem, views: readonly ViewName[] = viewNames): readonly ViewName[] {
  const isProbed = !views.includes('probe') || weightProbe(problem) !== undefined;
  return isProbed ? views : views.filter((view) => view !== 'probe');
}

const suffixes: Readonly<Record<ViewName, string>> = {
  results: '',
  steps: ', step by step',
  probe: ', weight probe',
  repeat: ', asked again',
};

/** The id of the case that a view of a problem makes: `generated/017`, `generated/017, step by step`, `generated/017, weight probe`. */
export function caseIdOf(problemId: string, view: ViewName): string {
  return `${problemId}${suffixes[view]}`;
}

/** The problem's id in the id of a case. */
export function problemIdOf(caseId: string): string {
  return caseId.replace(/, (step by step|weight probe|asked again)$/, '');
}

/** Names and element counts that the verdict on a view must account for, by the problem alone. */
export function plannedTensors(problem: AnyProblem, view: ViewName): Record<string, number> {
  if (view === 'steps') {
    return Object.fromEntries(localNames(problem).map((name) => [name, sizeOf(localShape(problem, name))]));
  }
  const asked = (view === 'probe' ? weightProbe(problem) : undefined) ?? problem;
  return Object.fromEntries(expectedNames(asked).map((name) => [name, sizeOf(expectedShape(asked, name))]));
}
