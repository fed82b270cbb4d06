import {
  checkSequences,
  checkSimpleRNNOptions,
  checkSimpleRNNWeights,
  checkUpstream,
  NetworkPlan,
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
import { predictionOf, simpleRNNNames } from '../network-engine';
import { sequenceInputs, upstreamOfLayers } from '../problem';
import { TfEngine } from './engine';
import { checkGradientMethod, type GradientMethod } from './method';

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
  private readonly engine: TfEngine;
  private disposed = false;

  /** @throws RangeError on a size that is not a positive integer, or weights that do not fit */
  constructor(options: TfSimpleRNNOptions) {
    const more = { backend: true, gradients: true } as const;
    ({ features: this.features, units: this.units } = checkSimpleRNNOptions(options, 'TfSimpleRNN', more));
    const { backend, gradients = 'autodiff' } = options;
    const { features, units } = this;
    const name = 'TfSimpleRNN';
    const method = checkGradientMethod(gradients, name);
    const weights = [{ ...simpleRNNWeights(options, name) }];
    this.backend = backend;
    const layers = [{ layer: 'simpleRNN', units }] as const;
    const plan = new NetworkPlan({ features, layers, loss: 'meanSquaredError' }, name);
    this.engine = new TfEngine(backend, plan, name, {
      ...{ gradients: method, weights, nameOf: simpleRNNNames },
    });
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
    const name = 'TfSimpleRNN.forward';
    this.begin('forward');
    const options = {
      ...(initialState !== undefined && { initialState }),
      ...(mask !== undefined && { mask }),
    };
    const given = sequenceInputs(checkSequences(inputs, options, this, name), 1);
    const { sequences, finalStates } = this.engine.answer({ ...predictionOf(given), sequences: true }, name);
    return { states: sequences![0][0], finalState: finalStates[0][0] };
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
    this.begin('backward');
    const given = sequenceInputs(checkSequences(inputs, options, this, name), 1);
    const arriving = checkUpstream(upstream, [given.batch, given.timeSteps, this.units], name);
    const question = { ...predictionOf(given), upstream: upstreamOfLayers(arriving, 1) };
    const { weights, inputs: dInputs, initialStates } = this.engine.answer(question, name).gradients!;
    const [{ kernel, recurrentKernel, bias }] = weights;
    return { kernel, recurrentKernel, bias, inputs: dInputs!, initialState: initialStates[0][0] };
  }

  /** A copy of the weights. */
  getWeights(): SimpleRNNWeights {
    this.begin('getWeights');
    const [{ kernel, recurrentKernel, bias }] = this.engine.readWeights();
    return { kernel, recurrentKernel, bias };
  }

  /** Replaces the weights by copies, rounded to float32. */
  setWeights(weights: { readonly [K in keyof SimpleRNNWeights]: TensorLike }): void {
    this.begin('setWeights');
    const checked = checkSimpleRNNWeights(weights, this, 'TfSimpleRNN');
    this.engine.writeWeights([{ ...checked }], 'TfSimpleRNN.setWeights');
  }

  /** Releases the variables; afterwards every other method throws. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.engine.dispose();
  }

  private begin(name: string): void {
    if (this.disposed) {
      throw new Error(
        `TfSimpleRNN.${name}: this layer was disposed and its weights are gone; call dispose last, or make a new layer.`,
      );
    }
    this.backend.use();
  }
}
