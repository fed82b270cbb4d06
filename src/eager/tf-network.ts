import type * as Tf from '@tensorflow/tfjs';
import { NetworkPlan, resolveNetwork } from '../../scratch/index';
import type {
  CheckedOptimizerState,
  CheckedQuestion,
  Evaluated,
  NetworkAnswer,
  NetworkBatchResult,
  NetworkConfig,
  NetworkOptimizerState,
  NetworkOptions,
  NetworkPrediction,
  NetworkQuestion,
  NetworkTargets,
  StackInputOptions,
  StackWeights,
  Tensor,
  TensorLike,
} from '../../scratch/index';
import type { LoadedBackend } from '../backends/index';
import { lossOf, outputsOf, type HostLoss } from '../host-losses';
import { inChunks, joined, NetworkShell, predictionOf, type CheckedBatch } from '../network-shell';
import { read, readSync, type ValuesOf } from '../to-tensors';
import { networkByHand } from './by-hand/network';
import { networkByTape } from './by-tape/network';
import { tidy } from './differentiate';
import { clipped, globalNorm } from './global-norm';
import { buildLayersModel, describeLayersModel, nameWeights } from './layers-model';
import type { Gradients, NetworkMethod, Outcome } from './method';
import { checkGradientMethod } from './network';
import { createTfOptimizer, type TfOptimizer } from './optimizer';
import type { GradientMethod } from './pass';
import { readVariables } from './variables';
import { assignWeights, readLayers, Work } from './work';

export interface TfNetworkOptions extends NetworkOptions {
  /** from `loadBackend` */ readonly backend: LoadedBackend;
  /** where the gradients come from; default autodiff */ readonly gradients?: GradientMethod;
}

/**
 * A network of any layers with a loss at its end in TensorFlow.js: the same function of the same weights as ScratchNetwork, in
 * float32. With `gradients: 'autodiff'` it consists of tf.layers (and of layers of our own where TensorFlow.js has none or
 * refuses: GRU with the reset after the matrix, Keras 3's hard sigmoid, the gradient of an embedding on wasm), differentiated by
 * tfjs; with `bptt` forward and backward pass are formulas in tfjs operations, several times faster. What happens to the
 * logits (probabilities, loss) is computed on the host in float64.
 *
 * It owns its variables and its optimizer's, and releases them in `dispose`; every method releases whatever else it made,
 * also when it throws, and returns plain arrays. Unless compiled otherwise it learns by plain SGD with learning rate 0.01.
 *
 * ```ts
 * const backend = await loadBackend('wasm');
 * const layers = [{ layer: 'lstm', units: 4 }, { layer: 'dense', units: 2 }];
 * const model = new TfNetwork({ backend, features: 1, layers, learningRate: 0.5, gradients: 'bptt' });
 * const inputs = [[[0], [1]], [[1], [0]]];
 * for (let i = 0; i < 200; i++) model.trainOnBatch(inputs, [0, 1]);
 * model.evaluate(inputs, [0, 1]).accuracy; // => 1
 * model.dispose();
 * ```
 */
export class TfNetwork extends NetworkShell {
  readonly name: string;
  private readonly tf: typeof Tf;
  private readonly method: NetworkMethod;
  private readonly variables: readonly Tf.Variable[];
  private optimizer: TfOptimizer;
  /** whether the backend gives results only some time after they were asked for */ private readonly readsLater: boolean;

  /** @throws RangeError on an unknown option, a description that makes no sense, a bad setting, or weights that do not fit */
  constructor(options: TfNetworkOptions) {
    const name = 'TfNetwork';
    const { plan, weights, config, clipNorm } = resolveNetwork(options, name, {
      backend: true,
      gradients: true,
    });
    const { backend, gradients = 'autodiff' } = options;
    if (typeof (backend as LoadedBackend | undefined)?.use !== 'function')
      throw new TypeError(
        `${name}: backend is a ${typeof backend}; pass what loadBackend gives: backend: await loadBackend('wasm').`,
      );
    const method = checkGradientMethod(gradients, name);
    super(plan, clipNorm, backend);
    this.name = method === 'autodiff' ? `tfjs:${backend.name}` : `tfjs:${backend.name}:${method}`;
    this.tf = backend.tf;
    this.readsLater = backend.name === 'webgl' || backend.name === 'webgpu';

    backend.use();
    this.method = method === 'bptt' ? networkByHand(this.tf, plan) : networkByTape(this.tf, plan);
    this.variables = this.method.variables.flatMap((layer) => Object.values(layer));
    try {
      assignWeights(this.tf, this.method, weights, name);
      this.optimizer = this.newOptimizer({ config, step: 0, slots: {} });
    } catch (error) {
      this.method.dispose();
      throw error;
    }
  }

