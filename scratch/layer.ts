import type { Random } from './random';
import type { Tensor } from './tensor';

/** The weights of one layer by their names, or their gradients. */
export type LayerWeights = Readonly<Record<string, Tensor>>;

/**
 * What one layer hands to the next: values on the way up, dLoss/dvalues on the way down. Time-major: all rows of step 1,
 * then all rows of step 2, ...
 */
export interface Signal {
  readonly batch: number;
  /** undefined: a signal without a time axis */ readonly timeSteps: number | undefined;
  /** N */ readonly width: number;
  /** [T, B, N], or [B, N] */ readonly values: Float64Array;
  /** the same shape; every layer that uses the signal adds to it */ readonly gradient: Float64Array;
  /** [T, B] of 0 (this step does not exist) and 1 */ readonly mask?: Float64Array | undefined;
}

/** A state that is carried through time, where it enters a layer or leaves it. */
export interface Carry {
  /** [B, U] */ readonly values: Float64Array;
  /** [B, U] */ readonly gradient: Float64Array;
}

/** One layer at work on one batch: its arrays are made once and used again by every `forward`. */
export interface LayerPass {
  readonly output: Signal;
  /** to be filled before `forward`; their gradients are complete after `backward` */
  readonly initialStates: readonly Carry[];
  /** there after `forward`; what arrives at them from outside is added to their gradients before `backward` */
  readonly finalStates: readonly Carry[];
  /** h_1 .. h_T of each walk through time, in the order of the walk, also where the output is h_T alone */
  readonly sequences: readonly Signal[];
  /** @param fromZeros whether the initial states are zeros, so that nothing need be multiplied by them; they are filled either way */
  forward(fromZeros: boolean): void;
  /** Sets the gradients of the output and of the states to zero: for those that arrive from above to be added. */
  clearGradients(): void;
  /**
   * Adds to `gradients`, and to the gradient of the signal below.
   *
   * @param toInput whether the latter and the gradients of the initial states are wanted; training does without them in the
   * first layer
   */
  backward(gradients: LayerWeights, toInput: boolean): void;
}

/** What is known of a signal before there is a batch. */
export interface SignalShape {
  readonly width: number;
  readonly hasTime: boolean;
}

/** A layer whose sizes are settled, without its arithmetic: what every network that runs it has to know. */
export interface LayerPlan {
  readonly output: SignalShape;
  /** the shapes of the weights, in Keras's order */ readonly shapes: Readonly<
    Record<string, readonly number[]>
  >;
  /** how wide each carried state is: [U] for h, [U, U] for h and c */ readonly states: readonly number[];
  /** how wide h_t of each walk through time is: [U], [U, U] of a bidirectional layer, [] of others */
  readonly sequences: readonly number[];
}

/** A layer that holds no weights and no state, so that it can be used by several at once. */
export interface Layer extends LayerPlan {
  /** Keras's initial weights. */
  initialize(random: Random): LayerWeights;
  /** Makes the arrays for batches of the shape of `input`, which holds the values that `forward` will read. */
  prepare(weights: LayerWeights, input: Signal): LayerPass;
}

/** Room for a signal of this shape. */
export function makeSignal(
  batch: number,
  timeSteps: number | undefined,
  width: number,
  mask?: Float64Array,
): Signal {
  const length = batch * (timeSteps ?? 1) * width;
  const [values, gradient] = [new Float64Array(length), new Float64Array(length)];
  return { batch, timeSteps, width, values, gradient, mask };
}
