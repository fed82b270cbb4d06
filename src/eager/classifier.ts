import type * as Tf from '@tensorflow/tfjs';
import {
  checkClassifierSizes,
  checkClassifierWeights,
  checkClipNorm,
  checkLabels,
  checkSize,
  initialClassifierWeights,
  resolveOptimizer,
  runFit,
  weightNames,
} from '../../scratch/index';
import type {
  BatchResult,
  ClassifierOptions,
  ClassifierWeights,
  CompileOptions,
  Evaluated,
  FitOptions,
  History,
  LossAndGradients,
  OptimizerState,
  SequenceOptions,
  SimpleRNNClassifier,
  Tensor,
  TensorLike,
} from '../../scratch/index';
import type { LoadedBackend } from '../backends/index';
import { tidy } from './differentiate';
import { read } from './float32';
import { checkGradientMethod, createClassifierNetwork, type ClassifierNetwork } from './network';
import { createTfOptimizer, type TfOptimizer } from './optimizer';
import type { GradientMethod } from './pass';
import { checkSequences, someOf, type Sequences } from './sequences';
import { oneHot, softmaxCrossEntropy } from './softmax-cross-entropy';
import { assignVariables, readVariables } from './variables';

export interface TfSimpleRNNClassifierOptions extends ClassifierOptions {
  /** from `loadBackend` */ readonly backend: LoadedBackend;
  /** where the recurrent layer's gradients come from; default autodiff */ readonly gradients?: GradientMethod;
}

/** Examples per forward pass of predict and evaluate. */
const chunk = 256;

/**
 * Sequence to class in TensorFlow.js: tf.layers.simpleRNN, its final state into tf.layers.dense, softmax. The same
 * function of the same weights as the scratch classifier, in float32, with gradients by tfjs's autodiff.
 *
 * It owns its variables and its optimizer's, and releases them in `dispose`; every method releases whatever else it made,
 * also when it throws, and returns plain arrays. Like the scratch classifier it learns by plain SGD with learning rate
 * 0.01 unless compiled otherwise.
 *
 * ```ts
 * const model = new TfSimpleRNNClassifier({ backend: await loadBackend('wasm'), features: 1, units: 4, classes: 2 });
 * const inputs = [[[0], [1]], [[1], [0]]];
 * for (let i = 0; i < 200; i++) model.trainOnBatch(inputs, [0, 1]);
 * Array.from(model.predict(inputs)); // => [0, 1]
 * model.dispose();
 * ```
 */
export class TfSimpleRNNClassifier implements SimpleRNNClassifier {
  readonly name: string;
  readonly precision = 'float32';
  readonly features: number;
  readonly units: number;
  readonly classes: number;
  private readonly backend: LoadedBackend;
  private readonly network: ClassifierNetwork;
  private readonly variables: readonly Tf.Variable[];
  private optimizer: TfOptimizer;
  private clipNorm: number | undefined;
  private disposed = false;

  /** @throws RangeError on a size that is not a positive integer, weights that do not fit, or a bad setting */
  constructor(options: TfSimpleRNNClassifierOptions) {
    const { backend, gradients = 'autodiff' } = options;
    const sizes = checkClassifierSizes(options);
    const method = checkGradientMethod(gradients, 'TfSimpleRNNClassifier');
    const weights =
      options.weights === undefined
        ? initialClassifierWeights(options)
        : checkClassifierWeights(options.weights, sizes, 'TfSimpleRNNClassifier');
    const config = resolveOptimizer(options);
    this.clipNorm = clipNormOf(options);
    ({ features: this.features, units: this.units, classes: this.classes } = sizes);
    this.name = method === 'autodiff' ? `tfjs:${backend.name}` : `tfjs:${backend.name}:${method}`;
    this.backend = backend;

    backend.use();
    this.network = createClassifierNetwork(backend.tf, sizes, method);
    this.variables = weightNames.map((key) => this.network.variables[key]);
    try {
      assignVariables(backend.tf, this.network.variables, weights, 'TfSimpleRNNClassifier');
      this.optimizer = this.newOptimizer({ config, step: 0, slots: {} });
    } catch (error) {
      this.network.dispose();
      throw error;
    }
  }

