import { checkMask } from './mask';
import { makeSignal, type Layer } from './layer';
import type { LayerConfig, StackConfig } from './layer-config';
import { buildLayer } from './layers';
import { checkOptions, type OptionNames } from './options';
import { createRandom } from './random';
import {
  borrowTensor,
  checkSize,
  formatShape,
  indexOf,
  toTensor,
  zeros,
  type Tensor,
  type TensorLike,
} from './tensor';
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

/** The carried states of every layer, [B, U] each: h, or h and c; of a bidirectional layer those of both; [] of others. */
export type LayerStates = readonly (readonly TensorLike[])[];

/** Optional companions of the inputs of a stack. */
export interface StackInputOptions {
  /** by layer, as `finalStates` gives them; zeros where absent or [] */ readonly initialStates?: LayerStates;
  /** [B, T] of 0 and 1; a step with mask 0 keeps all states */ readonly mask?: TensorLike;
}

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
  /** instead of initial ones */ readonly weights?: readonly Readonly<Record<string, TensorLike>>[];
}

const inputOptions = { initialStates: true, mask: true } as const satisfies OptionNames<StackInputOptions>;
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
export class Stack {
  readonly config: StackConfig;
  /** F; 1 where the inputs are integers */ readonly features: number;
  readonly layers: readonly Layer[];
  /** how many integers an embedding knows; undefined where the inputs are numbers */
  readonly vocabulary: number | undefined;
  private weights: StackWeights;

