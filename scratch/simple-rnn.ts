import { glorotUniform, orthogonal } from './initializers';
import { addRows, multiply, multiplyByTranspose, repeatRow, transposedMultiplyAccumulate } from './kernels';
import { checkOptions } from './options';
import { createRandom } from './random';
import { checkSequences, checkUpstream, type SimpleRNNUpstream } from './sequences';
import { tanhOf } from './tanh';
import { checkMemory, checkSize, toTensor, zeros, type Tensor, type TensorLike } from './tensor';
import { fromTimeMajor, toTimeMajor } from './time-major';

/** Weights of a SimpleRNN, in the layout of TensorFlow.js and Keras. */
export interface SimpleRNNWeights {
  /** [F, U] */ readonly kernel: Tensor;
  /** [U, U]; row: from which unit of the previous state */ readonly recurrentKernel: Tensor;
  /** [U] */ readonly bias: Tensor;
}

/** What the backward pass needs from the forward pass. Time-major: all rows of step 1, then all rows of step 2, ... */
export interface SimpleRNNCache {
  readonly batch: number;
  readonly timeSteps: number;
  readonly weights: SimpleRNNWeights;
  /** [T, B, F]: x_1 .. x_T */ readonly inputs: Float64Array;
  /** [T, B] of 0 and 1 */ readonly mask?: Float64Array | undefined;
  /** [T + 1, B, U]: h_0 (the initial state), h_1 .. h_T */ readonly states: Float64Array;
  /** h_0 is zero: its products need not be computed */ readonly startsAtZero: boolean;
}

/** Room for the gradients that flow backward through time, time-major. */
export interface SimpleRNNFlow {
  /** [T + 1, B, U]: dLoss/dh_0 .. dLoss/dh_T; seeded with what arrives from above, completed step by step */
  readonly dStates: Float64Array;
  /** [T, B, U]: dLoss/dz_1 .. dLoss/dz_T */ readonly dPreActivation: Float64Array;
}

/** Loss gradients that leave the layer: the weights' keys, those of its two inputs, and of the states between. */
export interface SimpleRNNGradients extends SimpleRNNWeights {
  /** [B, T, F] */ readonly inputs: Tensor;
  /** [B, U] */ readonly initialState: Tensor;
  /** [B, T, U]: dLoss/dh_t in total, through this step's own upstream and through all later steps */
  readonly states: Tensor;
}

export interface SimpleRNNForward {
  /** [B, T, U] */ readonly states: Tensor;
  /** [B, U] */ readonly finalState: Tensor;
  readonly cache: SimpleRNNCache;
}

/**
 * Forward through time (Elman 1990). Fills h_1 .. h_T of `cache.states`; h_0 is already there.
 *
 *     z_t = bias + x_t · kernel + h_{t-1} · recurrentKernel
 *     h_t = tanh(z_t)              where mask_t = 1
 *     h_t = h_{t-1}                where mask_t = 0
 */
export function forwardThroughTime(cache: SimpleRNNCache): void {
  const { batch, timeSteps, inputs, mask, states, startsAtZero } = cache;
  const [features, units] = cache.weights.kernel.shape;
  const kernel = cache.weights.kernel.data;
  const recurrentKernel = cache.weights.recurrentKernel.data;
  const bias = cache.weights.bias.data;
  const step = batch * units;

  // z_t = bias + x_t · kernel    for all t in one product: the steps are stacked, [T·B, F] · [F, U]
  repeatRow(bias, timeSteps * batch, states, step);
  multiply(inputs, 0, kernel, states, step, timeSteps * batch, features, units);

  for (let t = 1; t <= timeSteps; t++) {
    const now = t * step;
    const before = now - step;
    // z_t += h_{t-1} · recurrentKernel
    if (t > 1 || !startsAtZero) multiply(states, before, recurrentKernel, states, now, batch, units, units);
    // h_t = tanh(z_t)
    tanhOf(states, states, now, now + step);
    // h_t = h_{t-1}    in the rows that are masked at this step
    if (mask !== undefined) {
      for (let b = 0; b < batch; b++) {
        if (mask[(t - 1) * batch + b] === 0) {
          states.copyWithin(now + b * units, before + b * units, before + (b + 1) * units);
        }
      }
    }
  }
}

