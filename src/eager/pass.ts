import type * as Tf from '@tensorflow/tfjs';
import type { Tensor, Sequences } from '../../scratch/index';
import type { ValuesOf } from '../to-tensors';

/**
 * Where the recurrent layer's gradients come from.
 *
 * - `autodiff`: tf.layers.simpleRNN, differentiated by tfjs operation by operation
 * - `bptt`: the same formulas and their hand-written gradient in tfjs operations, several times faster
 */
export type GradientMethod = 'autodiff' | 'bptt';

/** One forward pass of the recurrent layer. Its tensors belong to the tidy that it was started in. */
export interface Pass {
  /** what to differentiate by for the gradient of the inputs */ readonly inputs: readonly Tf.Tensor[];
  /** [B, U] */ readonly initialState: Tf.Tensor;
  /** Runs the layer, differentiably. @returns [B, U] */
  finalState(): Tf.Tensor2D;
  /** Runs the layer, differentiably. @returns [B, T, U] */
  states(): Tf.Tensor3D;
  /** Puts the gradients by `inputs` together; reads them at once unless they have been read. @returns [B, T, F] */
  readInputGradients(gradients: readonly Tf.Tensor[], valuesOf?: ValuesOf): Tensor;
}

/**
 * Moves a batch into tfjs, ready to run.
 *
 * @param name of the method, for messages
 * @param differentiateInputs whether gradients by the pass's `inputs` and `initialState` will be asked for
 */
export type StartPass = (given: Sequences, name: string, differentiateInputs: boolean) => Pass;