  /**
   * A network of the layers and weights of a tf.LayersModel, which stays the caller's. Its last activation tells the loss: softmax,
   * sigmoid, or numbers.
   *
   * @param options what a description does not say: gradients, optimizer, learningRate, clipNorm
   * @throws RangeError that names the layer or the option that a network does not have
   */
  static fromLayersModel(
    backend: LoadedBackend,
    model: Tf.LayersModel,
    options: Omit<TfNetworkOptions, keyof NetworkConfig | 'backend' | 'weights' | 'seed'> = {},
  ): TfNetwork {
    backend.use();
    const { config, weights } = describeLayersModel(model);
    const plan = new NetworkPlan(config, 'fromLayersModel');
    const named = nameWeights(
      plan,
      weights.map((weight) => read(weight)),
    );
    return new TfNetwork({ backend, ...config, weights: named, ...options });
  }

  /**
   * A tf.LayersModel with copies of the weights that gives this network's `outputs`. The caller owns it; `save` of it writes files
   * that `tf.loadLayersModel` opens (after `registerLayers(tf)`, where they hold a layer that TensorFlow.js lacks).
   *
   * @throws RangeError when TensorFlow.js would compute something else from the same layers
   */
  toLayersModel(): Tf.Sequential {
    this.begin('toLayersModel');
    return buildLayersModel(this.tf, this.plan, this.readWeights());
  }

  /** As `trainOnBatch`, with asynchronous reads: for WebGPU, whose immediate reads are wrong, and WebGL, which they block. */
  async trainOnBatchAsync(...given: Parameters<TfNetwork['trainOnBatch']>): Promise<NetworkBatchResult> {
    if (!this.readsLater) return this.trainOnBatch(...given);
    const batch = this.beginStep(given[0], given[1], given[2] ?? {});
    const judged = await this.judgeAsync(batch, 'trainOnBatch');
    const work = new Work(this.tf);
    try {
      const { flat, outcome } = this.differentiateLoss(work, batch, () => judged);
      const values = await work.read();
      this.begin('trainOnBatch');
      return tidy(this.tf, () => this.update(judged, flat, outcome, values));
    } finally {
      work.release();
    }
  }

  /** As `predict`, with asynchronous reads. */
  async predictAsync(inputs: TensorLike, options: StackInputOptions = {}): Promise<NetworkPrediction> {
    this.begin('predict');
    const parts: NetworkPrediction[] = [];
    for (const given of inChunks(this.plan.check(inputs, options, 'predict'))) {
      parts.push(await this.answerAsync(predictionOf(given), 'predict'));
    }
    return joined(parts);
  }

  /** As `evaluate`, with asynchronous reads. */
  async evaluateAsync(
    inputs: TensorLike,
    targets: NetworkTargets,
    { batchSize, ...options }: StackInputOptions & { readonly batchSize?: number } = {},
  ): Promise<Evaluated> {
    this.begin('evaluate');
    const batch = this.plan.checkBatch(inputs, targets, options, 'evaluate');
    const parts: NetworkAnswer[] = [];
    for (const given of inChunks(batch.given, batchSize)) {
      parts.push(await this.answerAsync(predictionOf(given), 'evaluate'));
    }
    return this.judge(batch, parts);
  }

  /** As `run`, with asynchronous reads. */
  async runAsync(inputs: TensorLike, question: NetworkQuestion = {}): Promise<NetworkAnswer> {
    this.begin('run');
    return this.answerAsync(this.plan.checkQuestion(inputs, question, 'run'), 'run');
  }

  /** Forward, backward, clip, update. */
  protected override step(batch: CheckedBatch): NetworkBatchResult {
    const work = new Work(this.tf);
    try {
      return tidy(this.tf, () => {
        let judged: HostLoss | undefined;
        const { flat, outcome } = this.differentiateLoss(
          work,
          batch,
          (logits) => (judged = this.lossOf(batch, logits.dataSync(), logits.shape)),
        );
        return this.update(judged!, flat, outcome, readSync);
      });
    } finally {
      work.release();
    }
  }

  protected override answer(question: CheckedQuestion, name: string): NetworkAnswer {
    const work = new Work(this.tf);
    try {
      return this.ask(work, question, name)(readSync);
    } finally {
      work.release();
    }
  }

  private async answerAsync(question: CheckedQuestion, name: string): Promise<NetworkAnswer> {
    const { given, targets } = question;
    const judged = targets && (await this.judgeAsync({ given, targets }, name));
    const work = new Work(this.tf);
    try {
      const assemble = this.ask(work, question, name, judged);
      return assemble(await work.read());
    } finally {
      work.release();
    }
  }

  /** The loss of a batch by a forward pass of its own: its logits must be there before the way back begins. */
  private async judgeAsync({ given, targets }: CheckedBatch, name: string): Promise<HostLoss> {
    const { logits } = await this.answerAsync(predictionOf(given), name);
    this.begin(name);
    return this.lossOf({ given, targets }, logits.data, logits.shape);
  }

  private lossOf(
    { given, targets }: CheckedBatch,
    logits: ArrayLike<number>,
    shape: readonly number[],
  ): HostLoss {
    return lossOf(this.plan.loss, logits, shape[shape.length - 1], targets, this.plan.masksOf(given).at(-1));
  }

