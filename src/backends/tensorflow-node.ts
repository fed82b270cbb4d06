import type * as Tf from '@tensorflow/tfjs';

/** A TensorFlow SavedModel that runs inside libtensorflow, outside the eager tfjs operations. */
export interface SavedModel extends Tf.InferenceModel {
  dispose(): void;
}

/** Writes TensorBoard event files; tags and steps as in TensorFlow's `tf.summary`. */
export interface SummaryFileWriter {
  scalar(name: string, value: number | Tf.Scalar, step: number, description?: string): void;
  histogram(name: string, data: Tf.Tensor, step: number, bucketCount?: number, description?: string): void;
  flush(): void;
}

/**
 * The part of tfjs-node's `tf.node` that this package uses, written down here so that our typings do not ask for
 * tfjs-node, which is an optional peer. Call `use()` first: these functions want `tensorflow` to be the current backend.
 */
export interface TensorflowNode {
  /** Loads a signature of a SavedModel directory; tags default to `['serve']`, signature to `'serving_default'`. */
  readonly loadSavedModel: (path: string, tags?: string[], signature?: string) => Promise<SavedModel>;
  /** Reads which tag sets and signatures a SavedModel directory has, without loading it. */
  readonly getMetaGraphsFromSavedModel: (path: string) => Promise<unknown[]>;
  /** The number of SavedModel sessions now open. */
  readonly getNumOfSavedModels: () => number;
  readonly summaryFileWriter: (
    logdir: string,
    maxQueue?: number,
    flushMillis?: number,
    filenameSuffix?: string,
  ) => SummaryFileWriter;
}