  compile(options: CompileOptions): void {
    this.begin('compile');
    const clipNorm = clipNormOf(options);
    const optimizer = this.newOptimizer({ config: resolveOptimizer(options), step: 0, slots: {} });
    this.optimizer.dispose();
    this.optimizer = optimizer;
    this.clipNorm = clipNorm;
  }

  async fit(inputs: TensorLike, labels: ArrayLike<number>, options: FitOptions = {}): Promise<History> {
    this.begin('fit');
    return runFit(this, inputs, labels, options);
  }

  /**
   * Forward, backward, clip, update. When the loss or the gradients' norm is not finite the weights and the optimizer
   * stay as they were; the result tells.
   */
  trainOnBatch(inputs: TensorLike, labels: ArrayLike<number>, options: SequenceOptions = {}): BatchResult {
    const tf = this.begin('trainOnBatch');
    const given = checkSequences(inputs, options, this, 'trainOnBatch');
    const checked = checkLabels(labels, 'trainOnBatch: labels', given.batch, this.classes);
    return tidy(tf, () => {
      const { loss, logits, gradients } = this.network.differentiate(given, checked, 'trainOnBatch', false);
      const gradientNorm = globalNorm(gradients);
      if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
        this.optimizer.update(this.variables, this.clip(gradients, gradientNorm));
      }
      return { loss, accuracy: hits(logits, checked, this.classes) / given.batch, gradientNorm };
    });
  }

  predict(inputs: TensorLike, options: SequenceOptions = {}): Int32Array {
    const logits = this.run('predict', inputs, options, (_tf, l) => l);
    return Int32Array.from({ length: logits.shape[0] }, (_, b) => argmaxOfRow(logits.data, b, this.classes));
  }

  predictProbabilities(inputs: TensorLike, options: SequenceOptions = {}): Tensor {
    return this.run('predictProbabilities', inputs, options, (tf, logits) => tf.softmax(logits));
  }

  /** Logits [B, C], before the softmax. */
  predictLogits(inputs: TensorLike, options: SequenceOptions = {}): Tensor {
    return this.run('predictLogits', inputs, options, (_tf, logits) => logits);
  }

  evaluate(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options: SequenceOptions & { readonly batchSize?: number } = {},
  ): Evaluated {
    const tf = this.begin('evaluate');
    const { batchSize = chunk } = options;
    checkSize('evaluate: batchSize', batchSize);
    const given = checkSequences(inputs, options, this, 'evaluate');
    const checked = checkLabels(labels, 'evaluate: labels', given.batch, this.classes);
    let loss = 0;
    let correct = 0;
    for (let from = 0; from < given.batch; from += batchSize) {
      const to = Math.min(from + batchSize, given.batch);
      const someLabels = checked.subarray(from, to);
      tf.tidy(() => {
        const logits = this.forward(someOf(given, from, to), 'evaluate');
        const mean = softmaxCrossEntropy(tf, logits, oneHot(tf, someLabels, this.classes)).dataSync()[0];
        loss += mean * (to - from);
        correct += hits(logits.dataSync(), someLabels, this.classes);
      });
    }
    return { loss: loss / given.batch, accuracy: correct / given.batch };
  }

  loss(inputs: TensorLike, labels: ArrayLike<number>, options: SequenceOptions = {}): number {
    return this.evaluate(inputs, labels, options).loss;
  }

  /** Pure: changes nothing in the model, and returns arrays of its own. */
  lossAndGradients(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options: SequenceOptions = {},
  ): LossAndGradients {
    const tf = this.begin('lossAndGradients');
    const given = checkSequences(inputs, options, this, 'lossAndGradients');
    const checked = checkLabels(labels, 'lossAndGradients: labels', given.batch, this.classes);
    return tidy(tf, () => {
      const step = this.network.differentiate(given, checked, 'lossAndGradients', true);
      const scores = tf.tensor2d(step.logits, [given.batch, this.classes]);
      return {
        loss: step.loss,
        probabilities: read(tf.softmax(scores)),
        gradients: { ...byName(step.gradients.map(read)), ...step.readInputGradients() },
      };
    });
  }

  getWeights(): ClassifierWeights {
    this.begin('getWeights');
    return readVariables(this.network.variables);
  }

  /** Values are rounded to float32. */
  setWeights(weights: { readonly [K in keyof ClassifierWeights]: TensorLike }): void {
    const tf = this.begin('setWeights');
    assignVariables(tf, this.network.variables, checkClassifierWeights(weights, this), 'setWeights');
  }

  getOptimizerState(): OptimizerState {
    this.begin('getOptimizerState');
    const { config, step } = this.optimizer;
    const slots = Object.entries(this.optimizer.readSlots());
    return {
      config,
      step,
      slots: Object.fromEntries(slots.map(([slot, tensors]) => [slot, byName(tensors)])),
    };
  }

  setOptimizerState(state: OptimizerState): void {
    this.begin('setOptimizerState');
    const optimizer = this.newOptimizer(state);
    this.optimizer.dispose();
    this.optimizer = optimizer;
  }

  /** Releases the variables and the optimizer's; afterwards every other method throws. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.optimizer.dispose();
    this.network.dispose();
  }

  /** Makes this model's backend the current one, whatever ran before. */
  private begin(name: string): typeof Tf {
    if (this.disposed) {
      throw new Error(
        `TfSimpleRNNClassifier.${name}: this classifier was disposed and its weights are gone; call dispose last, or make a new classifier.`,
      );
    }
    this.backend.use();
    return this.backend.tf;
  }

  private newOptimizer({ config, step, slots }: OptimizerState): TfOptimizer {
    const named = Object.entries(slots).map(([slot, memory]) => {
      const checked = checkClassifierWeights(memory, this, `setOptimizerState: ${slot}`);
      return [slot, weightNames.map((key) => checked[key])] as const;
    });
    const names = this.variables.map((variable) => variable.name);
    return createTfOptimizer(this.backend.tf, config, names, { step, slots: Object.fromEntries(named) });
  }

  /** Logits of a batch. Call it inside a tidy. */
  private forward(given: Sequences, name: string): Tf.Tensor2D {
    return this.network.logits(this.network.startPass(given, name, false).finalState());
  }

  private clip(gradients: readonly Tf.Tensor[], norm: number): readonly Tf.Tensor[] {
    if (this.clipNorm === undefined || norm <= this.clipNorm) return gradients;
    const factor = this.clipNorm / norm;
    return gradients.map((gradient) => this.backend.tf.mul(gradient, factor));
  }

  /** The forward pass over any number of examples, in chunks so that memory stays small. @returns [B, C] */
  private run(
    name: string,
    inputs: TensorLike,
    options: SequenceOptions,
    finish: (tf: typeof Tf, logits: Tf.Tensor2D) => Tf.Tensor,
  ): Tensor {
    const tf = this.begin(name);
    const given = checkSequences(inputs, options, this, name);
    const shape = [given.batch, this.classes];
    const data = new Float64Array(given.batch * this.classes);
    for (let from = 0; from < given.batch; from += chunk) {
      const some = someOf(given, from, Math.min(from + chunk, given.batch));
      tf.tidy(() => {
        data.set(finish(tf, this.forward(some, name)).dataSync(), from * this.classes);
      });
    }
    return { data, shape };
  }
}

