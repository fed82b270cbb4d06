import type { ActivationName } from './cells/activations';

/** What the recurrent layers have in common; defaults as in Keras 3. */
interface RecurrentConfigBase {
  /** U */ readonly units: number;
  /** default tanh */ readonly activation?: ActivationName;
  /** default true */ readonly useBias?: boolean;
  /** default false: the output is h_T [B, U]; true: h_1 .. h_T [B, T, U] */ readonly returnSequences?: boolean;
  /** default false; true: from the last time step to the first, the output in that order too */
  readonly goBackwards?: boolean;
}

/** Weights kernel [F, U], recurrentKernel [U, U], bias [U]; carries h. */
export interface SimpleRNNConfig extends RecurrentConfigBase {
  readonly layer: 'simpleRNN';
}

/** Weights kernel [F, 4U], recurrentKernel [U, 4U], bias [4U], each in blocks i f c o; carries h and c. */
export interface LSTMConfig extends RecurrentConfigBase {
  readonly layer: 'lstm';
  /** default sigmoid; that of TensorFlow.js is hardSigmoid */ readonly recurrentActivation?: ActivationName;
  /** default true: the bias of the forget gate starts at 1 (Jozefowicz, Zaremba & Sutskever 2015) */
  readonly unitForgetBias?: boolean;
}

/** Weights kernel [F, 3U], recurrentKernel [U, 3U], each in blocks z r h, and bias (see `biases`); carries h. */
export interface GRUConfig extends RecurrentConfigBase {
  readonly layer: 'gru';
  /** default sigmoid; that of TensorFlow.js is hardSigmoid */ readonly recurrentActivation?: ActivationName;
  /** default true: r ∘ (h · recurrentKernel), as in cuDNN and PyTorch; false: (r ∘ h) · recurrentKernel, as in TensorFlow.js */
  readonly resetAfter?: boolean;
  /**
   * 2, the default with resetAfter: bias [2, 3U], the second row added to h · recurrentKernel; 1: bias [3U]. Without
   * resetAfter only 1 is possible, as two would only be added up.
   */
  readonly biases?: 1 | 2;
}

export type RecurrentConfig = SimpleRNNConfig | LSTMConfig | GRUConfig;

/** How the outputs of the two directions become one: side by side [.., 2U], or element by element [.., U]. */
export type MergeMode = 'concat' | 'sum' | 'mul' | 'ave';

/**
 * A recurrent layer in both directions, each with weights of its own: forwardKernel, ..., backwardKernel, ... Carries
 * the states of the first, then of the second. The outputs of the second are put back into the order of the input.
 */
export interface BidirectionalConfig {
  readonly layer: 'bidirectional';
  readonly wrapped: RecurrentConfig;
  /** default concat */ readonly mergeMode?: MergeMode;
}

/** outputs = activation(inputs · kernel + bias); weights kernel [N, units], bias [units]; every time step alike. */
export interface DenseConfig {
  readonly layer: 'dense';
  readonly units: number;
  /** default linear */ readonly activation?: ActivationName;
  /** default true */ readonly useBias?: boolean;
}

/** A dense layer that insists on a time axis. */
export interface TimeDistributedConfig {
  readonly layer: 'timeDistributed';
  readonly wrapped: DenseConfig;
}

/** A row of `embeddings` [inputDim, outputDim] for every integer of the input [B, T]; only as the first layer. */
export interface EmbeddingConfig {
  readonly layer: 'embedding';
  /** how many integers there are: 0..inputDim-1 */ readonly inputDim: number;
  readonly outputDim: number;
  /** default false; true: steps whose integer is 0 are masked */ readonly maskZero?: boolean;
}

/** One layer as plain data, in Keras's words: what JSON can hold and every side of this project can build. */
export type LayerConfig =
  RecurrentConfig | BidirectionalConfig | DenseConfig | TimeDistributedConfig | EmbeddingConfig;

/** Layers on layers, each reading what the one before it gives. */
export interface StackConfig {
  /** F of the inputs [B, T, F]; not with an embedding, whose inputs are integers [B, T] */ readonly features?: number;
  readonly layers: readonly LayerConfig[];
}
