import type { BatchResult, CompileOptions, Evaluated, History } from './classifier-interface';
import { compileOptions, resolveCompile } from './classifier-weights';
import { clipByGlobalNorm, globalNorm } from './clip';
import { runFitOn, type NetworkFitOptions } from './fit';
import type { Examples, GivenExamples } from './fit-examples';
import { checkNotFitting } from './fit-lock';
import type { StackConfig } from './layer-config';
import { checkTargets, judge, losses, type LossName } from './losses';
import { createOptimizer, type Optimizer } from './optimizer';
import type { OptimizerConfig } from './optimizer-config';
import { checkChoice, checkOptions, type OptionNames } from './options';
import { Stack, type StackGradients, type StackInputOptions } from './stack';
import {
  addOutputGradient,
  clearGradients,
  joined,
  maskOf,
  outputsOf,
  runBackward,
  runForward,
  shapeOf,
  someInputs,
  type StackInputs,
  type StackPass,
  type StackWeights,
} from './stack-pass';
import { checkSize, type Tensor, type TensorLike } from './tensor';

/** Layers and a loss as plain data. */
export interface NetworkConfig extends StackConfig {
  /** default softmaxCrossEntropy */ readonly loss?: LossName;
}

export interface NetworkOptions extends NetworkConfig, CompileOptions {
  /** of the initial weights; default 0 */ readonly seed?: number;
  /** by layer, instead of initial ones */ readonly weights?: readonly Readonly<Record<string, TensorLike>>[];
}

/**
 * Class indices [B], or [B, T] when the last layer gives every time step (softmaxCrossEntropy); numbers in the shape of the
 * outputs (the other losses).
 */
export type NetworkTargets = TensorLike | ArrayLike<number>;

export interface NetworkPrediction {
  /** [B, C] or [B, T, C]: probabilities, or the numbers themselves for meanSquaredError */ readonly outputs: Tensor;
  /** the same shape: what the last layer gives, before softmax or sigmoid */ readonly logits: Tensor;
  /** by layer, [B, U] each: the `initialStates` of what follows in the sequences */
  readonly finalStates: readonly (readonly Tensor[])[];
}

export interface NetworkLossAndGradients extends NetworkPrediction {
  /** mean over the batch, and over the time steps that exist when the last layer gives all of them */
  readonly loss: number;
  readonly gradients: StackGradients;
}

export interface NetworkBatchResult extends BatchResult {
  /** by layer, after the batch and before the update */ readonly finalStates: readonly (readonly Tensor[])[];
}

/** What an optimizer remembers, so that training can be saved and resumed bit for bit. */
export interface NetworkOptimizerState {
  readonly config: OptimizerConfig;
  /** updates done so far */ readonly step: number;
  /** slot name (`velocity`, `m`, `v`) to one tensor per weight; empty before the first update */
  readonly slots: Readonly<Record<string, StackWeights>>;
}

/** Examples per forward pass of predict and evaluate; the results do not depend on it. */
const chunk = 256;

const networkOptions = {
  features: true,
  layers: true,
  loss: true,
  seed: true,
  weights: true,
  ...compileOptions,
} as const satisfies OptionNames<NetworkOptions>;

/**
 * A network of any layers with a loss at its end, all by hand, in float64.
 * Unless compiled otherwise it learns by plain SGD with learning rate 0.01.
 *
 * @example
 * ```ts
 * const model = new ScratchNetwork({
 *   features: 1,
 *   layers: [{ layer: 'lstm', units: 4 }, { layer: 'dense', units: 2 }],
 *   learningRate: 0.5,
 * });
 * const inputs = [[[0], [1]], [[1], [0]]];
 * for (let i = 0; i < 200; i++) model.trainOnBatch(inputs, [0, 1]);
 * model.evaluate(inputs, [0, 1]).accuracy; // => 1
 * const first = model.predict([[[0]]]);
 * const then = model.predict([[[1]]], { initialStates: first.finalStates });
 * then.outputs.data[0] === model.predict([[[0], [1]]]).outputs.data[0]; // => true
 * ```
 */
export class ScratchNetwork {
  readonly name = 'scratch';
  readonly precision = 'float64';
  readonly config: NetworkConfig;
  private readonly stack: Stack;
  private readonly loss: LossName;
  private optimizer: Optimizer;
  private clipNorm: number | undefined;
  /** the arrays of the last batch of training, for the next one of its sizes */
  private training: Room | undefined;

