import type * as Tf from '@tensorflow/tfjs';
import type { NamedTensors } from '../method';
import type { Signal, StepMask } from './signal';

/** What arrives at something from above: undefined where nothing does. */
export type Arriving = readonly (Tf.Tensor | undefined)[];

/** What arrives at one layer. */
export interface LayerUpstream {
  /** at the steps of its output */ readonly outputs: Arriving;
  /** the same on the host, step after step, where all of it comes from there */ readonly onHost?: Float32Array;
  /** at its final states */ readonly finalStates: Arriving;
  /** at every step of its walks through time, in their order */ readonly sequences: readonly Arriving[];
}

/** What a layer sends back. */
export interface LayerGradients {
  readonly weights: NamedTensors;
  /** at the steps of its input */ readonly input: readonly Tf.Tensor[] | undefined;
  /** [] where they were not asked for */ readonly initialStates: readonly Tf.Tensor[];
}

/** The gradients that are wanted besides those of the weights. */
export interface Wanted {
  readonly input: boolean;
  readonly initialStates: boolean;
}

/** One layer at work on one batch, by its formulas. Its tensors belong to the tidy that it was made in. */
export interface LayerPass {
  readonly output: Signal;
  readonly finalStates: readonly Tf.Tensor[];
  /** h_1 .. h_T of each of its walks through time */ readonly sequences: readonly (readonly Tf.Tensor[])[];
  backward(upstream: LayerUpstream, wanted: Wanted): LayerGradients;
}

/** What a layer reads besides its weights. */
export interface LayerInput {
  readonly signal: Signal;
  /** one per carried state */ readonly initialStates: readonly Tf.Tensor[];
  /** whether all of them are zeros, so that the first step can do without products */ readonly fromZero: boolean;
  /** in the order of the signal */ readonly mask: readonly (StepMask | undefined)[];
}

/** A layer by its formulas. @param backward whether `backward` of the pass will be called */
export type HandLayer = (weights: NamedTensors, input: LayerInput, backward: boolean) => LayerPass;

/** The sum of what arrives; undefined when nothing does. */
export function sumOf(
  add: (a: Tf.Tensor, b: Tf.Tensor) => Tf.Tensor,
  ...parts: readonly (Tf.Tensor | undefined)[]
): Tf.Tensor | undefined {
  return parts.reduce((sum, part) => (sum && part ? add(sum, part) : (sum ?? part)), undefined);
}