  private differentiateLoss({ keep }: Work, { given }: CheckedBatch, judge: (logits: Tf.Tensor) => HostLoss) {
    return tidy(this.tf, () => {
      const { outcome, gradients } = this.method.differentiate({
        given,
        name: 'trainOnBatch',
        keep,
        sequences: false,
        lossGradient: (logits) => judge(logits).gradient(),
        upstream: undefined,
        toInputs: false,
      });
      const flat = gradients.weights.flatMap((layer, i) =>
        Object.keys(this.method.variables[i]).map((key) => keep(layer[key])),
      );
      outcome.finalStates.forEach((layer) => layer.forEach(keep));
      return { flat, outcome };
    });
  }

  /** One update, unless the loss or the gradients' norm is not finite. */
  private update(
    { loss, accuracy }: HostLoss,
    gradients: readonly Tf.Tensor[],
    { finalStates }: Outcome,
    valuesOf: ValuesOf,
  ): NetworkBatchResult {
    const gradientNorm = globalNorm(gradients.map(valuesOf));
    if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
      this.optimizer.update(this.variables, clipped(this.tf, gradients, gradientNorm, this.clipNorm));
    }
    return { loss, accuracy, gradientNorm, finalStates: readLayers(finalStates, valuesOf) };
  }

  /**
   * Computes an answer; what it consists of is read afterwards.
   *
   * @param judged the loss, where it is known already
   */
  private ask(
    { keep }: Work,
    { given, targets, upstream, sequences }: CheckedQuestion,
    name: string,
    judged?: HostLoss,
  ): (valuesOf: ValuesOf) => NetworkAnswer {
    return tidy(this.tf, () => {
      const asked = { given, name, keep, sequences };
      const judge = (logits: Tf.Tensor): HostLoss =>
        (judged ??= this.lossOf({ given, targets: targets! }, logits.dataSync(), logits.shape));
      const { outcome, gradients } =
        targets || upstream
          ? this.method.differentiate({
              ...asked,
              lossGradient: targets && ((logits) => judge(logits).gradient()),
              upstream,
              toInputs: true,
            })
          : { outcome: this.method.forward(asked), gradients: undefined };
      const { logits, finalStates } = outcome;
      const walks = sequences ? outcome.sequences : undefined;
      for (const tensor of [logits, ...finalStates.flat(), ...(walks ?? []).flat()]) keep(tensor);
      if (gradients) {
        gradients.weights.forEach((layer) => Object.values(layer).forEach(keep));
        [...gradients.initialStates.flat(), ...(gradients.inputs ? [gradients.inputs] : [])].forEach(keep);
      }
      return (valuesOf) => {
        const z = read(logits, valuesOf);
        return {
          ...(judged && { loss: judged.loss }),
          outputs: {
            data: outputsOf(this.plan.loss, z.data, z.shape[z.shape.length - 1]),
            shape: z.shape,
          },
          logits: z,
          finalStates: readLayers(finalStates, valuesOf),
          ...(walks && { sequences: readLayers(walks, valuesOf) }),
          ...(gradients && { gradients: this.readGradients(gradients, valuesOf) }),
        };
      };
    });
  }

  private readGradients(
    { weights, inputs, initialStates }: Gradients,
    valuesOf: ValuesOf,
  ): NonNullable<NetworkAnswer['gradients']> {
    return {
      weights: this.plan.layers.map(({ shapes }, i) =>
        Object.fromEntries(Object.keys(shapes).map((key) => [key, read(weights[i][key], valuesOf)])),
      ),
      ...(inputs && { inputs: read(inputs, valuesOf) }),
      initialStates: readLayers(initialStates, valuesOf),
    };
  }

  protected override readWeights(): StackWeights {
    return this.method.variables.map((layer) => readVariables(layer));
  }

  protected override writeWeights(weights: StackWeights): void {
    assignWeights(this.tf, this.method, weights, 'setWeights');
  }

  protected override readState(): NetworkOptimizerState {
    const { config, step } = this.optimizer;
    const slots = Object.entries(this.optimizer.readSlots()).map(
      ([slot, tensors]): readonly [string, StackWeights] => [slot, this.byLayer(tensors)],
    );
    return { config, step, slots: Object.fromEntries(slots) };
  }

  protected override writeState(state: CheckedOptimizerState): void {
    const optimizer = this.newOptimizer(state);
    this.optimizer.dispose();
    this.optimizer = optimizer;
  }

  protected override release(): void {
    this.optimizer.dispose();
    this.method.dispose();
  }

  private newOptimizer({ config, step, slots }: CheckedOptimizerState): TfOptimizer {
    const ordered = Object.entries(slots).map(
      ([slot, memory]) => [slot, memory.flatMap((layer) => Object.values(layer))] as const,
    );
    const names = this.variables.map((variable) => variable.name);
    return createTfOptimizer(this.tf, config, names, { step, slots: Object.fromEntries(ordered) });
  }

  /** Tensors in the order of the variables, by layer and name. */
  private byLayer(tensors: readonly Tensor[]): StackWeights {
    let at = 0;
    return this.method.variables.map((layer) =>
      Object.fromEntries(Object.keys(layer).map((key) => [key, tensors[at++]])),
    );
  }
}
