import { glorotUniform } from './initializers';
import { addRows, multiply, multiplyByTranspose, repeatRow, transposedMultiplyAccumulate } from './kernels';
import { checkOptions } from './options';
import { createRandom } from './random';
import { checkMemory, checkSize, toTensor, zeros, type Tensor, type TensorLike } from './tensor';

/** Weights of a Dense layer. */
export interface DenseWeights {
  /** [inputs, units] */ readonly kernel: Tensor;
  /** [units] */ readonly bias: Tensor;
}

/** What the backward pass needs from the forward pass. */
export interface DenseCache {
  readonly weights: DenseWeights;
  /** [B, inputs] */ readonly inputs: Tensor;
}

/** outputs = bias + inputs · kernel, row by row; `inputs` starts at `inputsAt`. */
export function denseForward(
  weights: DenseWeights,
  inputs: Float64Array,
  inputsAt: number,
  batch: number,
  outputs: Float64Array,
): void {
  const [width, units] = weights.kernel.shape;
  repeatRow(weights.bias.data, batch, outputs, 0);
  multiply(inputs, inputsAt, weights.kernel.data, outputs, 0, batch, width, units);
}

/** dKernel += inputsᵀ · dOutputs;   dBias += Σ_b dOutputs. */
export function denseWeightGradients(
  gradients: DenseWeights,
  inputs: Float64Array,
  inputsAt: number,
  batch: number,
  dOutputs: Float64Array,
): void {
  const [width, units] = gradients.kernel.shape;
  transposedMultiplyAccumulate(inputs, inputsAt, dOutputs, 0, gradients.kernel.data, width, batch, units);
  addRows(dOutputs, batch, gradients.bias.data);
}

/** dInputs += dOutputs · kernelᵀ; `dInputs` starts at `dInputsAt`. */
export function denseInputGradients(
  weights: DenseWeights,
  dOutputs: Float64Array,
  batch: number,
  dInputs: Float64Array,
  dInputsAt: number,
): void {
  const [width, units] = weights.kernel.shape;
  multiplyByTranspose(dOutputs, 0, weights.kernel.data, dInputs, dInputsAt, batch, units, width);
}

/**
 * A fully connected layer without activation: outputs = inputs · kernel + bias. Pure and re-entrant.
 *
 * @example
 * ```ts
 * const layer = new Dense({ inputs: 2, units: 1, weights: { kernel: [[2], [3]], bias: [1] } });
 * const { outputs, cache } = layer.forward([[10, 100]]);
 * outputs.data[0]; // => 321
 * layer.backward(cache, [[1]]).kernel.data[1]; // => 100
 * ```
 */
export class Dense {
  readonly inputs: number;
  readonly units: number;
  private weights: DenseWeights;

  /** @param options sizes, and either weights or the seed (default 0) of Keras's: glorotUniform and zeros */
  constructor(options: {
    readonly inputs: number;
    readonly units: number;
    readonly weights?: { readonly [K in keyof DenseWeights]: TensorLike };
    readonly seed?: number;
  }) {
    checkOptions(options, { inputs: true, units: true, weights: true, seed: true }, 'Dense');
    this.inputs = checkSize('Dense: inputs', options.inputs);
    this.units = checkSize('Dense: units', options.units);
    checkMemory('Dense', [this.inputs, this.units], [this.units]);
    const { inputs, units, seed = 0 } = options;
    this.weights = this.check(
      options.weights ?? { kernel: glorotUniform(createRandom(seed), inputs, units), bias: zeros(units) },
    );
  }

  /**
   * @param inputs [B, inputs]
   * @returns outputs [B, units] and the cache for `backward`
   * @throws RangeError on a shape that does not fit or a number that is not finite
   */
  forward(inputs: TensorLike): { readonly outputs: Tensor; readonly cache: DenseCache } {
    const x = toTensor(inputs, 'Dense.forward: inputs', ['B', this.inputs]);
    const outputs = zeros(x.shape[0], this.units);
    denseForward(this.weights, x.data, 0, x.shape[0], outputs.data);
    return { outputs, cache: { weights: this.weights, inputs: x } };
  }

  /**
   * @param cache from `forward`; read, never changed
   * @param dOutputs [B, units]: dLoss/doutputs
   * @returns dLoss/d each of kernel [inputs, units], bias [units], inputs [B, inputs]
   * @throws RangeError on a shape that does not fit or a number that is not finite
   */
  backward(cache: DenseCache, dOutputs: TensorLike): DenseWeights & { readonly inputs: Tensor } {
    const [batch, width] = cache.inputs.shape;
    const units = cache.weights.bias.shape[0];
    const upstream = toTensor(dOutputs, 'Dense.backward: dOutputs', [batch, units]).data;
    const gradients = { kernel: zeros(width, units), bias: zeros(units), inputs: zeros(batch, width) };
    denseWeightGradients(gradients, cache.inputs.data, 0, batch, upstream);
    denseInputGradients(cache.weights, upstream, batch, gradients.inputs.data, 0);
    return gradients;
  }

  /** A copy of the weights. */
  getWeights(): DenseWeights {
    return this.check(this.weights);
  }

  /** Replaces the weights (by copies); caches made before keep theirs. */
  setWeights(weights: { readonly [K in keyof DenseWeights]: TensorLike }): void {
    this.weights = this.check(weights);
  }

  private check(weights: { readonly [K in keyof DenseWeights]: TensorLike }): DenseWeights {
    return {
      kernel: toTensor(weights.kernel, 'Dense: kernel', [this.inputs, this.units]),
      bias: toTensor(weights.bias, 'Dense: bias', [this.units]),
    };
  }
}
