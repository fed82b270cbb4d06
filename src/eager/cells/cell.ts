import type * as Tf from '@tensorflow/tfjs';
import type { Kernels } from '../kernels';
import type { Activated, Activation } from './activations';
import type { GateProducts } from './gate-weights';

/** What a step hands to the next one, [B, U] each: h, or h and c. */
export type State = readonly Tf.Tensor[];

/** The weights of a recurrent layer as tensors. */
export interface CellWeights {
  /** [F, G·U], or [kernel; bias] [F + 1, G·U] for inputs whose last column is ones */ readonly kernel: Tf.Tensor;
  /** [U, G·U] */ readonly recurrentKernel: Tf.Tensor;
  /** [1, G·U]: what a GRU with two biases adds to h_{t-1} · recurrentKernel */ readonly recurrentBias?: Tf.Tensor;
}

/** What a step keeps for its way back. */
export interface Kept {
  readonly activated: readonly Activated[];
  readonly tensors: readonly Tf.Tensor[];
}

/** What one step sends back. */
export interface StepGradients {
  /** dLoss/d(x_t · kernel + bias) [B, G·U] */ readonly dz: Tf.Tensor;
  /** what the step adds to dh_{t-1} and dc_{t-1}; undefined where that was not asked for */
  readonly dBefore: State | undefined;
  /**
   * Pairs of [B, U] and [B, n]: the gradient of recurrentKernel is Σ_t leftᵀ · right, the pairs' columns side by side. The sum
   * over time is part of one product for each pair.
   */
  readonly recurrent: readonly (readonly [left: Tf.Tensor, right: Tf.Tensor])[];
}

/** A cell with the weights of one batch. */
export interface CellAtWork {
  /**
   * @param x [B, F], or [B, F + 1] with the column of ones
   * @param fromZero whether `before` is zeros, so that nothing need be multiplied by it
   */
  forward(x: Tf.Tensor, before: State, fromZero: boolean): { readonly after: State; readonly kept: Kept };
  /**
   * @param dAfter what arrives at the states after the step
   * @param toBefore whether `dBefore` is wanted
   */
  backward(
    kept: Kept,
    before: State,
    dAfter: readonly [dh: Tf.Tensor, dc: Tf.Tensor | undefined],
    toBefore: boolean,
  ): StepGradients;
}

/** What a cell is computed with. */
export interface CellTools {
  readonly tf: typeof Tf;
  readonly kernels: Kernels;
  readonly products: GateProducts;
  /** φ */ readonly activation: Activation;
  /** σ */ readonly recurrentActivation: Activation;
}

/** One time step, forward next to backward, of one kind of recurrent layer. */
export interface Cell {
  /** G: blocks of columns */ readonly gates: number;
  /** how many tensors a state has: 1, or 2 with c */ readonly carries: 1 | 2;
  /** Once a batch: what all steps share. @param backward whether there will be a way back */
  atWork(weights: CellWeights, tools: CellTools, backward: boolean): CellAtWork;
}
