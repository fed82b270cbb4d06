import type { ClassifierWeights } from '../../scratch/index';
import type { AnyProblem } from '../base/problem';
import { sketchOf } from '../diagnosis/index';
import { caseIdOf, plannedTensors, viewNames, viewsOf, type ViewName } from '../examine/index';
import { plannedTraining, type TrainingCheck } from '../judge/index';
import type { PlannedCase } from './report';

/** Of so many problems one, the first among them, is asked again: a memory of earlier calls shows anywhere. */
const repeatEvery = 20;

/** The views in which a side's problem number `i` is looked at. */
export function viewsAt(
  i: number,
  problem: AnyProblem,
  views: readonly ViewName[] = viewNames,
): readonly ViewName[] {
  return viewsOf(problem, i % repeatEvery === 0 ? [...views, 'repeat'] : views);
}

/** What a side must account for on a problem: a case for each view. @param results tensors, and the number of elements of each */
export function plannedViews(
  implementation: string,
  problem: AnyProblem,
  views: readonly ViewName[],
  results: PlannedCase['tensors'] = plannedTensors(problem, 'results'),
): PlannedCase[] {
  return views.map((view) => ({
    implementation,
    caseId: caseIdOf(problem.id, view),
    ...(view === 'results'
      ? { tensors: results, problem: sketchOf(problem) }
      : { tensors: plannedTensors(problem, view) }),
  }));
}

/** A case for each update of a training check. */
export function plannedUpdates(
  implementation: string,
  { id, batches, optimizer }: TrainingCheck,
): PlannedCase[] {
  const tensors = plannedTraining(batches[0].weights as ClassifierWeights, optimizer);
  return batches.map((_, i) => ({
    implementation,
    caseId: batches.length === 1 ? id : `${id}/${i + 1}`,
    tensors,
  }));
}
