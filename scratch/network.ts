import type { CompileOptions, Evaluated, History } from './classifier-interface';
import { resolveCompile } from './classifier-weights';
import { clipByGlobalNorm, globalNorm } from './clip';
import { runFitOn, type NetworkFitOptions } from './fit';
import { checkNotFitting } from './fit-lock';
import { judge, losses, type Targets } from './losses';
import type {
  LayersNetwork,
  NetworkAnswer,
  NetworkBatchResult,
  NetworkConfig,
  NetworkLossAndGradients,
  NetworkOptimizerState,
  NetworkOptions,
  NetworkPrediction,
  NetworkQuestion,
  NetworkTargets,
} from './network-interface';
import { resolveNetwork, type CheckedQuestion, type NetworkPlan } from './network-plan';
import { createOptimizer, type Optimizer } from './optimizer';
import { Stack } from './stack';
import {
  addOutputGradient,
  addTo,
  borrowOutputs,
  clearGradients,
  joined,
  maskOf,
  outputsOf,
  runBackward,
  runForward,
  someInputs,
  type StackInputs,
  type StackPass,
  type StackWeights,
} from './stack-pass';
import type { GivenWeights, StackInputOptions } from './stack-plan';
import { checkSize, type Tensor, type TensorLike } from './tensor';
import { toTimeMajor } from './time-major';

/** Examples per forward pass of predict and evaluate; the results do not depend on it. */
const chunk = 256;

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
export class ScratchNetwork implements LayersNetwork {
  readonly name = 'scratch';
  readonly precision = 'float64';
  readonly config: NetworkConfig;
  private readonly stack: Stack;
  private readonly plan: NetworkPlan;
  private optimizer: Optimizer;
  private clipNorm: number | undefined;
  /** the arrays of the last batch of training, for the next one of its sizes */
  private training: Room | undefined;

  /** @throws RangeError on a description that makes no sense, weights that do not fit, or a bad setting */
  constructor(options: NetworkOptions) {
    const { plan, weights, config, clipNorm } = resolveNetwork(options, 'ScratchNetwork');
    this.plan = plan;
    this.config = plan.config;
    this.stack = new Stack({ ...options, weights });
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
    return runFitOn(this, (given, name) => this.plan.checkExamples(given, name), { inputs, labels }, options);
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
    const batch = this.plan.checkBatch(inputs, targets, options, 'trainOnBatch');
    const room = this.roomFor(batch.given);
    const { loss, accuracy } = this.differentiate(room, batch.given, batch.targets)!;
    const gradients = room.gradientArrays;
    const gradientNorm =
      this.clipNorm === undefined ? globalNorm(gradients) : clipByGlobalNorm(gradients, this.clipNorm);
    if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
      this.optimizer.update(room.weightArrays, gradients);
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
    const { logits, finalStates } = this.forward(this.plan.check(inputs, options, 'predict'), chunk);
    return { outputs: this.outputsFrom(logits), logits, finalStates };
  }

  /** @param options batchSize: examples per forward pass, default 256; it changes no result */
  evaluate(
    inputs: TensorLike,
    targets: NetworkTargets,
    { batchSize = chunk, ...options }: StackInputOptions & { readonly batchSize?: number } = {},
  ): Evaluated {
    const batch = this.plan.checkBatch(inputs, targets, options, 'evaluate', { batchSize: true });
    const { logits, mask } = this.forward(batch.given, checkSize('evaluate: batchSize', batchSize));
    const { loss, accuracy } = judge(this.plan.loss, logits, batch.targets, mask);
    return { loss, accuracy };
  }

  /** Pure: changes nothing in the network, and returns arrays of its own. */
  lossAndGradients(
    inputs: TensorLike,
    targets: NetworkTargets,
    options: StackInputOptions = {},
  ): NetworkLossAndGradients {
    const { given, targets: checked } = this.plan.checkBatch(inputs, targets, options, 'lossAndGradients');
    const question = { given, targets: checked, upstream: undefined, sequences: false };
    return this.answer(question) as NetworkLossAndGradients;
  }

  /** One forward pass and, where targets or upstream ask for it, one backward pass; as pure as `lossAndGradients`. */
  run(inputs: TensorLike, question: NetworkQuestion = {}): NetworkAnswer {
    return this.answer(this.plan.checkQuestion(inputs, question, 'run'));
  }

  /** A copy of the weights, by layer. */
  getWeights(): StackWeights {
    return this.stack.getWeights();
  }

