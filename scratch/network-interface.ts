import type { BatchResult, CompileOptions, Evaluated, History } from './classifier-interface';
import type { NetworkFitOptions } from './fit';
import type { StackConfig } from './layer-config';
import type { LossName } from './losses';
import type { OptimizerConfig } from './optimizer-config';
import type { StackGradients } from './stack';
import type { StackWeights } from './stack-pass';
import type { GivenWeights, LayerSequences, LayerStates, StackInputOptions } from './stack-plan';
import type { Tensor, TensorLike } from './tensor';

/** Layers and a loss as plain data. */
export interface NetworkConfig extends StackConfig {
  /** default softmaxCrossEntropy */ readonly loss?: LossName;
}

export interface NetworkOptions extends NetworkConfig, CompileOptions {
  /** of the initial weights; default 0 */ readonly seed?: number;
  /** by layer, instead of initial ones */ readonly weights?: GivenWeights;
}

/**
 * Class indices [B], or [B, T] when the last layer gives every time step (softmaxCrossEntropy); numbers in the shape of the
 * outputs (the other losses).
 */
export type NetworkTargets = TensorLike | ArrayLike<number>;

export interface NetworkPrediction {
  /** [B, C] or [B, T, C]: probabilities, or the numbers themselves for meanSquaredError */ readonly outputs: Tensor;
  /** the same shape: what the last layer gives, before softmax or sigmoid */ readonly logits: Tensor;
  /** by layer, [B, U] each: the `initialStates` of what follows in the sequences */
  readonly finalStates: readonly (readonly Tensor[])[];
}

export interface NetworkLossAndGradients extends NetworkPrediction {
  /** mean over the batch, and over the time steps that exist when the last layer gives all of them */
  readonly loss: number;
  readonly gradients: StackGradients;
}

/** Loss gradients that arrive at a network from elsewhere; what is absent counts as zero. */
export interface NetworkUpstream {
  /** dLoss/dlogits, [B, C] or [B, T, C] */ readonly logits?: TensorLike;
  /** dLoss/dfinalStates, in their shape; [] where nothing arrives */ readonly finalStates?: LayerStates;
  /** dLoss/dsequences, in their shape; [] where nothing arrives */ readonly sequences?: LayerSequences;
}

/** What is asked of a network about a batch: its predictions, and whatever these options ask for besides. */
export interface NetworkQuestion extends StackInputOptions {
  /** ask for the loss and its gradients */ readonly targets?: NetworkTargets;
  /** ask for gradients; they are added to those of the targets */ readonly upstream?: NetworkUpstream;
  /** true asks for the sequences */ readonly sequences?: boolean;
}

export interface NetworkAnswer extends NetworkPrediction {
  /**
   * By layer, h_1 .. h_T of each of its walks through time, [B, T, U], also where its output is h_T alone. A bidirectional
   * layer has two; one that walks backwards gives them in the order of its walk, from the last step of its input on.
   */
  readonly sequences?: readonly (readonly Tensor[])[];
  /** there with targets */ readonly loss?: number;
  /** there with targets or upstream */ readonly gradients?: StackGradients;
}

export interface NetworkBatchResult extends BatchResult {
  /** by layer, after the batch and before the update */ readonly finalStates: readonly (readonly Tensor[])[];
}

/** What an optimizer remembers, so that training can be saved and resumed bit for bit. */
export interface NetworkOptimizerState {
  readonly config: OptimizerConfig;
  /** updates done so far */ readonly step: number;
  /** slot name (`velocity`, `m`, `v`) to one tensor per weight; empty before the first update */
  readonly slots: Readonly<Record<string, StackWeights>>;
}

/**
 * A network of any layers with a loss at its end: one interface for the one by hand (scratch), the one op by op in
 * TensorFlow.js, and the one compiled to one graph. Inputs are [B, T, F], or integers [B, T] when the first layer is an
 * embedding. Bad input is refused with a RangeError before any work.
 */
export interface LayersNetwork {
  /** which side this is: `scratch`, `tfjs:wasm`, `graph`, ... */ readonly name: string;
  readonly precision: 'float64' | 'float32';
  /** the description that it was made from */ readonly config: NetworkConfig;

  /** Sets (and resets) the optimizer. */
  compile(options: CompileOptions): void;
  /** Trains on examples, in the loop of every network: shuffled, in batches, with callbacks, resumable. */
  fit(inputs: TensorLike, labels: NetworkTargets, options?: NetworkFitOptions): Promise<History>;
  /**
   * One update on one batch; the numbers reported are those before the update. When the loss or the gradients' norm is not
   * finite, weights and optimizer stay as they were.
   */
  trainOnBatch(inputs: TensorLike, targets: NetworkTargets, options?: StackInputOptions): NetworkBatchResult;
  predict(inputs: TensorLike, options?: StackInputOptions): NetworkPrediction;
  /** @param options batchSize: examples per forward pass, default 256; it changes no result */
  evaluate(
    inputs: TensorLike,
    targets: NetworkTargets,
    options?: StackInputOptions & { readonly batchSize?: number },
  ): Evaluated;
  /** Pure: changes nothing in the network, and returns arrays of its own. */
  lossAndGradients(
    inputs: TensorLike,
    targets: NetworkTargets,
    options?: StackInputOptions,
  ): NetworkLossAndGradients;
  /** One forward pass and, where targets or upstream ask for it, one backward pass; as pure as `lossAndGradients`. */
  run(inputs: TensorLike, question?: NetworkQuestion): NetworkAnswer;
  /** A copy of the weights, by layer. */
  getWeights(): StackWeights;
  /** Replaces the weights (by copies). */
  setWeights(weights: GivenWeights): void;
  getOptimizerState(): NetworkOptimizerState;
  setOptimizerState(state: NetworkOptimizerState): void;
  /** Releases tensors; does nothing where there are none. */
  dispose(): void;
}