  /** @throws RangeError on a description that makes no sense, weights that do not fit, or a bad setting */
  constructor(options: NetworkOptions) {
    checkOptions(options, networkOptions, 'ScratchNetwork');
    const { features, layers, seed, weights, loss = 'softmaxCrossEntropy', ...compile } = options;
    this.loss = checkChoice(loss, Object.keys(losses) as LossName[], 'ScratchNetwork: loss');
    this.stack = new Stack({
      layers,
      ...(features !== undefined && { features }),
      ...(seed !== undefined && { seed }),
      ...(weights !== undefined && { weights }),
    });
    this.config = { ...this.stack.config, loss };
    const { output } = this.stack.layers[this.stack.layers.length - 1];
    if (loss === 'softmaxCrossEntropy' && output.width === 1) {
      throw new RangeError(
        'ScratchNetwork: the last layer gives 1 number for softmaxCrossEntropy; the softmax of one number is always 1, so give the last layer 2 units or more, or take sigmoidCrossEntropy.',
      );
    }
    const { config, clipNorm } = resolveCompile(compile);
    this.optimizer = createOptimizer(config);
    this.clipNorm = clipNorm;
  }

  /** Sets (and resets) the optimizer. */
  compile(options: CompileOptions): void {
    checkNotFitting(this, 'compile', true);
    const { config, clipNorm } = resolveCompile(options);
    this.optimizer = createOptimizer(config);
    this.clipNorm = clipNorm;
  }

  /**
   * Trains on examples, in the loop of every network (`runFit`): shuffled, in batches, with callbacks, resumable.
   *
   * @param inputs [N, T, F]; integers [N, T] when the first layer is an embedding
   * @param options as of every network's `fit`; validationData has `labels` of the same kind
   */
  fit(inputs: TensorLike, labels: NetworkTargets, options: NetworkFitOptions = {}): Promise<History> {
    return runFitOn(this, (given, name) => this.checkExamples(given, name), { inputs, labels }, options);
  }