  /** @throws RangeError on a description that makes no sense, sizes that do not fit, or weights that do not fit */
  constructor(options: StackOptions) {
    const { features, layers, seed = 0, weights } = options;
    this.config = { ...(features !== undefined && { features }), layers };
    if (!Array.isArray(layers) || layers.length === 0) {
      throw new RangeError(
        `Stack: layers is ${Array.isArray(layers) ? 'empty' : `a ${typeof layers}`}; pass an array of layer descriptions: [{ layer: 'lstm', units: 16 }].`,
      );
    }
    const first = (options.layers as readonly (LayerConfig | undefined)[])[0];
    this.vocabulary = first?.layer === 'embedding' ? first.inputDim : undefined;
    if ((this.vocabulary === undefined) !== (features !== undefined)) {
      throw new RangeError(
        `Stack: features is ${String(features)} and layers[0] is ${String(first?.layer)}; pass features, the F of the inputs [B, T, F], unless the first layer is an embedding, whose inputs are integers [B, T].`,
      );
    }
    this.features = features === undefined ? 1 : checkSize('Stack: features', features);
    let shape = { width: this.features, hasTime: true };
    this.layers = options.layers.map((config, i) => {
      const layer = buildLayer(config, shape, `layers[${i}]`);
      shape = layer.output;
      return layer;
    });
    this.weights =
      weights === undefined
        ? initialWeights(this.layers, seed)
        : checkStackWeights(weights, this.layers, 'Stack: weights');
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
  setWeights(weights: readonly Readonly<Record<string, TensorLike>>[]): void {
    this.weights = this.checkWeights(weights, 'setWeights');
  }

  /** Zeros in the shapes of the weights. */
  zeroWeights(): StackWeights {
    return this.layers.map(({ shapes }) => mapRecord(shapes, (shape) => zeros(...shape)));
  }

  /** As `setWeights` takes them: checked copies. */
  checkWeights(weights: readonly Readonly<Record<string, TensorLike>>[], name: string): StackWeights {
    return checkStackWeights(weights, this.layers, name);
  }

  /** The weights themselves, not a copy: for an optimizer, which changes them in place. */
  liveWeights(): StackWeights {
    return this.weights;
  }

  /** The boundary check of inputs. */
  check(inputs: TensorLike, options: StackInputOptions, name: string): StackInputs {
    checkOptions(options, inputOptions, name);
    const expected = this.vocabulary === undefined ? ['B', 'T', this.features] : ['B', 'T'];
    const x = borrowTensor(inputs, `${name}: inputs`, expected);
    const [batch, timeSteps] = x.shape;
    if (this.vocabulary !== undefined) checkIntegers(x, this.vocabulary, `${name}: inputs`);
    return {
      batch,
      timeSteps,
      inputs: x,
      initialStates: this.checkStates(options.initialStates, batch, `${name}: initialStates`),
      mask: checkMask(options.mask, `${name}: mask`, batch, timeSteps),
    };
  }

  /** Arrays for a batch of these sizes; it reads the weights as they are when it runs. */
  prepare({ batch, timeSteps, mask }: StackInputs): StackPass {
    const input = makeSignal(batch, timeSteps, this.features, mask && new Float64Array(timeSteps * batch));
    let output = input;
    const passes = this.layers.map((layer, i) => {
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

  /** What a finished backward pass sends out below. */
  gradientsOf(pass: StackPass): Omit<StackGradients, 'weights'> {
    const { input } = pass;
    return {
      ...(this.vocabulary === undefined && { inputs: batchMajor(input.gradient, input) }),
      initialStates: this.statesOf(pass, 'initialStates', 'gradient'),
    };
  }

  private checkStates(given: LayerStates | undefined, batch: number, name: string): Tensor[][] {
    if (given === undefined) return this.layers.map(() => []);
    if (!Array.isArray(given) || given.length !== this.layers.length) {
      throw new RangeError(
        `${name} has ${Array.isArray(given) ? `${given.length} entries` : 'no entries'} for ${this.layers.length} layers; pass an array of states per layer, [] for a layer without any, as finalStates has them.`,
      );
    }
    return given.map((ofLayer: readonly TensorLike[], i) => {
      const { states } = this.layers[i];
      if (!Array.isArray(ofLayer) || (ofLayer.length > 0 && ofLayer.length !== states.length)) {
        throw new RangeError(
          `${name}[${i}] has ${Array.isArray(ofLayer) ? ofLayer.length : 'no array of'} states; ${this.config.layers[i].layer} carries ${states.length}, so pass ${states.length === 0 ? '[]' : `${states.length} of shape ${formatShape([batch, states[0]])}, or [] for zeros`}.`,
        );
      }
      return ofLayer.map((state: TensorLike, k) =>
        borrowTensor(state, `${name}[${i}][${k}]`, [batch, states[k]]),
      );
    });
  }
}

function mapRecord<T, R>(
  record: Readonly<Record<string, T>>,
  change: (value: T, key: string) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

function initialWeights(layers: readonly Layer[], seed: number): StackWeights {
  const random = createRandom(seed);
  return layers.map((layer) =>
    mapRecord(layer.initialize(random), ({ data, shape }) => ({ data: data.map(Math.fround), shape })),
  );
}

/**
 * The boundary check of weights: copies them, checked against the layers.
 *
 * @throws RangeError when a layer or a weight is missing or unknown, has another shape, or holds a number that is not finite
 */
function checkStackWeights(
  weights: readonly Readonly<Record<string, TensorLike>>[],
  layers: readonly Layer[],
  name: string,
): StackWeights {
  if (!Array.isArray(weights) || weights.length !== layers.length) {
    throw new RangeError(
      `${name} has ${Array.isArray(weights) ? `${weights.length} entries` : 'no entries'} for ${layers.length} layers; pass an object of weights per layer, as getWeights has them.`,
    );
  }
  return layers.map(({ shapes }, i) => {
    const given = (weights as readonly Readonly<Record<string, TensorLike>>[])[i];
    checkOptions(
      given,
      mapRecord(shapes, () => true as const),
      `${name}[${i}]`,
    );
    return mapRecord(shapes, (shape, key) => toTensor(given[key], `${name}[${i}]: ${key}`, shape));
  });
}

function checkIntegers({ data, shape }: Tensor, below: number, name: string): void {
  const bad = data.findIndex((x) => !Number.isInteger(x) || x < 0 || x >= below);
  if (bad < 0) return;
  throw new RangeError(
    `${name} holds ${String(data[bad])} at ${formatShape(indexOf(bad, shape))}; an embedding with inputDim ${below} reads integers from 0 to ${below - 1}, so renumber them or make inputDim larger.`,
  );
}
