import {
  checkClassifierWeights,
  checkLabels,
  checkNotFitting,
  checkOptimizerMemory,
  checkOptions,
  checkSequences,
  checkSize,
  evaluateOptions,
  resolveCompile,
  resolveOptimizer,
  runFit,
  slotNames,
  someOf,
  stateOptions,
} from '../scratch/index';
import type {
  BatchResult,
  ClassifierSizes,
  ClassifierWeights,
  CompileOptions,
  Evaluated,
  FitOptions,
  History,
  LossAndGradients,
  OptimizerState,
  ResolvedOptimizerConfig,
  SequenceOptions,
  Sequences,
  SimpleRNNClassifier,
  Tensor,
  TensorLike,
} from '../scratch/index';

/** Examples per forward pass of predict and evaluate; the results do not depend on it. */
const chunk = 256;

/** An optimizer's state, checked and with every default filled in. */
export interface CheckedState extends OptimizerState {
  readonly config: ResolvedOptimizerConfig;
}

/**
 * What the classifiers of this room have in common: boundary checks, chunks, the life of a model. A network adds how it
 * computes; everything that reaches it has been checked.
 */
export abstract class ClassifierShell implements SimpleRNNClassifier {
  abstract readonly name: string;
  readonly precision = 'float32';
  readonly features: number;
  readonly units: number;
  readonly classes: number;
  protected clipNorm: number | undefined;
  private disposed = false;

  protected constructor(
    sizes: ClassifierSizes,
    clipNorm: number | undefined,
    private readonly runsOn: { use(): void },
  ) {
    ({ features: this.features, units: this.units, classes: this.classes } = sizes);
    this.clipNorm = clipNorm;
  }

  /** One update, unless the loss or the gradients' norm is not finite. */
  protected abstract step(given: Sequences, labels: Int32Array): BatchResult;
  protected abstract differentiate(given: Sequences, labels: Int32Array): LossAndGradients;
  /** @returns [B, C] */
  protected abstract logits(given: Sequences, name: string): ArrayLike<number>;
  /** The sum of the examples' losses, in nats, and the logits [B, C]. */
  protected abstract lossAndLogits(
    given: Sequences,
    labels: Int32Array,
  ): { readonly loss: number; readonly logits: ArrayLike<number> };
  protected abstract readWeights(): ClassifierWeights;
  /** All of the weights or, when one does not fit float32, none. */
  protected abstract writeWeights(weights: ClassifierWeights): void;
  protected abstract readState(): OptimizerState;
  protected abstract writeState(state: CheckedState): void;
  /** Frees everything that the network owns. */
  protected abstract release(): void;

  compile(options: CompileOptions): void {
    this.beginChange('compile');
    const { config, clipNorm } = resolveCompile(options);
    this.writeState({ config, step: 0, slots: {} });
    this.clipNorm = clipNorm;
  }

  async fit(inputs: TensorLike, labels: ArrayLike<number>, options: FitOptions = {}): Promise<History> {
    this.begin('fit');
    return runFit(this, inputs, labels, options);
  }

  /** The result tells when loss or norm is not finite; weights and optimizer are then as they were. */
  trainOnBatch(inputs: TensorLike, labels: ArrayLike<number>, options: SequenceOptions = {}): BatchResult {
    this.beginChange('trainOnBatch', false);
    const given = checkSequences(inputs, options, this, 'trainOnBatch');
    return this.step(given, checkLabels(labels, 'trainOnBatch: labels', given.batch, this.classes));
  }

  predict(inputs: TensorLike, options: SequenceOptions = {}): Int32Array {
    const { data, shape } = this.allLogits(inputs, options, 'predict');
    return Int32Array.from({ length: shape[0] }, (_, b) => argmaxOfRow(data, b, this.classes));
  }

  predictProbabilities(inputs: TensorLike, options: SequenceOptions = {}): Tensor {
    const { data, shape } = this.allLogits(inputs, options, 'predictProbabilities');
    return softmaxOf(data, shape[0], this.classes);
  }

  /** Logits [B, C], before the softmax. */
  predictLogits(inputs: TensorLike, options: SequenceOptions = {}): Tensor {
    return this.allLogits(inputs, options, 'predictLogits');
  }