/**
 * Backward through time (Werbos 1990). `flow.dStates` arrives holding the gradients from above, h_0's being zero.
 *
 *     dh_t     = from above_t + dz_{t+1} · recurrentKernelᵀ       (h_t is used twice: outside, and by step t + 1)
 *     dz_t     = dh_t ∘ (1 - h_t²)                                (tanh' = 1 - tanh²)
 *     masked:    dz_t = 0,  dh_{t-1} gets dh_t unchanged          (h_t was a copy of h_{t-1})
 *
 * @param toInitialState whether dh_0 is wanted; training does without
 */
export function backwardThroughTime(
  cache: SimpleRNNCache,
  flow: SimpleRNNFlow,
  toInitialState: boolean,
): void {
  const { batch, timeSteps, mask, states } = cache;
  const { dStates, dPreActivation } = flow;
  const units = cache.weights.bias.shape[0];
  const recurrentKernel = cache.weights.recurrentKernel.data;
  const step = batch * units;

  for (let t = timeSteps; t >= 1; t--) {
    const now = t * step;
    const before = now - step;
    // dz_t = dh_t ∘ (1 - h_t²)    as (1 - h)(1 + h), which stays exact when h is close to 1 or -1
    for (let i = 0; i < step; i++) {
      const h = states[now + i];
      dPreActivation[before + i] = dStates[now + i] * ((1 - h) * (1 + h));
    }
    // masked rows: dz_t = 0, dh_{t-1} += dh_t
    if (mask !== undefined) {
      for (let b = 0; b < batch; b++) {
        if (mask[(t - 1) * batch + b] === 0) {
          for (let i = b * units; i < (b + 1) * units; i++) {
            dPreActivation[before + i] = 0;
            dStates[before + i] += dStates[now + i];
          }
        }
      }
    }
    // dh_{t-1} += dz_t · recurrentKernelᵀ
    if (t > 1 || toInitialState) {
      multiplyByTranspose(dPreActivation, before, recurrentKernel, dStates, before, batch, units, units);
    }
  }
}

/**
 * Gradients of the weights, added to `gradients`. Every step uses the same weights, so their gradients add up;
 * with the steps stacked, the sum over t is part of the product.
 *
 *     dKernel          = Σ_t x_tᵀ     · dz_t
 *     dRecurrentKernel = Σ_t h_{t-1}ᵀ · dz_t      (the state that entered step t, h_0 included)
 *     dBias            = Σ_t Σ_b dz_t
 */
export function accumulateWeightGradients(
  cache: SimpleRNNCache,
  flow: SimpleRNNFlow,
  gradients: SimpleRNNWeights,
): void {
  const { batch, timeSteps, inputs, states, startsAtZero } = cache;
  const { dPreActivation } = flow;
  const [features, units] = cache.weights.kernel.shape;
  const rows = timeSteps * batch;
  // dKernel += xᵀ · dz    over all rows of all steps
  transposedMultiplyAccumulate(inputs, 0, dPreActivation, 0, gradients.kernel.data, features, rows, units);
  // dRecurrentKernel += h_{t-1}ᵀ · dz_t    the rows of h_0 .. h_{T-1} next to those of dz_1 .. dz_T
  const dRecurrentKernel = gradients.recurrentKernel.data;
  const used = startsAtZero ? rows - batch : rows;
  const from = (rows - used) * units;
  transposedMultiplyAccumulate(states, from, dPreActivation, from, dRecurrentKernel, units, used, units);
  // dBias += Σ dz
  addRows(dPreActivation, rows, gradients.bias.data);
}

