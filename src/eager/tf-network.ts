import type * as Tf from '@tensorflow/tfjs';
import { NetworkPlan, ownCopy, resolveNetwork } from '../../scratch/index';
import type {
  CheckedQuestion,
  Evaluated,
  NetworkAnswer,
  NetworkBatchResult,
  NetworkConfig,
  NetworkOptions,
  NetworkPrediction,
  NetworkQuestion,
  NetworkTargets,
  StackInputOptions,
  TensorLike,
} from '../../scratch/index';
import type { LoadedBackend } from '../backends/index';
import { inChunks, joined, predictionOf } from '../network-engine';
import { NetworkShell } from '../network-shell';
import { read } from '../to-tensors';
import { TfEngine } from './engine';
import { buildLayersModel, describeLayersModel, nameWeights } from './layers-model';
import { checkGradientMethod, sideName, type GradientMethod } from './method';

export interface TfNetworkOptions extends NetworkOptions {
  /** from `loadBackend` */ readonly backend: LoadedBackend;
  /** where the gradients come from; default autodiff */ readonly gradients?: GradientMethod;
}

/**
 * A network of any layers with a loss at its end in TensorFlow.js: the same function of the same weights as ScratchNetwork, in
 * float32. With `gradients: 'autodiff'` it consists of tf.layers (and of layers of our own where TensorFlow.js has none or
 * refuses: GRU with the reset after the matrix, Keras 3's hard sigmoid, the gradient of an embedding on wasm), differentiated by
 * tfjs; with `bptt` forward and backward pass are formulas in tfjs operations, several times faster. Softmax and cross-entropy are
 * tfjs's with `autodiff`; with `bptt`, and for the other losses, what happens to the logits is computed on the host in float64.
 *
 * It owns its variables and its optimizer's, and releases them in `dispose`; every method releases whatever else it made,
 * also when it throws, and returns plain arrays. Unless compiled otherwise it learns by plain SGD with learning rate 0.01.
 *
 * ```ts
 * const backend = await loadBackend('wasm');
 * const layers = [{ layer: 'lstm', units: 4 }, { layer: 'dense', units: 2 }] as const;
 * const model = new TfNetwork({ backend, features: 1, layers, learningRate: 0.5, gradients: 'bptt' });
 * const inputs = [[[0], [1]], [[1], [0]]];
 * for (let i = 0; i < 200; i++) model.trainOnBatch(inputs, [0, 1]);
 * model.evaluate(inputs, [0, 1]).accuracy; // => 1
 * model.dispose();
 * ```
 */
export class TfNetwork extends NetworkShell {
  readonly name: string;
  declare protected readonly engine: TfEngine;
  private readonly tf: typeof Tf;

  /** @throws RangeError on an unknown option, a description that makes no sense, a bad setting, or weights that do not fit */
  constructor(options: TfNetworkOptions) {
    const name = 'TfNetwork';
    const { plan, weights, config, clipNorm } = resolveNetwork(options, name, {
      backend: true,
      gradients: true,
    });
    const { backend, gradients = 'autodiff' } = options;
    const method = checkGradientMethod(gradients, name);
    const engine = new TfEngine(backend, plan, name, { gradients: method, weights, config });
    super(plan, engine, clipNorm, backend);
    this.name = sideName(backend, method);
    this.tf = backend.tf;
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
    return buildLayersModel(this.tf, this.plan, this.engine.readWeights());
  }

  /** As `trainOnBatch`, with asynchronous reads: for WebGPU, whose immediate reads are wrong, and WebGL, which they block. */
  async trainOnBatchAsync(...given: Parameters<TfNetwork['trainOnBatch']>): Promise<NetworkBatchResult> {
    // so that a class that overrides trainOnBatch is trained by its own
    if (!this.engine.isAsynchronous) return this.trainOnBatch(...given);
    const batch = ownCopy(this.beginStep(given[0], given[1], given[2] ?? {}));
    const result = await this.engine.stepAsync(batch, this.clipNorm, () => this.begin('trainOnBatch'));
    return result as NetworkBatchResult;
  }

  /** As `predict`, with asynchronous reads. */
  async predictAsync(inputs: TensorLike, options: StackInputOptions = {}): Promise<NetworkPrediction> {
    this.begin('predict');
    const parts: NetworkPrediction[] = [];
    for (const given of inChunks(ownCopy(this.plan.check(inputs, options, 'predict')))) {
      parts.push(await this.answerAsync(predictionOf(given), 'predict'));
    }
    return joined(parts);
  }

  /** As `evaluate`, with asynchronous reads. */
  async evaluateAsync(
    inputs: TensorLike,
    targets: NetworkTargets,
    options: StackInputOptions & { readonly batchSize?: number } = {},
  ): Promise<Evaluated> {
    if (!this.engine.isAsynchronous) return this.evaluate(inputs, targets, options);
    this.begin('evaluate');
    const batch = ownCopy(this.checkBatch(inputs, targets, options, 'evaluate', { batchSize: true }));
    const parts: NetworkAnswer[] = [];
    for (const given of inChunks(batch.given, options.batchSize)) {
      parts.push(await this.answerAsync(predictionOf(given), 'evaluate'));
    }
    return this.judge(batch, parts);
  }

  /** As `run`, with asynchronous reads. */
  async runAsync(inputs: TensorLike, question: NetworkQuestion = {}): Promise<NetworkAnswer> {
    this.begin('run');
    return this.answerAsync(ownCopy(this.plan.checkQuestion(inputs, question, 'run')), 'run');
  }

  private answerAsync(question: CheckedQuestion, name: string): Promise<NetworkAnswer> {
    return this.engine.answerAsync(question, name, () => this.begin(name));
  }
}
