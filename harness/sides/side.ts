import type { ClassifierWeights, SimpleRNNClassifier } from '../../scratch/index';
import type { Updated, UpdateOptions } from '../../src/index';
import type { Implementation } from '../base/problem';

export interface ClassifierShape {
  readonly features: number;
  readonly units: number;
  readonly classes: number;
  readonly weights: ClassifierWeights;
}

/** A side that is ready to answer, and to train where it can. */
export interface OpenSide {
  readonly implementation: Implementation;
  /** engine and version, for reports */ readonly version?: string;
  /** absent for a side without an optimizer of its own */
  readonly createClassifier?: (shape: ClassifierShape) => SimpleRNNClassifier;
  /** one training step with asynchronous reads, instead of `createClassifier` */
  readonly update?: (options: UpdateOptions) => Promise<Updated>;
  /** whether masked problems may run on it; default true */ readonly masks?: boolean;
  /** another program computes, and this one only waits: several of these may be asked at the same time */
  readonly isElsewhere?: boolean;
  /** a user's own: it may be of fixed sizes */ readonly candidate?: boolean;
}

/** A side that may or may not be had on this machine. */
export interface SideSource {
  readonly name: string;
  /** when it cannot be had: exit code 3 instead of a note */ readonly required: boolean;
  /** Throws SideUnavailableError when this machine does not have it. */
  open(): Promise<OpenSide>;
}