  evaluate(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options: SequenceOptions & { readonly batchSize?: number } = {},
  ): Evaluated {
    this.begin('evaluate');
    const given = checkSequences(inputs, options, this, 'evaluate', evaluateOptions);
    const checked = checkLabels(labels, 'evaluate: labels', given.batch, this.classes);
    const batchSize =
      options.batchSize === undefined ? chunk : checkSize('evaluate: batchSize', options.batchSize);
    let loss = 0;
    let correct = 0;
    for (let from = 0; from < given.batch; from += batchSize) {
      const to = Math.min(from + batchSize, given.batch);
      const some = checked.subarray(from, to);
      const part = this.lossAndLogits(someOf(given, from, to), some);
      loss += part.loss;
      correct += hits(part.logits, some, this.classes);
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
    this.begin('lossAndGradients');
    const given = checkSequences(inputs, options, this, 'lossAndGradients');
    return this.differentiate(
      given,
      checkLabels(labels, 'lossAndGradients: labels', given.batch, this.classes),
    );
  }

  getWeights(): ClassifierWeights {
    this.begin('getWeights');
    return this.readWeights();
  }

  /** Values are rounded to float32. */
  setWeights(weights: { readonly [K in keyof ClassifierWeights]: TensorLike }): void {
    this.beginChange('setWeights');
    this.writeWeights(checkClassifierWeights(weights, this));
  }

  getOptimizerState(): OptimizerState {
    this.begin('getOptimizerState');
    return this.readState();
  }

  setOptimizerState(state: OptimizerState): void {
    this.beginChange('setOptimizerState');
    checkOptions(state, stateOptions, 'setOptimizerState');
    const config = resolveOptimizer({ optimizer: state.config });
    checkOptimizerMemory(state, slotNames(config));
    const slots = Object.entries(state.slots).map(
      ([slot, memory]) => [slot, checkClassifierWeights(memory, this, `setOptimizerState: ${slot}`)] as const,
    );
    this.writeState({ config, step: state.step, slots: Object.fromEntries(slots) });
  }

  /** Frees what the model owns; afterwards every other method throws. A second call does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.release();
  }

  /** Makes this model's backend the current one, whatever ran before. */
  protected begin(method: string): void {
    if (this.disposed) {
      throw new Error(
        `${method}: this classifier was disposed and its weights are gone; call dispose last, or make a new classifier.`,
      );
    }
    this.runsOn.use();
  }

  private beginChange(method: string, inCallback = true): void {
    checkNotFitting(this, method, inCallback);
    this.begin(method);
  }

  /** The forward pass over any number of examples, in chunks so that memory stays small. @returns [B, C] */
  private allLogits(inputs: TensorLike, options: SequenceOptions, name: string): Tensor {
    this.begin(name);
    const given = checkSequences(inputs, options, this, name);
    const data = new Float64Array(given.batch * this.classes);
    for (let from = 0; from < given.batch; from += chunk) {
      const some = someOf(given, from, Math.min(from + chunk, given.batch));
      data.set(this.logits(some, name), from * this.classes);
    }
    return { data, shape: [given.batch, this.classes] };
  }
}

/** How many rows have their largest logit at the label. */
export function hits(logits: ArrayLike<number>, labels: Int32Array, classes: number): number {
  let count = 0;
  for (let b = 0; b < labels.length; b++) if (argmaxOfRow(logits, b, classes) === labels[b]) count++;
  return count;
}

/** exp(z - max) / sum, row by row. @returns [B, C] */
export function softmaxOf(logits: ArrayLike<number>, batch: number, classes: number): Tensor {
  const data = Float64Array.from(logits);
  for (let from = 0; from < data.length; from += classes) {
    const row = data.subarray(from, from + classes);
    const max = row.reduce((a, b) => Math.max(a, b));
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += row[c] = Math.exp(row[c] - max);
    for (let c = 0; c < classes; c++) row[c] /= sum;
  }
  return { data, shape: [batch, classes] };
}

/** Position of the row's largest element, the first of them on a tie. */
function argmaxOfRow(data: ArrayLike<number>, row: number, columns: number): number {
  const from = row * columns;
  let best = 0;
  for (let c = 1; c < columns; c++) if (data[from + c] > data[from + best]) best = c;
  return best;
}
