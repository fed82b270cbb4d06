import type {
  BatchResult,
  ClassifierWeights,
  CompileOptions,
  Evaluated,
  FitOptions,
  History,
  LossAndGradients,
  OptimizerState,
  SequenceOptions,
  SimpleRNNClassifier,
} from './classifier-interface';
import { backwardPass, forwardPass, lossOf, roomFor, type Room } from './classifier-pass';
import {
  checkClassifierWeights,
  checkStateFields,
  resolveClassifier,
  resolveCompile,
  weightArrays,
  weightNames,
  zeroClassifierWeights,
  type ClassifierOptions,
} from './classifier-weights';
import { clipByGlobalNorm, globalNorm } from './clip';
import { runFit } from './fit';
import { checkNotFitting } from './fit-lock';
import { checkLabels } from './labels';
import { createOptimizer, type Optimizer, type OptimizerSlots } from './optimizer';
import { checkSequences, evaluateOptions, someOf, type Sequences } from './sequences';
import { inputGradients } from './simple-rnn';
import { argmax, argmaxOfRow, crossEntropyLoss } from './softmax-cross-entropy';
import { checkSize, type Tensor, type TensorLike } from './tensor';
import { fromTimeMajor } from './time-major';

/** Examples per forward pass of predict and evaluate; the results do not depend on it. */
const chunk = 256;

/**
 * Sequence to class: a SimpleRNN, its final state into a Dense layer, softmax. All by hand, in float64.
 * Unless compiled otherwise it learns by plain SGD with learning rate 0.01, as the notebook does.
 *
 * @example
 * ```ts
 * const model = new ScratchSimpleRNNClassifier({ features: 1, units: 4, classes: 2, seed: 1 });
 * const inputs = [[[0], [1]], [[1], [0]]];
 * for (let i = 0; i < 200; i++) model.trainOnBatch(inputs, [0, 1], {});
 * Array.from(model.predict(inputs)); // => [0, 1]
 * ```
 */
export class ScratchSimpleRNNClassifier implements SimpleRNNClassifier {
  readonly name = 'scratch';
  readonly precision = 'float64';
  readonly features: number;
  readonly units: number;
  readonly classes: number;
  private weights: ClassifierWeights;
  private gradients: ClassifierWeights;
  private optimizer: Optimizer;
  private clipNorm: number | undefined;
  private room: Room | undefined;

  /** @throws RangeError on a size that is not a positive integer, weights that do not fit, or a bad setting */
  constructor(options: ClassifierOptions) {
    const { sizes, weights, config, clipNorm } = resolveClassifier(options, 'ScratchSimpleRNNClassifier');
    ({ features: this.features, units: this.units, classes: this.classes } = sizes);
    this.weights = weights;
    this.gradients = zeroClassifierWeights(sizes);
    this.optimizer = createOptimizer(config);
    this.clipNorm = clipNorm;
  }

  compile(options: CompileOptions): void {
    checkNotFitting(this, 'compile', true);
    const { config, clipNorm } = resolveCompile(options);
    this.optimizer = createOptimizer(config);
    this.clipNorm = clipNorm;
  }

  fit(inputs: TensorLike, labels: ArrayLike<number>, options: FitOptions = {}): Promise<History> {
    return runFit(this, inputs, labels, options);
  }

