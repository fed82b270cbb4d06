import type { Cases } from '../cases';
import type { PlannedCase } from '../report';
import { plannedUpdates, plannedViews, viewsAt } from '../planned';
import { readBackSizes } from './read-back';
import { refusesLayers, type PageSide } from '../../sides/page/index';

/**
 * What runs on a side. TensorFlow.js as it is takes each optimizer's first step, which shows its defects; many steps with them would show the
 * same again.
 */
export function casesOn({ asIs }: PageSide, cases: Cases): Cases {
  const training = cases.training.filter(({ batches }) => !asIs || batches.length === 1);
  return { ...cases, training };
}

/**
 * Everything that a side of the page must account for, by the problems alone. The page puts it into its report before it runs anything,
 * and Node derives it again from the seed: a page that was closed midway, or a report that lost a case, is no pass.
 */
export function planOf(cases: Cases, side: PageSide, only?: string): PlannedCase[] {
  const { name: implementation } = side;
  const layered = cases.layered.filter(({ model }) => refusesLayers(side, model) === undefined);
  const problems = [...cases.problems, ...layered].flatMap((problem, i) =>
    plannedViews(implementation, problem, viewsAt(i, problem)),
  );
  const training = casesOn(side, cases).training.flatMap((check) => plannedUpdates(implementation, check));
  const reads = readBackSizes(side, only).map((numbers): PlannedCase => ({
    implementation,
    caseId: `read-back/${numbers}`,
    tensors: { dataSync: numbers },
  }));
  return [...problems, ...training, ...reads];
}