/** One tensor per weight, in the order of `weightNames`, under its name. */
function byName(tensors: readonly Tensor[]): ClassifierWeights {
  const [kernel, recurrentKernel, bias, outputKernel, outputBias] = tensors;
  return { kernel, recurrentKernel, bias, outputKernel, outputBias };
}

function clipNormOf({ clipNorm }: CompileOptions): number | undefined {
  return clipNorm === undefined ? undefined : checkClipNorm(clipNorm, 'compile');
}

/** sqrt(Σ g²) over all elements of all gradients, summed in float64. */
function globalNorm(gradients: readonly Tf.Tensor[]): number {
  let sum = 0;
  for (const gradient of gradients) {
    const values = gradient.dataSync();
    for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  }
  return Math.sqrt(sum);
}

/** Position of the row's largest element, the first of them on a tie. */
function argmaxOfRow(data: ArrayLike<number>, row: number, columns: number): number {
  let best = 0;
  for (let c = 1; c < columns; c++) if (data[row * columns + c] > data[row * columns + best]) best = c;
  return best;
}

/** How many rows have their largest logit at the label. */
function hits(logits: ArrayLike<number>, labels: Int32Array, classes: number): number {
  return labels.reduce((count, label, b) => count + (argmaxOfRow(logits, b, classes) === label ? 1 : 0), 0);
}
