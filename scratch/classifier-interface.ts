import type { OptimizerConfig } from './optimizer-config';
import type { Tensor, TensorLike } from './tensor';

/** The five weights of a SimpleRNN classifier, in the order and layout of TensorFlow.js. */
export interface ClassifierWeights {
  /** [F, U] */ readonly kernel: Tensor;
  /** [U, U] */ readonly recurrentKernel: Tensor;
  /** [U] */ readonly bias: Tensor;
  /** [U, C] */ readonly outputKernel: Tensor;
  /** [C] */ readonly outputBias: Tensor;
}

/** Gradients of the loss: the weights' keys, and those of the two inputs of the recurrent layer. */
export interface ClassifierGradients extends ClassifierWeights {
  /** [B, T, F] */ readonly inputs: Tensor;
  /** [B, U] */ readonly initialState: Tensor;
}

/** Optional companions of a batch of inputs [B, T, F]. */
export interface SequenceOptions {
  /** [B, U]; zeros when absent */ readonly initialState?: TensorLike;
  /** [B, T] of 0 and 1; a step with mask 0 keeps the state and touches neither loss nor gradients */
  readonly mask?: TensorLike;
}

export interface LossAndGradients {
  /** mean over the batch, nats */ readonly loss: number;
  /** [B, C] */ readonly probabilities: Tensor;
  readonly gradients: ClassifierGradients;
}

/** What one step of training reports, measured before the update. */
export interface BatchResult {
  /** mean over the batch, nats */ readonly loss: number;
  /** share of the batch whose argmax is the label */ readonly accuracy: number;
  /** global norm of the weight gradients before clipping */ readonly gradientNorm: number;
}

/** What an optimizer remembers, so that training can be saved and resumed bit for bit. */
export interface OptimizerState {
  readonly config: OptimizerConfig;
  /** updates done so far */ readonly step: number;
  /** slot name (`velocity`, `m`, `v`) to one tensor per weight; empty before the first update */
  readonly slots: Readonly<Record<string, ClassifierWeights>>;
}

export interface Evaluated {
  /** mean over the examples, nats */ readonly loss: number;
  readonly accuracy: number;
}

export interface CompileOptions {
  readonly optimizer?: OptimizerConfig | 'sgd' | 'adam';
  /** overrides the optimizer's */ readonly learningRate?: number;
  /** gradients are scaled down to this global norm when they exceed it; absent: never */
  readonly clipNorm?: number;
}

/** One interface, three networks: by hand (scratch), op by op in TensorFlow.js, compiled to one graph. */
export interface SimpleRNNClassifier {
  /** which side this is: `scratch`, `tfjs:wasm`, `graph`, ... */ readonly name: string;
  readonly precision: 'float64' | 'float32';
  readonly features: number;
  readonly units: number;
  readonly classes: number;

  /** Sets (and resets) the optimizer. */
  compile(options: CompileOptions): void;
  fit(inputs: TensorLike, labels: ArrayLike<number>, options?: FitOptions): Promise<History>;
  /**
   * One update on one batch; the numbers reported are those before the update. When the loss or the gradients' norm is
   * not finite, weights and optimizer stay as they were.
   */
  trainOnBatch(inputs: TensorLike, labels: ArrayLike<number>, options?: SequenceOptions): BatchResult;
  predict(inputs: TensorLike, options?: SequenceOptions): Int32Array;
  predictProbabilities(inputs: TensorLike, options?: SequenceOptions): Tensor;
  evaluate(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options?: SequenceOptions & { readonly batchSize?: number },
  ): Evaluated;
  loss(inputs: TensorLike, labels: ArrayLike<number>, options?: SequenceOptions): number;
  lossAndGradients(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options?: SequenceOptions,
  ): LossAndGradients;
  getWeights(): ClassifierWeights;
  setWeights(weights: { readonly [K in keyof ClassifierWeights]: TensorLike }): void;
  getOptimizerState(): OptimizerState;
  setOptimizerState(state: OptimizerState): void;
  /** Releases tensors; does nothing where there are none. */
  dispose(): void;
}

export interface LabelledSequences {
  /** [N, T, F] */ readonly inputs: TensorLike;
  /** N class indices */ readonly labels: ArrayLike<number>;
  /** [N, T] */ readonly mask?: TensorLike;
}

/** Where in training one is: everything `fit` needs to continue as if it had never stopped. */
export interface FitPosition {
  /** completed epochs */ readonly epoch: number;
  /** completed batches of the running epoch */ readonly batch: number;
  /** the generator's state at the start of the running epoch */ readonly randomState: readonly number[];
  /** sums over the completed batches of the running epoch: examples seen, loss times examples, hits */
  readonly partial: { readonly examples: number; readonly loss: number; readonly correct: number };
}

export interface BatchLog extends BatchResult {
  /** counted from 0 */ readonly epoch: number;
  /** counted from 0 */ readonly batch: number;
  readonly batches: number;
  readonly batchSize: number;
  /** where training stands after this batch */ readonly position: FitPosition;
}

export interface EpochLog {
  /** counted from 0 */ readonly epoch: number;
  /** mean over the epoch's examples, each measured before its update; nats */ readonly loss: number;
  readonly accuracy: number;
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
  readonly position: FitPosition;
}

export interface FitOptions extends CompileOptions {
  readonly epochs?: number;
  readonly batchSize?: number;
  /** decides the order of the examples; same seed, same order on every side */ readonly seed?: number;
  readonly mask?: TensorLike;
  readonly validationData?: LabelledSequences;
  /** awaited; when it returns (or resolves to) false, training stops after this batch */
  readonly onBatchEnd?: (log: BatchLog) => unknown;
  /** awaited; when it returns (or resolves to) false, training stops after this epoch */
  readonly onEpochEnd?: (log: EpochLog) => unknown;
  /** true: a line every 10 epochs, as the notebook prints; a function: gets that line instead */
  readonly verbose?: boolean | ((line: string) => void);
  /** continue from here instead of from the start */ readonly position?: FitPosition;
}

export interface History {
  readonly epochs: readonly EpochLog[];
  /** false when a callback ended training early */ readonly completed: boolean;
}
