import type { ActivationName, LayerConfig, Tensor } from '../../scratch/index';

/** What stands between the layers of scratch/ in the models of users: nothing here learns when predicting. */
export type OtherLayerConfig =
  /** outputs = inputs; steps whose features all equal maskValue are masked */
  | { readonly layer: 'masking'; readonly maskValue: number }
  /** [B, N] -> [B, times, N] */
  | { readonly layer: 'repeatVector'; readonly times: number }
  /** [B, T, N] -> [B, T N] */
  | { readonly layer: 'flatten' }
  /** [B, T, N] -> [B, N]: the row of the last time step, whatever a mask says (PyTorch's `outputs[:, -1]`) */
  | { readonly layer: 'lastStep' }
  /** gamma (x - movingMean) / sqrt(movingVariance + epsilon) + beta, by feature; gamma only with scale, beta with center */
  | {
      readonly layer: 'batchNormalization';
      readonly epsilon: number;
      readonly center: boolean;
      readonly scale: boolean;
    }
  /** softmax is over the features */
  | { readonly layer: 'activation'; readonly activation: ActivationName | 'softmax' }
  /** Dropout and the layers that do nothing when predicting */
  | { readonly layer: 'identity' };

/** A layer of scratch/, as it is there, or one of the others. */
export type ModelLayerConfig = LayerConfig | OtherLayerConfig;

/** What a layer reads: the output of an input or a layer, or one of its final states (h, or h and c; of both directions). */
export interface Source {
  readonly of: string;
  readonly state?: number;
}

/** A layer as the file has it. */
export interface ModelLayer {
  /** the file's; a Dense with softmax is two entries, `dense` and `dense:softmax` */ readonly name: string;
  /** in the words of the file: `LSTM`, `nn.GRU` */ readonly kind: string;
  readonly config: ModelLayerConfig;
  readonly reads: Source;
  /** instead of zeros */ readonly initialStates?: readonly Source[];
  /** by their names in scratch/; gamma, beta, movingMean, movingVariance of a batch normalization */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** what it gives for one example: [T, N] or [N], null where any size does */ readonly output: readonly Size[];
  /**
   * what the output holds at a masked step: `output` the output before it, zeros before the first step that exists (Keras); `state`
   * the state, which is the initial one before that step (TensorFlow.js); `zero` zeros; `unmasked`: the layer does not see the mask
   * (Keras 3 passes none to a layer that is called with initial states)
   */
  readonly maskedRows?: MaskedRows;
}

/** null: any size does. */
export type Size = number | null;

/** An input of a model. */
export interface ModelInput {
  readonly name: string;
  /** of one example: [T, F], [F], or [T] where they are integers */ readonly shape: readonly Size[];
  /** the embedding's inputDim, where the inputs are integers */ readonly vocabulary?: number;
}

export const modelFormats = ['tfjs', 'keras', 'h5', 'npz', 'pytorch', 'onnx'] as const;
export type ModelFormat = (typeof modelFormats)[number];

/**
 * A user's model, whatever program wrote it: in Keras's words, with every weight in its layer, in float64. Layers are in an order in
 * which they can run.
 */
export interface ModelDescription {
  readonly format: ModelFormat;
  /** which program wrote it, as far as the file says: `Keras 3.15.1` */ readonly writtenBy: string;
  readonly inputs: readonly ModelInput[];
  readonly layers: readonly ModelLayer[];
  readonly outputs: readonly Source[];
  /** what a user should know: quantised weights, layers that do nothing, a model that was cut */
  readonly notes: readonly string[];
  /** of weights that were stored with fewer bits than float32: half the distance between two neighbours, by layer and weight */
  readonly storage?: Readonly<Record<string, StoredAs>>;
}

/** A weight that was stored with fewer bits than float32. */
export interface StoredAs {
  readonly dtype: 'float16' | 'uint8' | 'uint16' | 'bfloat16';
  /** largest difference to the weight that was stored */ readonly reach: number;
}

/** Of weights that were rounded to 16 bits: the reach is relative to the weight. */
export const storedHalf = {
  float16: { dtype: 'float16', reach: 2 ** -11 },
  bfloat16: { dtype: 'bfloat16', reach: 2 ** -8 },
} as const satisfies Readonly<Record<string, StoredAs>>;

/** How many numbers the weights are. */
export function countParameters({ weights }: Pick<ModelLayer, 'weights'>): number {
  return Object.values(weights).reduce((sum, { data }) => sum + data.length, 0);
}

export type MaskedRows = 'output' | 'state' | 'zero' | 'unmasked';
