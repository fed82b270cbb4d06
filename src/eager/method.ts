import type * as Tf from '@tensorflow/tfjs';
import type { CheckedQuestion, StackInputs } from '../../scratch/index';

/** The weights of a layer, or their gradients, by the names of its plan. */
export type NamedTensors = Readonly<Record<string, Tf.Tensor>>;

/** What a forward pass gives. */
export interface Outcome {
  /** [B, C] or [B, T, C] */ readonly logits: Tf.Tensor;
  /** by layer */ readonly finalStates: readonly (readonly Tf.Tensor[])[];
  /** by layer, h_1 .. h_T of each walk, [B, T, U]; only where they were asked for */
  readonly sequences: readonly (readonly Tf.Tensor[])[] | undefined;
}

export interface Gradients {
  /** by layer, as the variables */ readonly weights: readonly NamedTensors[];
  /** [B, T, F]; only where it was asked for, and not of integers */ readonly inputs: Tf.Tensor | undefined;
  /** by layer; [] where they were not asked for */ readonly initialStates: readonly (readonly Tf.Tensor[])[];
}

/** What arrives at a network besides the gradient of its loss, on the host. */
export type HostUpstream = NonNullable<CheckedQuestion['upstream']>;

export interface Asked {
  readonly given: StackInputs;
  /** whether `sequences` are wanted */ readonly sequences: boolean;
  /** of the method, for messages */ readonly name: string;
  /** keeps a tensor of the outcome alive until the caller releases it: a tape ends all others */
  readonly keep: <T extends Tf.Tensor>(tensor: T) => T;
}

export interface AskedBackward extends Asked {
  /** dLoss/dlogits of the loss, from the logits; undefined: there is no loss */
  readonly lossGradient: ((logits: Tf.Tensor) => Float32Array) | undefined;
  readonly upstream: HostUpstream | undefined;
  /** whether gradients of inputs and initial states are wanted */ readonly toInputs: boolean;
}

/**
 * How a network of layers is computed and differentiated: by tfjs's tape or by hand. It owns the variables. Call its functions
 * inside a tidy.
 */
export interface NetworkMethod {
  /** by layer, by the names of the plan */ readonly variables: readonly Readonly<
    Record<string, Tf.Variable>
  >[];
  forward(asked: Asked): Outcome;
  differentiate(asked: AskedBackward): { readonly outcome: Outcome; readonly gradients: Gradients };
  dispose(): void;
}