/** Gradient of the inputs: dx_t = dz_t · kernelᵀ, all steps in one product. Returns [T, B, F]. */
export function inputGradients(cache: SimpleRNNCache, flow: SimpleRNNFlow): Float64Array {
  const [features, units] = cache.weights.kernel.shape;
  const dInputs = new Float64Array(cache.inputs.length);
  const rows = cache.timeSteps * cache.batch;
  multiplyByTranspose(flow.dPreActivation, 0, cache.weights.kernel.data, dInputs, 0, rows, units, features);
  return dInputs;
}

/** Sizes of a SimpleRNN, and either its weights or the seed of Keras's default initialisers. */
export interface SimpleRNNOptions {
  readonly features: number;
  readonly units: number;
  readonly weights?: { readonly [K in keyof SimpleRNNWeights]: TensorLike };
  /** default 0; kernel glorotUniform, recurrentKernel orthogonal, bias zeros */ readonly seed?: number;
}

/**
 * A fully connected recurrent layer with tanh: h_t = tanh(x_t · kernel + h_{t-1} · recurrentKernel + bias).
 *
 * Pure and re-entrant: forward returns a cache that backward takes; neither keeps anything in the layer, and backward
 * neither updates weights nor clips. docs/bptt.md derives each line of the backward pass.
 *
 * @example
 * ```ts
 * const layer = new SimpleRNN({ features: 1, units: 1, weights: { kernel: [[1]], recurrentKernel: [[2]], bias: [0] } });
 * const { finalState, cache } = layer.forward([[[0.5], [0]]]);
 * finalState.data[0].toFixed(15) === Math.tanh(2 * Math.tanh(0.5)).toFixed(15); // => true
 * layer.backward(cache, { finalState: [[0]] }).kernel.data[0]; // => 0
 * ```
 */
export class SimpleRNN {
  readonly features: number;
  readonly units: number;
  private weights: SimpleRNNWeights;

  constructor(options: SimpleRNNOptions) {
    ({ features: this.features, units: this.units } = checkSimpleRNNOptions(options, 'SimpleRNN'));
    this.weights = simpleRNNWeights(options, 'SimpleRNN');
  }

  /**
   * @param inputs [B, T, F]
   * @param initialState [B, U]; zeros when absent
   * @param mask [B, T] of 0 and 1; a step with 0 keeps the state, so its row of `states` is the state before it
   * @returns states [B, T, U], finalState [B, U] (the last of them), and the cache for `backward`
   * @throws RangeError on ragged arrays, shapes that do not fit, numbers that are not finite, a mask other than 0 and 1
   */
  forward(inputs: TensorLike, initialState?: TensorLike, mask?: TensorLike): SimpleRNNForward {
    const { units } = this;
    const options = {
      ...(initialState !== undefined && { initialState }),
      ...(mask !== undefined && { mask }),
    };
    const given = checkSequences(inputs, options, this, 'SimpleRNN.forward');
    const { batch, timeSteps } = given;
    const states = new Float64Array((timeSteps + 1) * batch * units);
    if (given.initialState) states.set(given.initialState.data);
    const cache: SimpleRNNCache = {
      batch,
      timeSteps,
      weights: this.weights,
      inputs: toTimeMajor(given.inputs.data, batch, timeSteps, this.features),
      mask: given.mask && toTimeMajor(given.mask.data, batch, timeSteps, 1),
      states,
      startsAtZero: given.initialState === undefined,
    };
    forwardThroughTime(cache);
    return {
      states: this.batchMajor(cache, states.subarray(batch * units), units),
      finalState: { data: states.slice(timeSteps * batch * units), shape: [batch, units] },
      cache,
    };
  }

