import type * as Tf from '@tensorflow/tfjs';
import { checkChoice } from '../../scratch/index';
import type { CheckedQuestion, NetworkPlan, StackInputs, Targets, Tensor } from '../../scratch/index';
import type { NameOf } from '../network-engine';
import { upload } from '../to-tensors';

/**
 * Where gradients come from.
 *
 * - `autodiff`: tf.layers, differentiated by tfjs operation by operation
 * - `bptt`: the same formulas and their gradients written out in tfjs operations, several times faster
 */
export type GradientMethod = 'autodiff' | 'bptt';

/** @throws RangeError when there is no such method */
export function checkGradientMethod(method: GradientMethod, name: string): GradientMethod {
  return checkChoice(method, ['autodiff', 'bptt'], `${name}: gradients`);
}

/** The weights of a layer, or their gradients, by the names of its plan. */
export type NamedTensors = Readonly<Record<string, Tf.Tensor>>;

/** What a forward pass gives. */
export interface Outcome {
  /** [B, C] or [B, T, C] */ readonly logits: Tf.Tensor;
  /** the same shape, and a scalar; where they are absent the host computes them from the logits */
  readonly outputs?: Tf.Tensor;
  readonly loss?: Tf.Tensor;
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

/** The initial states of a layer as tensors; zeros where none are given. */
export function uploadStates(
  tf: typeof Tf,
  { layers }: NetworkPlan,
  { given, name }: Asked,
  nameOf: NameOf,
  layer: number,
): Tf.Tensor[] {
  return layers[layer].states.map((width, k) => {
    const state = given.initialStates[layer].at(k);
    return state
      ? upload(tf, state, `${name}: ${nameOf('initialStates', layer, k)}`)
      : tf.zeros([given.batch, width]);
  });
}

/** The loss of a batch. */
export interface AskedLoss {
  readonly targets: Targets;
  /** [B, T]: a time step with 0 has no part in the mean */ readonly mask: Tensor | undefined;
  /** dLoss/dlogits on the host, from the logits: for a method that does not compute the loss itself */
  readonly gradient: (logits: Tf.Tensor) => Float32Array;
}

export interface AskedBackward extends Asked {
  readonly loss: AskedLoss | undefined;
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
  /** whether it needs no loss of the host */ readonly computesLoss: boolean;
  forward(asked: Asked): Outcome;
  differentiate(asked: AskedBackward): { readonly outcome: Outcome; readonly gradients: Gradients };
  dispose(): void;
}

/** `tfjs:wasm`, `tfjs:wasm:bptt` */
export function sideName({ name }: { readonly name: string }, gradients: GradientMethod): string {
  return gradients === 'autodiff' ? `tfjs:${name}` : `tfjs:${name}:${gradients}`;
}