  /**
   * Forward, backward, clip, update. When the loss or the gradients' norm is not finite the weights and the optimizer stay
   * as they were; the result tells.
   *
   * @param inputs [B, T, F]; integers [B, T] when the first layer is an embedding
   */
  trainOnBatch(
    inputs: TensorLike,
    targets: NetworkTargets,
    options: StackInputOptions = {},
  ): NetworkBatchResult {
    checkNotFitting(this, 'trainOnBatch', false);
    const given = this.stack.check(inputs, options, 'trainOnBatch');
    const room = this.roomFor(given);
    const { loss, accuracy } = this.differentiate(room, given, targets, false, 'trainOnBatch: targets');
    const gradients = room.gradientArrays;
    const gradientNorm =
      this.clipNorm === undefined ? globalNorm(gradients) : clipByGlobalNorm(gradients, this.clipNorm);
    if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
      this.optimizer.update(arraysOf(this.stack.liveWeights()), gradients);
    }
    return {
      loss,
      accuracy,
      gradientNorm,
      finalStates: this.stack.statesOf(room.pass, 'finalStates', 'values'),
    };
  }

  /** @param inputs [B, T, F]; integers [B, T] when the first layer is an embedding */
  predict(inputs: TensorLike, options: StackInputOptions = {}): NetworkPrediction {
    const { logits, finalStates } = this.run(this.stack.check(inputs, options, 'predict'), chunk);
    return { outputs: this.outputsFrom(logits), logits, finalStates };
  }

  /** @param options batchSize: examples per forward pass, default 256; it changes no result */
  evaluate(
    inputs: TensorLike,
    targets: NetworkTargets,
    { batchSize = chunk, ...options }: StackInputOptions & { readonly batchSize?: number } = {},
  ): Evaluated {
    const given = this.stack.check(inputs, options, 'evaluate');
    const { logits, mask } = this.run(given, checkSize('evaluate: batchSize', batchSize));
    const checked = checkTargets(this.loss, targets, logits.shape, 'evaluate: targets');
    const { loss, accuracy } = judge(this.loss, logits, checked, mask);
    return { loss, accuracy };
  }

  /** Pure: changes nothing in the network, and returns arrays of its own. */
  lossAndGradients(
    inputs: TensorLike,
    targets: NetworkTargets,
    options: StackInputOptions = {},
  ): NetworkLossAndGradients {
    const given = this.stack.check(inputs, options, 'lossAndGradients');
    const room = this.makeRoom(given);
    const { loss, logits } = this.differentiate(room, given, targets, true, 'lossAndGradients: targets');
    return {
      loss,
      outputs: this.outputsFrom(logits),
      logits,
      finalStates: this.stack.statesOf(room.pass, 'finalStates', 'values'),
      gradients: { weights: room.gradients, ...this.stack.gradientsOf(room.pass) },
    };
  }

  /** A copy of the weights, by layer. */
  getWeights(): StackWeights {
    return this.stack.getWeights();
  }

  /** Replaces the weights (by copies). */
  setWeights(weights: readonly Readonly<Record<string, TensorLike>>[]): void {
    checkNotFitting(this, 'setWeights', true);
    this.stack.setWeights(weights);
    this.training = undefined;
  }

  getOptimizerState(): NetworkOptimizerState {
    const { config, step, slots } = this.optimizer;
    const named = (arrays: readonly Float64Array[]): StackWeights => {
      const memory = this.stack.zeroWeights();
      arraysOf(memory).forEach((array, i) => array.set(arrays[i]));
      return memory;
    };
    return {
      config,
      step,
      slots: Object.fromEntries(Object.entries(slots).map(([name, arrays]) => [name, named(arrays)])),
    };
  }

  setOptimizerState({ config, step, slots }: NetworkOptimizerState): void {
    checkNotFitting(this, 'setOptimizerState', true);
    const arrays = Object.entries(slots).map(([name, memory]) => {
      const checked = this.stack.checkWeights(memory, `setOptimizerState: ${name}`);
      return [name, arraysOf(checked)] as const;
    });
    this.optimizer = createOptimizer(config, { step, slots: Object.fromEntries(arrays) });
  }

  /** Does nothing: there are no tensors to release. */
  dispose(): void {
    this.training = undefined;
  }

  private checkExamples({ inputs, labels, mask }: GivenExamples, name: string): Examples {
    const given = this.stack.check(inputs, mask ? { mask } : {}, name);
    const { width, hasTime } = this.stack.layers[this.stack.layers.length - 1].output;
    const outputs = hasTime ? [given.batch, given.timeSteps, width] : [given.batch, width];
    const data = checkTargets(this.loss, labels, outputs, `${name}: labels`);
    return {
      inputs: given.inputs,
      labels: { data, shape: this.loss === 'softmaxCrossEntropy' ? outputs.slice(0, -1) : outputs },
      mask: given.mask,
    };
  }

  /** The arrays of the batch before, when the sizes are the same. */
  private roomFor(given: StackInputs): Room {
    const { pass } = this.training ?? {};
    const fits =
      pass?.batch === given.batch &&
      pass.timeSteps === given.timeSteps &&
      (pass.input.mask === undefined) === (given.mask === undefined);
    if (this.training && fits) return this.training;
    this.training = this.makeRoom(given);
    return this.training;
  }

  private makeRoom(given: StackInputs): Room {
    const gradients = this.stack.zeroWeights();
    return { pass: this.stack.prepare(given), gradients, gradientArrays: arraysOf(gradients) };
  }

  /** Forward, loss, and the chain rule back to every weight; overwrites the gradients in `room`. */
  private differentiate(
    { pass, gradients, gradientArrays }: Room,
    given: StackInputs,
    targets: NetworkTargets,
    toInputs: boolean,
    name: string,
  ) {
    const checked = checkTargets(this.loss, targets, shapeOf(pass.output), name);
    runForward(pass, given);
    const logits = outputsOf(pass);
    const { loss, accuracy, gradient } = judge(this.loss, logits, checked, maskOf(pass));
    for (const array of gradientArrays) array.fill(0);
    clearGradients(pass);
    addOutputGradient(pass, gradient());
    runBackward(pass, gradients, toInputs);
    return { loss, accuracy, logits };
  }

  private outputsFrom({ data, shape }: Tensor): Tensor {
    const outputs = new Float64Array(data.length);
    const width = shape[shape.length - 1];
    losses[this.loss].outputs(data, data.length / width, width, outputs);
    return { data: outputs, shape };
  }

  /** The forward pass over any number of examples, in chunks so that memory stays small. */
  private run(given: StackInputs, batchSize: number) {
    const parts: { logits: Tensor; mask: Tensor | undefined; finalStates: Tensor[][] }[] = [];
    for (let from = 0; from < given.batch; from += batchSize) {
      const some = someInputs(given, from, Math.min(from + batchSize, given.batch));
      const pass = this.stack.prepare(some);
      runForward(pass, some);
      parts.push({
        logits: outputsOf(pass),
        mask: maskOf(pass),
        finalStates: this.stack.statesOf(pass, 'finalStates', 'values'),
      });
    }
    const masks = parts.flatMap(({ mask }) => (mask === undefined ? [] : [mask]));
    return {
      logits: joined(parts.map(({ logits }) => logits)),
      mask: masks.length === 0 ? undefined : joined(masks),
      finalStates: parts[0].finalStates.map((ofLayer, i) =>
        ofLayer.map((_, k) => joined(parts.map(({ finalStates }) => finalStates[i][k]))),
      ),
    };
  }
}

interface Room {
  readonly pass: StackPass;
  readonly gradients: StackWeights;
  /** their flat arrays, layer after layer */ readonly gradientArrays: readonly Float64Array[];
}

/** The flat arrays of the weights, layer after layer. */
function arraysOf(weights: StackWeights): Float64Array[] {
  return weights.flatMap((layer) => Object.values(layer).map(({ data }) => data));
}