  /**
   * Backpropagation through time over the whole sequence.
   *
   * @param cache from `forward`; it is read, never changed, and carries the weights of that forward pass
   * @param upstream dLoss/dstates [B, T, U] and/or dLoss/dfinalState [B, U]; what is absent counts as zero
   * @returns dLoss/d each of kernel [F, U], recurrentKernel [U, U], bias [U], inputs [B, T, F], initialState [B, U], and
   * states [B, T, U]. Sums over the batch: the mean's 1/B belongs to the loss and arrives in `upstream`.
   * @throws RangeError when a gradient's shape is not that of what forward made, or a number is not finite
   */
  backward(cache: SimpleRNNCache, upstream: SimpleRNNUpstream): SimpleRNNGradients {
    const { batch, timeSteps } = cache;
    const [features, units] = cache.weights.kernel.shape;
    const step = batch * units;
    const flow: SimpleRNNFlow = {
      dStates: new Float64Array((timeSteps + 1) * step),
      dPreActivation: new Float64Array(timeSteps * step),
    };
    const { states, finalState } = checkUpstream(upstream, [batch, timeSteps, units], 'SimpleRNN.backward');
    if (states) toTimeMajor(states.data, batch, timeSteps, units, flow.dStates.subarray(step));
    if (finalState) {
      for (let i = 0; i < step; i++) flow.dStates[timeSteps * step + i] += finalState.data[i];
    }
    backwardThroughTime(cache, flow, true);
    const gradients = {
      kernel: zeros(features, units),
      recurrentKernel: zeros(units, units),
      bias: zeros(units),
    };
    accumulateWeightGradients(cache, flow, gradients);
    return {
      ...gradients,
      inputs: this.batchMajor(cache, inputGradients(cache, flow), features),
      initialState: { data: flow.dStates.slice(0, step), shape: [batch, units] },
      states: this.batchMajor(cache, flow.dStates.subarray(step), units),
    };
  }

  /** A copy of the weights. */
  getWeights(): SimpleRNNWeights {
    return checkSimpleRNNWeights(this.weights, this, 'SimpleRNN');
  }

  /** Replaces the weights (by copies); caches made before keep theirs. */
  setWeights(weights: { readonly [K in keyof SimpleRNNWeights]: TensorLike }): void {
    this.weights = checkSimpleRNNWeights(weights, this, 'SimpleRNN');
  }

  private batchMajor({ batch, timeSteps }: SimpleRNNCache, data: Float64Array, width: number): Tensor {
    return { data: fromTimeMajor(data, batch, timeSteps, width), shape: [batch, timeSteps, width] };
  }
}

/**
 * The boundary check of a layer's constructor.
 *
 * @param more the options that this layer has besides those of SimpleRNNOptions
 * @throws RangeError on an unknown option, a size that is not a positive integer, or sizes that no memory holds
 */
export function checkSimpleRNNOptions(
  options: SimpleRNNOptions,
  name: string,
  more: Readonly<Record<string, true>> = {},
): { readonly features: number; readonly units: number } {
  checkOptions(options, { features: true, units: true, weights: true, seed: true, ...more }, name);
  const features = checkSize(`${name}: features`, options.features);
  const units = checkSize(`${name}: units`, options.units);
  checkMemory(name, [features, units], [units, units], [units]);
  return { features, units };
}

/** The weights that the options give, or else initial ones. */
export function simpleRNNWeights(options: SimpleRNNOptions, name: string): SimpleRNNWeights {
  const { features, units, weights, seed = 0 } = options;
  if (weights !== undefined) return checkSimpleRNNWeights(weights, options, name);
  const random = createRandom(seed);
  return {
    kernel: glorotUniform(random, features, units),
    recurrentKernel: orthogonal(random, units),
    bias: zeros(units),
  };
}

/** The boundary check of a layer's weights: copies them. @throws RangeError */
export function checkSimpleRNNWeights(
  weights: { readonly [K in keyof SimpleRNNWeights]: TensorLike },
  { features, units }: { readonly features: number; readonly units: number },
  name: string,
): SimpleRNNWeights {
  return {
    kernel: toTensor(weights.kernel, `${name}: kernel`, [features, units]),
    recurrentKernel: toTensor(weights.recurrentKernel, `${name}: recurrentKernel`, [units, units]),
    bias: toTensor(weights.bias, `${name}: bias`, [units]),
  };
}
