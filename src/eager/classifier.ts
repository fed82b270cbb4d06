import type * as Tf from '@tensorflow/tfjs';
import { mapWeights, resolveClassifier, weightNames } from '../../scratch/index';
import type {
  BatchResult,
  ClassifierOptions,
  ClassifierWeights,
  LossAndGradients,
  OptimizerState,
  Sequences,
} from '../../scratch/index';
import type { LoadedBackend } from '../backends/index';
import { ClassifierShell, hits, softmaxOf, type CheckedState } from '../classifier-shell';
import { tidy } from './differentiate';
import { read } from '../to-tensors';
import { clipped, globalNorm } from './global-norm';
import { checkGradientMethod, createClassifierNetwork, type ClassifierNetwork } from './network';
import { createTfOptimizer, type TfOptimizer } from './optimizer';
import type { GradientMethod } from './pass';
import { oneHot, softmaxCrossEntropy } from './softmax-cross-entropy';
import { assignVariables, readVariables } from './variables';

export interface TfSimpleRNNClassifierOptions extends ClassifierOptions {
  /** from `loadBackend` */ readonly backend: LoadedBackend;
  /** where the recurrent layer's gradients come from; default autodiff */ readonly gradients?: GradientMethod;
}

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
export class TfSimpleRNNClassifier extends ClassifierShell {
  readonly name: string;
  private readonly tf: typeof Tf;
  private readonly network: ClassifierNetwork;
  private readonly variables: readonly Tf.Variable[];
  private optimizer: TfOptimizer;

  /** @throws RangeError on an unknown option, a bad size or setting, or weights that do not fit */
  constructor(options: TfSimpleRNNClassifierOptions) {
    const name = 'TfSimpleRNNClassifier';
    const { backend, gradients = 'autodiff' } = options;
    const more = { backend: true, gradients: true } as const;
    const { sizes, weights, config, clipNorm } = resolveClassifier(options, name, more);
    const method = checkGradientMethod(gradients, name);
    super(sizes, clipNorm, backend);
    this.name = method === 'autodiff' ? `tfjs:${backend.name}` : `tfjs:${backend.name}:${method}`;
    this.tf = backend.tf;

    backend.use();
    this.network = createClassifierNetwork(backend, sizes, method);
    this.variables = weightNames.map((key) => this.network.variables[key]);
    try {
      assignVariables(this.tf, this.network.variables, weights, name);
      this.optimizer = this.newOptimizer({ config, step: 0, slots: {} });
    } catch (error) {
      this.network.dispose();
      throw error;
    }
  }

  /** Forward, backward, clip, update. */
  protected override step(given: Sequences, labels: Int32Array): BatchResult {
    return tidy(this.tf, () => {
      const { loss, logits, gradients } = this.network.differentiate(given, labels, 'trainOnBatch', false);
      const gradientNorm = globalNorm(gradients.map((gradient) => gradient.dataSync()));
      if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
        this.optimizer.update(this.variables, clipped(this.tf, gradients, gradientNorm, this.clipNorm));
      }
      return { loss, accuracy: hits(logits, labels, this.classes) / given.batch, gradientNorm };
    });
  }

  protected override differentiate(given: Sequences, labels: Int32Array): LossAndGradients {
    return tidy(this.tf, () => {
      const step = this.network.differentiate(given, labels, 'lossAndGradients', true);
      return {
        loss: step.loss,
        probabilities: softmaxOf(step.logits, given.batch, this.classes),
        gradients: {
          ...mapWeights((_key, i) => read(step.gradients[i])),
          ...step.readInputGradients(),
        },
      };
    });
  }

  protected override logits(given: Sequences, name: string): Float32Array {
    return tidy(this.tf, () => this.forward(given, name).dataSync<'float32'>());
  }

  protected override lossAndLogits(given: Sequences, labels: Int32Array) {
    return tidy(this.tf, () => {
      const logits = this.forward(given, 'evaluate');
      const mean = softmaxCrossEntropy(this.tf, logits, oneHot(this.tf, labels, this.classes));
      return { loss: mean.dataSync()[0] * given.batch, logits: logits.dataSync<'float32'>() };
    });
  }

  protected override readWeights(): ClassifierWeights {
    return readVariables(this.network.variables);
  }

  protected override writeWeights(weights: ClassifierWeights): void {
    assignVariables(this.tf, this.network.variables, weights, 'setWeights');
  }

  protected override readState(): OptimizerState {
    const { config, step } = this.optimizer;
    const slots = Object.entries(this.optimizer.readSlots()).map(
      ([slot, tensors]) => [slot, mapWeights((_key, i) => tensors[i])] as const,
    );
    return { config, step, slots: Object.fromEntries(slots) };
  }

  protected override writeState(state: CheckedState): void {
    const optimizer = this.newOptimizer(state);
    this.optimizer.dispose();
    this.optimizer = optimizer;
  }

  protected override release(): void {
    this.optimizer.dispose();
    this.network.dispose();
  }

  private newOptimizer({ config, step, slots }: CheckedState): TfOptimizer {
    const ordered = Object.entries(slots).map(
      ([slot, memory]) => [slot, weightNames.map((key) => memory[key])] as const,
    );
    const names = this.variables.map((variable) => variable.name);
    return createTfOptimizer(this.tf, config, names, { step, slots: Object.fromEntries(ordered) });
  }

  /** Logits of a batch. Call it inside a tidy. */
  private forward(given: Sequences, name: string): Tf.Tensor2D {
    return this.network.logits(this.network.startPass(given, name, false).finalState());
  }
}
