import { sigmoidCrossEntropy } from './sigmoid';
import { softmax } from './softmax';
import { meanSquaredError } from './squared-error';
import type { Loss } from './loss';

export type { Loss, LossErrors, LossNumbers, Target } from './loss';

export type LossName = 'softmax' | 'sigmoid' | 'meanSquaredError';

/** Every loss that a head can have. */
export const losses: Readonly<Record<LossName, Loss>> = {
  softmax,
  sigmoid: sigmoidCrossEntropy,
  meanSquaredError,
};