  /**
   * Forward, backward, clip, update: four steps, each also a function of its own. When the loss or the gradients' norm is not
   * finite the weights and the optimizer stay as they were; the result tells.
   */
  trainOnBatch(inputs: TensorLike, labels: ArrayLike<number>, options: SequenceOptions = {}): BatchResult {
    checkNotFitting(this, 'trainOnBatch', false);
    const given = checkSequences(inputs, options, this, 'trainOnBatch');
    const checked = checkLabels(labels, 'trainOnBatch: labels', given.batch, this.classes);
    this.room = roomFor(this.weights, given, this.room);
    const pass = forwardPass(this.weights, given, this.room);
    const loss = lossOf(pass, checked);
    const accuracy = hits(pass.logits, checked, this.classes) / given.batch;
    backwardPass(pass, checked, this.gradients, false);
    const gradients = weightArrays(this.gradients);
    const gradientNorm =
      this.clipNorm === undefined ? globalNorm(gradients) : clipByGlobalNorm(gradients, this.clipNorm);
    if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
      this.optimizer.update(weightArrays(this.weights), gradients);
    }
    return { loss, accuracy, gradientNorm };
  }

  predict(inputs: TensorLike, options: SequenceOptions = {}): Int32Array {
    return argmax(this.run(checkSequences(inputs, options, this, 'predict')).probabilities);
  }

  predictProbabilities(inputs: TensorLike, options: SequenceOptions = {}): Tensor {
    return this.run(checkSequences(inputs, options, this, 'predictProbabilities')).probabilities;
  }

  /** Logits [B, C], before the softmax: the notebook's scores. */
  predictLogits(inputs: TensorLike, options: SequenceOptions = {}): Tensor {
    return this.run(checkSequences(inputs, options, this, 'predictLogits')).logits;
  }

  evaluate(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options: SequenceOptions & { readonly batchSize?: number } = {},
  ): Evaluated {
    const given = checkSequences(inputs, options, this, 'evaluate', evaluateOptions);
    const checked = checkLabels(labels, 'evaluate: labels', given.batch, this.classes);
    const batchSize =
      options.batchSize === undefined ? chunk : checkSize('evaluate: batchSize', options.batchSize);
    const { logits, probabilities } = this.run(given, batchSize);
    return {
      loss: crossEntropyLoss(logits.data, probabilities.data, checked, this.classes),
      accuracy: hits(logits.data, checked, this.classes) / given.batch,
    };
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
    const { pass, loss, gradients } = this.differentiate(inputs, labels, options, 'lossAndGradients');
    const { batch, timeSteps } = pass.cache;
    const { features, units, classes } = this;
    const dInputs = fromTimeMajor(inputGradients(pass.cache, pass.flow), batch, timeSteps, features);
    return {
      loss,
      probabilities: { data: pass.probabilities, shape: [batch, classes] },
      gradients: {
        ...gradients,
        inputs: { data: dInputs, shape: [batch, timeSteps, features] },
        initialState: { data: pass.flow.dStates.slice(0, batch * units), shape: [batch, units] },
      },
    };
  }

  /**
   * How far the loss's gradient reaches back: ||dLoss/dh_t|| for t = 0..T, over the whole batch; entry 0 is that of the
   * initial state. Shrinking towards entry 0 it vanishes, growing it explodes (Pascanu, Mikolov & Bengio 2013).
   */
  stateGradientNorms(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options: SequenceOptions = {},
  ): Float64Array {
    const { pass } = this.differentiate(inputs, labels, options, 'stateGradientNorms');
    const step = pass.cache.batch * this.units;
    return Float64Array.from({ length: pass.cache.timeSteps + 1 }, (_, t) =>
      globalNorm([pass.flow.dStates.subarray(t * step, (t + 1) * step)]),
    );
  }

  getWeights(): ClassifierWeights {
    return checkClassifierWeights(this.weights, this, 'getWeights');
  }

  setWeights(weights: { readonly [K in keyof ClassifierWeights]: TensorLike }): void {
    checkNotFitting(this, 'setWeights', true);
    this.weights = checkClassifierWeights(weights, this);
  }

  getOptimizerState(): OptimizerState {
    const { config, step, slots } = this.optimizer;
    const named = (arrays: readonly Float64Array[]): ClassifierWeights => {
      const memory = zeroClassifierWeights(this);
      weightNames.forEach((name, i) => memory[name].data.set(arrays[i]));
      return memory;
    };
    return {
      config: { ...config },
      step,
      slots: Object.fromEntries(Object.entries(slots).map(([name, arrays]) => [name, named(arrays)])),
    };
  }

  setOptimizerState(state: OptimizerState): void {
    checkNotFitting(this, 'setOptimizerState', true);
    checkStateFields(state, 'setOptimizerState');
    const { config, step, slots } = state;
    const arrays: OptimizerSlots = Object.fromEntries(
      Object.entries(slots).map(([name, memory]) => [
        name,
        weightArrays(checkClassifierWeights(memory, this, `setOptimizerState: ${name}`)),
      ]),
    );
    this.optimizer = createOptimizer(config, { step, slots: arrays });
  }

  dispose(): void {
    this.room = undefined;
  }

  private differentiate(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options: SequenceOptions,
    name: string,
  ) {
    const given = checkSequences(inputs, options, this, name);
    const checked = checkLabels(labels, `${name}: labels`, given.batch, this.classes);
    const pass = forwardPass(this.weights, given, roomFor(this.weights, given));
    const gradients = zeroClassifierWeights(this);
    backwardPass(pass, checked, gradients, true);
    return { pass, loss: lossOf(pass, checked), gradients };
  }

  /** The forward pass over any number of examples, in chunks so that memory stays small. */
  private run(
    given: Sequences,
    batchSize = chunk,
  ): { readonly logits: Tensor; readonly probabilities: Tensor } {
    const { classes } = this;
    const shape = [given.batch, classes];
    const logits = { data: new Float64Array(given.batch * classes), shape };
    const probabilities = { data: new Float64Array(given.batch * classes), shape };
    let room: Room | undefined;
    for (let from = 0; from < given.batch; from += batchSize) {
      const batch = Math.min(batchSize, given.batch - from);
      const some = someOf(given, from, from + batch);
      room = roomFor(this.weights, some, room);
      const pass = forwardPass(this.weights, some, room);
      logits.data.set(pass.logits.subarray(0, batch * classes), from * classes);
      probabilities.data.set(pass.probabilities.subarray(0, batch * classes), from * classes);
    }
    return { logits, probabilities };
  }
}

/** How many rows have their largest logit at the label. */
function hits(logits: Float64Array, labels: Int32Array, classes: number): number {
  let count = 0;
  for (let b = 0; b < labels.length; b++) {
    if (argmaxOfRow(logits, b * classes, classes) === labels[b]) count++;
  }
  return count;
}
