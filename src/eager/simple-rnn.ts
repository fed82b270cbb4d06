import type * as Tf from '@tensorflow/tfjs';
import {
  checkSequences,
  checkSimpleRNNOptions,
  checkSimpleRNNWeights,
  checkUpstream,
  simpleRNNWeights,
} from '../../scratch/index';
import type {
  SimpleRNNOptions,
  SimpleRNNUpstream,
  SimpleRNNWeights,
  SequenceOptions,
  Tensor,
  TensorLike,
} from '../../scratch/index';
import type { LoadedBackend } from '../backends/index';
import { checkGradientMethod, createRecurrentNetwork, type RecurrentNetwork } from './network';
import type { GradientMethod } from './pass';
import { runAndDifferentiate } from './run';
import { assignVariables, readVariables } from './variables';

/** Sizes of a SimpleRNN, and either its weights or the seed of Keras's default initialisers. */
export interface TfSimpleRNNOptions extends SimpleRNNOptions {
  /** from `loadBackend` */ readonly backend: LoadedBackend;
  /** default autodiff */ readonly gradients?: GradientMethod;
}

/** Loss gradients that leave the layer. */
export interface TfSimpleRNNGradients extends SimpleRNNWeights {
  /** [B, T, F] */ readonly inputs: Tensor;
  /** [B, U] */ readonly initialState: Tensor;
}

/**
 * tf.layers.simpleRNN behind the boundary checks of the scratch layer: h_t = tanh(x_t · kernel + h_{t-1} · recurrentKernel + bias),
 * float32, plain arrays in and out. It owns its variables and releases them in `dispose`.
 *
 * ```ts
 * const backend = await loadBackend('cpu');
 * const weights = { kernel: [[1]], recurrentKernel: [[2]], bias: [0] };
 * const layer = new TfSimpleRNN({ backend, features: 1, units: 1, weights });
 * layer.forward([[[0.5], [0]]]).finalState.data[0]; // => 0.7279..., tanh(2 tanh 0.5)
 * layer.backward([[[0.5], [0]]], { finalState: [[1]] }).bias.data[0]; // dh_2 / dbias
 * layer.dispose();
 * ```
 */
export class TfSimpleRNN {
  readonly features: number;
  readonly units: number;
  private readonly backend: LoadedBackend;
  private readonly network: RecurrentNetwork;
  private disposed = false;

  /** @throws RangeError on a size that is not a positive integer, or weights that do not fit */
  constructor(options: TfSimpleRNNOptions) {
    const { backend, gradients = 'autodiff' } = options;
    const more = { backend: true, gradients: true } as const;
    ({ features: this.features, units: this.units } = checkSimpleRNNOptions(options, 'TfSimpleRNN', more));
    const method = checkGradientMethod(gradients, 'TfSimpleRNN');
    const weights = simpleRNNWeights(options, 'TfSimpleRNN');
    this.backend = backend;
    backend.use();
    this.network = createRecurrentNetwork(backend, this, method);
    try {
      assignVariables(backend.tf, this.network.variables, weights, 'TfSimpleRNN');
    } catch (error) {
      this.network.dispose();
      throw error;
    }
  }

  /**
   * @param inputs [B, T, F]
   * @param initialState [B, U]; zeros when absent
   * @param mask [B, T] of 0 and 1; a step with 0 keeps the state, so its row of `states` is the state before it
   * @returns states [B, T, U] and finalState [B, U], the last of them
   * @throws RangeError on ragged arrays, shapes that do not fit, numbers that are not finite, a mask other than 0 and 1
   */
  forward(
    inputs: TensorLike,
    initialState?: TensorLike,
    mask?: TensorLike,
  ): { readonly states: Tensor; readonly finalState: Tensor } {
    const tf = this.begin('forward');
    const options = { ...(initialState && { initialState }), ...(mask && { mask }) };
    const given = checkSequences(inputs, options, this, 'TfSimpleRNN.forward');
    const { states, finalState } = runAndDifferentiate(tf, this.network, given, {}, 'TfSimpleRNN.forward');
    return { states, finalState };
  }

  /**
   * Gradients under what arrives from above. tfjs differentiates what it watches being computed, so this runs the forward
   * pass again, on inputs instead of a cache.
   *
   * @param inputs [B, T, F]
   * @param upstream dLoss/dstates [B, T, U] and/or dLoss/dfinalState [B, U]; what is absent counts as zero
   * @param options initialState [B, U], mask [B, T]
   * @returns dLoss/d each of kernel [F, U], recurrentKernel [U, U], bias [U], inputs [B, T, F], initialState [B, U]
   * @throws RangeError when a gradient's shape is not that of what forward makes, or a number is not finite
   */
  backward(
    inputs: TensorLike,
    upstream: SimpleRNNUpstream,
    options: SequenceOptions = {},
  ): TfSimpleRNNGradients {
    const name = 'TfSimpleRNN.backward';
    const tf = this.begin('backward');
    const given = checkSequences(inputs, options, this, name);
    const arriving = checkUpstream(upstream, [given.batch, given.timeSteps, this.units], name);
    const { gradients } = runAndDifferentiate(tf, this.network, given, { upstream: arriving }, name);
    return gradients as TfSimpleRNNGradients;
  }

  /** A copy of the weights. */
  getWeights(): SimpleRNNWeights {
    this.begin('getWeights');
    return readVariables(this.network.variables);
  }

  /** Replaces the weights by copies, rounded to float32. */
  setWeights(weights: { readonly [K in keyof SimpleRNNWeights]: TensorLike }): void {
    const tf = this.begin('setWeights');
    const checked = checkSimpleRNNWeights(weights, this, 'TfSimpleRNN');
    assignVariables(tf, this.network.variables, checked, 'TfSimpleRNN.setWeights');
  }

  /** Releases the variables; afterwards every other method throws. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.network.dispose();
  }

  private begin(name: string): typeof Tf {
    if (this.disposed) {
      throw new Error(
        `TfSimpleRNN.${name}: this layer was disposed and its weights are gone; call dispose last, or make a new layer.`,
      );
    }
    this.backend.use();
    return this.backend.tf;
  }
}
