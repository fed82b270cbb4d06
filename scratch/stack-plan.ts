import type { Layer, LayerPlan } from './layer';
import type { LayerConfig, StackConfig } from './layer-config';
import { buildLayer } from './layers';
import { checkMask } from './mask';
import { checkOptions, describe, type OptionNames } from './options';
import { createRandom } from './random';
import type { StackInputs, StackWeights } from './stack-pass';
import {
  borrowTensor,
  checkMemory,
  checkSize,
  formatShape,
  indexOf,
  toTensor,
  zeros,
  type Tensor,
  type TensorLike,
} from './tensor';

/** The carried states of every layer, [B, U] each: h, or h and c; of a bidirectional layer those of both; [] of others. */
export type LayerStates = readonly (readonly TensorLike[])[];

/** h_1 .. h_T of every layer's walks through time, [B, T, U] each: one, of a bidirectional layer two, [] of others. */
export type LayerSequences = readonly (readonly TensorLike[])[];

/** Optional companions of the inputs of a stack. */
export interface StackInputOptions {
  /** by layer, as `finalStates` gives them; zeros where absent or [] */ readonly initialStates?: LayerStates;
  /** [B, T] of 0 and 1; a step with mask 0 keeps all states */ readonly mask?: TensorLike;
}

/** Weights by layer, as a user gives them. */
export type GivenWeights = readonly Readonly<Record<string, TensorLike>>[];

export const inputOptions = {
  initialStates: true,
  mask: true,
} as const satisfies OptionNames<StackInputOptions>;

/**
 * Layers on layers before there are numbers: the description, checked; the shapes of weights and states that follow from it;
 * and the boundary checks of everything that reaches it. No arithmetic: the same plan serves every network that runs the layers.
 */
export class StackPlan {
  readonly config: StackConfig;
  /** F; 1 where the inputs are integers */ readonly features: number;
  readonly layers: readonly LayerPlan[];
  /** how many integers an embedding knows; undefined where the inputs are numbers */
  readonly vocabulary: number | undefined;
  protected readonly built: readonly Layer[];
  /** the masks where there is none */ private readonly allSteps: undefined[];

  /**
   * @param name of the class, for messages
   * @throws RangeError on a description that makes no sense or sizes that do not fit
   */
  constructor({ features, layers: given }: StackConfig, name = 'Stack') {
    // a copy, in which a hole is undefined: the caller may change the descriptions afterwards
    const layers = Array.isArray(given)
      ? Object.freeze(Array.from(given as readonly LayerConfig[], copyOfLayer))
      : given;
    this.config = Object.freeze({ ...(features !== undefined && { features }), layers });
    if (!Array.isArray(layers) || layers.length === 0) {
      throw new RangeError(
        `${name}: layers is ${Array.isArray(layers) ? 'empty' : describe(layers)}; pass an array of layer descriptions: [{ layer: 'lstm', units: 16 }].`,
      );
    }
    const first = (layers as readonly (LayerConfig | undefined)[])[0];
    this.vocabulary = first?.layer === 'embedding' ? first.inputDim : undefined;
    if ((this.vocabulary === undefined) !== (features !== undefined)) {
      throw new RangeError(
        `${name}: features is ${String(features)} and layers[0] is ${String(first?.layer)}; pass features, the F of the inputs [B, T, F], unless the first layer is an embedding, whose inputs are integers [B, T].`,
      );
    }
    this.features = features === undefined ? 1 : checkSize(`${name}: features`, features);
    let shape = { width: this.features, hasTime: true };
    this.built = (layers as readonly LayerConfig[]).map((config, i) => {
      const layer = buildLayer(config, shape, `layers[${i}]`);
      shape = layer.output;
      return layer;
    });
    this.layers = this.built;
    this.allSteps = new Array<undefined>(layers.length + 1).fill(undefined);
    checkMemory(`${name}: layers`, ...this.layers.flatMap(({ shapes }) => Object.values(shapes)));
  }

  /** The shape of what the last layer gives for a batch: [B, T, N] or [B, N]. */
  outputShape({ batch, timeSteps }: Pick<StackInputs, 'batch' | 'timeSteps'>): number[] {
    const { width, hasTime } = this.layers[this.layers.length - 1].output;
    return hasTime ? [batch, timeSteps, width] : [batch, width];
  }

  /** Keras's initial weights, rounded to float32, so that networks of either precision start equal. */
  initialWeights(seed: number): StackWeights {
    const random = createRandom(seed);
    return this.built.map((layer) =>
      mapRecord(layer.initialize(random), ({ data, shape }) => ({ data: data.map(Math.fround), shape })),
    );
  }

  /** Zeros in the shapes of the weights. */
  zeroWeights(): StackWeights {
    return this.layers.map(({ shapes }) => mapRecord(shapes, (shape) => zeros(...shape)));
  }

