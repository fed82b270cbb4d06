import { weightNames, type ClassifierWeights, type OptimizerConfig } from '../../../scratch/index';
import type { Evaluation } from '../../base/problem';
import type { FixedTolerance } from '../tolerance';
import type { CaseVerdict, Side } from '../verdict';
import { compareUpdate } from './compare-update';
import type { TrainingStep } from './training-checks';

type WeightName = keyof ClassifierWeights;

/** One update of the simple RNN with its output layer. */
export interface TrainingComparison {
  readonly caseId: string;
  readonly optimizer: OptimizerConfig;
  /** the norm that the gradients are clipped to, all together */ readonly clipNorm?: number | undefined;
  readonly step: TrainingStep;
  /** the reference's answer to `step.problem` */ readonly reference: Evaluation;
  readonly side: Side;
  readonly tolerance?: FixedTolerance | undefined;
}

/** Judges one update of the simple RNN with its output layer (`compareUpdate`). */
export function compareTraining({ step, ...comparison }: TrainingComparison): CaseVerdict {
  const gradientOf = (name: WeightName): string => `gradients.${name}`;
  return compareUpdate<WeightName>({ ...comparison, ...step, gradientOf });
}

/** Sizes of what one update is compared by, for the ledger. */
export function plannedTraining(
  weights: ClassifierWeights,
  optimizer: OptimizerConfig,
): Record<string, number> {
  const names = ['weights', ...slotsOf(optimizer)];
  const sizes = names.flatMap((group) =>
    weightNames.map((name) => [`${group}.${name}`, weights[name].data.length] as const),
  );
  return { loss: 1, ...Object.fromEntries(sizes) };
}

function slotsOf(optimizer: OptimizerConfig): string[] {
  if (optimizer.name === 'adam') return ['m', 'v'];
  return (optimizer.momentum ?? 0) > 0 ? ['velocity'] : [];
}
