import type { FitPosition } from '../../scratch/index';
import type { StepComparison } from './noise';

/** One side's numbers of one epoch. */
export interface SideEpoch {
  /** `scratch`, `tfjs:wasm`, ... */ readonly name: string;
  /** mean over the epoch's examples, each measured before its update; nats */ readonly loss: number;
  readonly accuracy: number;
  /** mean over the epoch, before clipping */ readonly gradientNorm: number;
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
}

/** How two sides that learn from the same batches stand after an epoch. */
export interface Agreement {
  /** ||difference of the weights|| / ||weights|| */ readonly drift: number;
  /** the same between the float32 side and its noise twin */ readonly noise: number;
  /** drift that rounding explains: a multiple of the noise */ readonly limit: number;
  readonly driftByWeight: Readonly<Record<string, number>>;
  /** largest deviation / budget of the single steps checked in this epoch */ readonly worstStep?: StepComparison;
  readonly verdict: 'rounding' | 'parted';
}

/** One line of history.jsonl. */
export interface EpochRecord {
  /** counted from 1 */ readonly epoch: number;
  readonly learningRate: number;
  readonly seconds: number;
  readonly sides: readonly SideEpoch[];
  readonly agreement?: Agreement;
}

/** Where a run stands; everything that is not a weight. */
export interface Progress {
  readonly position?: FitPosition | undefined;
  readonly history: readonly EpochRecord[];
  readonly sums: readonly { loss: number; correct: number; gradientNorm: number; examples: number }[];
  /** the epoch (counted from 1) with the lowest validation loss, when patience watches it */
  readonly best?: { readonly epoch: number; readonly loss: number } | undefined;
  readonly noiseState?: readonly number[] | undefined;
  readonly steps: number;
  /** steps checked since the last whole epoch */ readonly comparisons: readonly StepComparison[];
  readonly finished: boolean;
}