  /** Replaces the weights (by copies). */
  setWeights(weights: GivenWeights): void {
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
      config: { ...config },
      step,
      slots: Object.fromEntries(Object.entries(slots).map(([name, arrays]) => [name, named(arrays)])),
    };
  }

  setOptimizerState(state: NetworkOptimizerState): void {
    checkNotFitting(this, 'setOptimizerState', true);
    const { config, step, slots } = this.plan.checkOptimizerState(state, 'setOptimizerState');
    const arrays = Object.entries(slots).map(([name, memory]) => [name, arraysOf(memory)] as const);
    this.optimizer = createOptimizer(config, { step, slots: Object.fromEntries(arrays) });
  }

  /** Does nothing: there are no tensors to release. */
  dispose(): void {
    this.training = undefined;
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
    return {
      pass: this.stack.prepare(given),
      weightArrays: arraysOf(this.stack.liveWeights()),
      gradients,
      gradientArrays: arraysOf(gradients),
    };
  }

  private answer({ given, targets, upstream, sequences }: CheckedQuestion): NetworkAnswer {
    const room = this.makeRoom(given);
    const backward = targets !== undefined || upstream !== undefined;
    if (!backward) runForward(room.pass, given);
    const judged = backward ? this.differentiate(room, given, targets, upstream ?? {}) : undefined;
    const logits = outputsOf(room.pass);
    return {
      ...(judged && { loss: judged.loss }),
      outputs: this.outputsFrom(logits),
      logits,
      finalStates: this.stack.statesOf(room.pass, 'finalStates', 'values'),
      ...(sequences && { sequences: this.stack.sequencesOf(room.pass) }),
      ...(backward && { gradients: { weights: room.gradients, ...this.stack.gradientsOf(room.pass) } }),
    };
  }

  /**
   * Forward, loss, and the chain rule back to every weight; overwrites the gradients in `room`.
   *
   * @param upstream with it the chain rule goes on to the inputs
   */
  private differentiate(
    { pass, gradients, gradientArrays }: Room,
    given: StackInputs,
    targets: Targets | undefined,
    upstream?: Partial<CheckedQuestion['upstream']>,
  ) {
    runForward(pass, given);
    const judged = targets && judge(this.plan.loss, borrowOutputs(pass), targets, maskOf(pass));
    for (const array of gradientArrays) array.fill(0);
    clearGradients(pass);
    if (judged !== undefined) addOutputGradient(pass, judged.gradient());
    if (upstream !== undefined) addUpstream(pass, upstream);
    runBackward(pass, gradients, upstream !== undefined);
    return judged;
  }

  private outputsFrom({ data, shape }: Tensor): Tensor {
    const outputs = new Float64Array(data.length);
    const width = shape[shape.length - 1];
    losses[this.plan.loss].outputs(data, data.length / width, width, outputs);
    return { data: outputs, shape };
  }

  /** The forward pass over any number of examples, in chunks so that memory stays small. */
  private forward(given: StackInputs, batchSize: number) {
    const parts: { logits: Tensor; mask: Tensor | undefined; finalStates: Tensor[][] }[] = [];
    for (let from = 0; from < given.batch; from += batchSize) {
      const some = someInputs(given, from, Math.min(from + batchSize, given.batch));
      const pass = this.stack.prepare(some);
      runForward(pass, some);
      parts.push({
        logits: borrowOutputs(pass),
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
  /** the weights themselves, layer after layer */ readonly weightArrays: readonly Float64Array[];
  readonly gradients: StackWeights;
  /** their flat arrays, layer after layer */ readonly gradientArrays: readonly Float64Array[];
}

/** Adds what arrives from elsewhere at the logits, the final states, and the states of every step. */
function addUpstream(
  pass: StackPass,
  { logits, finalStates = [], sequences = [] }: Partial<CheckedQuestion['upstream']> & object,
): void {
  if (logits !== undefined) addOutputGradient(pass, logits.data);
  finalStates.forEach((ofLayer, i) => {
    ofLayer.forEach((state, k) => addTo(pass.passes[i].finalStates[k].gradient, state.data));
  });
  sequences.forEach((ofLayer, i) => {
    ofLayer.forEach(({ data }, k) => {
      const { gradient, width } = pass.passes[i].sequences[k];
      addTo(gradient, toTimeMajor(data, pass.batch, pass.timeSteps, width));
    });
  });
}

/** The flat arrays of the weights, layer after layer. */
function arraysOf(weights: StackWeights): Float64Array[] {
  return weights.flatMap((layer) => Object.values(layer).map(({ data }) => data));
}