  /**
   * The boundary check of weights: copies them, checked against the layers.
   *
   * @throws RangeError when a layer or a weight is missing or unknown, has another shape, or holds a number that is not finite
   */
  checkWeights(weights: GivenWeights, name: string): StackWeights {
    if (!Array.isArray(weights) || weights.length !== this.layers.length) {
      throw new RangeError(
        `${name} has ${Array.isArray(weights) ? `${weights.length} entries` : 'no entries'} for ${this.layers.length} layers; pass an object of weights per layer, as getWeights has them.`,
      );
    }
    return this.layers.map(({ shapes }, i) => {
      const given = (weights as GivenWeights)[i];
      checkOptions(
        given,
        mapRecord(shapes, () => true as const),
        `${name}[${i}]`,
      );
      return mapRecord(shapes, (shape, key) => toTensor(given[key], `${name}[${i}]: ${key}`, shape));
    });
  }

  /**
   * The boundary check of inputs.
   *
   * @param more options that the method has besides those of the inputs
   */
  check(
    inputs: TensorLike,
    options: StackInputOptions,
    name: string,
    more: Readonly<Record<string, true>> = {},
  ): StackInputs {
    checkOptions(options, { ...inputOptions, ...more }, name);
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

  /**
   * Which steps exist for each layer, and at last for the output of the stack: [B, T] in the order of the steps that the layer
   * reads; undefined where all exist, or where there is no time axis.
   */
  masksOf({ inputs, mask, batch, timeSteps }: StackInputs): readonly (Tensor | undefined)[] {
    if (mask === undefined && this.vocabulary === undefined) return this.allSteps;
    const masks = [mask];
    this.config.layers.forEach((config, i) => {
      let next = this.layers[i].output.hasTime ? masks[i] : undefined;
      if (config.layer === 'embedding' && config.maskZero === true) {
        const data = inputs.data.map((id, n) => (id === 0 ? 0 : (mask?.data[n] ?? 1)));
        next = { data, shape: [batch, timeSteps] };
      }
      // the output of a layer that walks backwards is in the order of its walk
      if (next && 'goBackwards' in config && config.goBackwards) {
        const { data } = next;
        next = {
          data: data.map((_, n) => data[n - 2 * (n % timeSteps) + timeSteps - 1]),
          shape: next.shape,
        };
      }
      masks.push(next);
    });
    return masks;
  }

  /** The boundary check of states: [] for a layer whose states are not given. */
  checkStates(given: LayerStates | undefined, batch: number, name: string): Tensor[][] {
    return this.checkByLayer(
      given,
      ({ states }) => states.map((width) => [batch, width]),
      name,
      'states',
      'finalStates',
    );
  }

  /** The boundary check of what arrives at the walks through time: [] for a layer at which nothing arrives. */
  checkSequences(
    given: LayerSequences | undefined,
    { batch, timeSteps }: Pick<StackInputs, 'batch' | 'timeSteps'>,
    name: string,
  ): Tensor[][] {
    return this.checkByLayer(
      given,
      ({ sequences }) => sequences.map((width) => [batch, timeSteps, width]),
      name,
      'sequences',
      'sequences',
    );
  }

  private checkByLayer(
    given: LayerStates | undefined,
    shapesOf: (layer: LayerPlan) => readonly (readonly number[])[],
    name: string,
    what: 'states' | 'sequences',
    like: string,
  ): Tensor[][] {
    if (given === undefined) return this.layers.map(() => []);
    if (!Array.isArray(given) || given.length !== this.layers.length) {
      throw new RangeError(
        `${name} has ${Array.isArray(given) ? `${given.length} entries` : 'no entries'} for ${this.layers.length} layers; pass an array of ${what} per layer, [] for a layer without any, as ${like} has them.`,
      );
    }
    return given.map((ofLayer: readonly TensorLike[], i) => {
      const shapes = shapesOf(this.layers[i]);
      if (!Array.isArray(ofLayer) || (ofLayer.length > 0 && ofLayer.length !== shapes.length)) {
        throw new RangeError(
          `${name}[${i}] has ${Array.isArray(ofLayer) ? ofLayer.length : 'no array of'} ${what}; ${this.config.layers[i].layer} carries ${shapes.length}, so pass ${shapes.length === 0 ? '[]' : `${shapes.length} of shape ${formatShape(shapes[0])}, or [] for zeros`}.`,
        );
      }
      return ofLayer.map((one: TensorLike, k) => borrowTensor(one, `${name}[${i}][${k}]`, shapes[k]));
    });
  }
}

/**
 * A description of a layer that shares nothing with the one given, and is frozen; what is no description is left to its check.
 */
export function copyOfLayer<T>(layer: T): T {
  if (typeof layer !== 'object' || layer === null) return layer;
  return Object.freeze({ ...layer, ...('wrapped' in layer && { wrapped: copyOfLayer(layer.wrapped) }) });
}

function mapRecord<T, R>(
  record: Readonly<Record<string, T>>,
  change: (value: T, key: string) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

function checkIntegers({ data, shape }: Tensor, below: number, name: string): void {
  const bad = data.findIndex((x) => !Number.isInteger(x) || x < 0 || x >= below);
  if (bad < 0) return;
  throw new RangeError(
    `${name} holds ${String(data[bad])} at ${formatShape(indexOf(bad, shape))}; an embedding with inputDim ${below} reads integers from 0 to ${below - 1}, so renumber them or make inputDim larger.`,
  );
}
