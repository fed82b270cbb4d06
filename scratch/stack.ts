import { makeSignal } from './layer';
import type { StackConfig } from './layer-config';
import { checkOptions, type OptionNames } from './options';
import { StackPlan, type GivenWeights, type LayerStates, type StackInputOptions } from './stack-plan';
import {
  addOutputGradient,
  addTo,
  batchMajor,
  clearGradients,
  outputsOf,
  runBackward,
  runForward,
  shapeOf,
  type StackInputs,
  type StackPass,
  type StackWeights,
} from './stack-pass';
import { borrowTensor, type Tensor, type TensorLike } from './tensor';

export interface StackForward {
  /** [B, T, N] or [B, N] of the last layer */ readonly outputs: Tensor;
  /** by layer: what `initialStates` of the next part of the sequences takes */
  readonly finalStates: readonly (readonly Tensor[])[];
  /** for `backward` */ readonly cache: StackPass;
}

/** Loss gradients that arrive at a stack. */
export interface StackUpstream {
  /** in the shape of the outputs */ readonly outputs?: TensorLike;
  /** in the shape of the final states; [] where nothing arrives */ readonly finalStates?: LayerStates;
}

export interface StackGradients {
  readonly weights: StackWeights;
  /** [B, T, F]; absent where the inputs are integers */ readonly inputs?: Tensor;
  /** by layer, as finalStates */ readonly initialStates: readonly (readonly Tensor[])[];
}

export interface StackOptions extends StackConfig {
  /** default 0; Keras's initial weights, rounded to float32 so that networks of either precision start equal */
  readonly seed?: number;
  /** instead of initial ones */ readonly weights?: GivenWeights;
}

const upstreamOptions = { outputs: true, finalStates: true } as const satisfies OptionNames<StackUpstream>;

/**
 * Layers on layers: recurrent, bidirectional, dense, embedding, from a plain description. Pure and re-entrant: `forward`
 * returns a cache that `backward` takes; neither keeps anything in the stack, and nothing updates or clips.
 *
 * @example
 * ```ts
 * const stack = new Stack({ features: 2, layers: [{ layer: 'lstm', units: 3, returnSequences: true }, { layer: 'gru', units: 4 }] });
 * const { outputs, finalStates, cache } = stack.forward([[[1, 2], [3, 4]]]);
 * outputs.shape; // => [1, 4]
 * finalStates.map((states) => states.length); // => [2, 1]
 * const gradients = stack.backward(cache, { outputs: [[1, 1, 1, 1]] });
 * gradients.weights[0].kernel.shape; // => [2, 12]
 * ```
 */
export class Stack extends StackPlan {
  private weights: StackWeights;

  /** @throws RangeError on a description that makes no sense, sizes that do not fit, or weights that do not fit */
  constructor(options: StackOptions) {
    super(options);
    const { seed = 0, weights } = options;
    this.weights =
      weights === undefined ? this.initialWeights(seed) : this.checkWeights(weights, 'Stack: weights');
  }

  /**
   * @param inputs [B, T, F]; integers [B, T] when the first layer is an embedding
   * @throws RangeError on shapes that do not fit, numbers that are not finite, or an unknown option
   */
  forward(inputs: TensorLike, options: StackInputOptions = {}): StackForward {
    const checked = this.check(inputs, options, 'Stack.forward');
    const cache = this.prepare(checked);
    runForward(cache, checked);
    return { outputs: outputsOf(cache), finalStates: this.statesOf(cache, 'finalStates', 'values'), cache };
  }

  /**
   * Backpropagation through all layers and all steps.
   *
   * @param cache from `forward`; it carries the weights of that forward pass, and may be used again
   * @param upstream dLoss/doutputs and dLoss/dfinalStates; what is absent counts as zero
   * @returns dLoss/d each of the weights, the inputs, and the initial states (h and c). Sums over the batch: the mean's 1/B
   * belongs to the loss and arrives in `upstream`.
   * @throws RangeError when a gradient's shape is not that of what forward made, or a number is not finite
   */
  backward(cache: StackPass, upstream: StackUpstream): StackGradients {
    checkOptions(upstream, upstreamOptions, 'Stack.backward: upstream');
    const { passes, output, batch } = cache;
    const { outputs, finalStates } = upstream;
    clearGradients(cache);
    if (outputs !== undefined) {
      const arriving = borrowTensor(outputs, 'Stack.backward: upstream.outputs', shapeOf(output));
      addOutputGradient(cache, arriving.data);
    }
    const states = this.checkStates(finalStates, batch, 'Stack.backward: upstream.finalStates');
    states.forEach((ofLayer, i) => {
      ofLayer.forEach((state, k) => addTo(passes[i].finalStates[k].gradient, state.data));
    });
    const weights = this.zeroWeights();
    runBackward(cache, weights, true);
    return { weights, ...this.gradientsOf(cache) };
  }

  /** A copy of the weights, by layer. */
  getWeights(): StackWeights {
    return this.checkWeights(this.weights, 'getWeights');
  }

  /** Replaces the weights (by copies); caches made before keep theirs. */
  setWeights(weights: GivenWeights): void {
    this.weights = this.checkWeights(weights, 'setWeights');
  }

  /** The weights themselves, not a copy: for an optimizer, which changes them in place. */
  liveWeights(): StackWeights {
    return this.weights;
  }

  /** Arrays for a batch of these sizes; it reads the weights as they are when it runs. */
  prepare({ batch, timeSteps, mask }: StackInputs): StackPass {
    const input = makeSignal(batch, timeSteps, this.features, mask && new Float64Array(timeSteps * batch));
    let output = input;
    const passes = this.built.map((layer, i) => {
      const pass = layer.prepare(this.weights[i], output);
      output = pass.output;
      return pass;
    });
    return { batch, timeSteps, input, passes, output };
  }

  /** States, or their gradients, as tensors of their own. */
  statesOf(
    { passes, batch }: StackPass,
    which: 'initialStates' | 'finalStates',
    what: 'values' | 'gradient',
  ): Tensor[][] {
    return passes.map((pass, i) =>
      pass[which].map((carry, k) => ({
        data: carry[what].slice(),
        shape: [batch, this.layers[i].states[k]],
      })),
    );
  }

  /** h_1 .. h_T of every walk through time, by layer. */
  sequencesOf({ passes }: StackPass): Tensor[][] {
    return passes.map(({ sequences }) => sequences.map((signal) => batchMajor(signal.values, signal)));
  }

  /** What a finished backward pass sends out below. */
  gradientsOf(pass: StackPass): Omit<StackGradients, 'weights'> {
    const { input } = pass;
    return {
      ...(this.vocabulary === undefined && { inputs: batchMajor(input.gradient, input) }),
      initialStates: this.statesOf(pass, 'initialStates', 'gradient'),
    };
  }
}
