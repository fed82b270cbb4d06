import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import {
  borrowTensor,
  checkClassifierSizes,
  checkClassifierWeights,
  checkLabels,
  checkMask,
  checkSize,
  initialClassifierWeights,
  resolveOptimizer,
  runFit,
  type BatchResult,
  type ClassifierOptions,
  type ClassifierWeights,
  type CompileOptions,
  type Evaluated,
  type FitOptions,
  type History,
  type LossAndGradients,
  type OptimizerState,
  type SequenceOptions,
  type SimpleRNNClassifier,
  type Tensor,
  type TensorLike,
} from '../../scratch/index';
import { CompiledGraphs, type SetUp } from './compiled-graphs';
import { feedFloats, feedLabels, feedMask, fetchTensor } from './native-tensors';
import { chainsFor } from './rnn/chains';
import type { Loop } from './rnn/loop-choice';
import { packArrays, packedSize, unpackArrays } from './rnn/packed-weights';
import { kindOf, settingsFor, slotsOf, type FullConfig } from './rnn/update-rule';
import type { SessionBackend } from './session';
import { operationsSideBySide } from './threads';

export interface GraphSimpleRNNClassifierOptions extends ClassifierOptions {
  /** the loaded backend `tensorflow`; others cannot run graphs */ readonly backend: SessionBackend;
  /** in place of the choice by length */ readonly loop?: Loop;
  /** independent parts of a training batch, in place of the choice by size */ readonly chains?: number;
}

/** Examples per forward pass of predict and evaluate; the results do not depend on it. */
const chunk = 256;

/**
 * Sequence to class: a SimpleRNN, its final state into a Dense layer, softmax; each training step one call of a graph
 * that TensorFlow compiled (docs/graph.md). Same weights, same numbers within rounding, same order of examples as the
 * other two classifiers. Unless compiled otherwise it learns by plain SGD with learning rate 0.01.
 *
 * Everything is checked before a call, since a graph checks nothing: a call that would fail never happens. When the
 * loss or the gradients' norm is not finite, the weights and the optimizer stay as they were. Call `dispose` at the end.
 *
 * @example
 * const backend = await loadBackend('tensorflow');
 * const model = new GraphSimpleRNNClassifier({ backend, features: 28, units: 128, classes: 10, seed: 1 });
 * await model.fit(inputs, labels, { epochs: 5, optimizer: 'adam' });
 * model.dispose();
 */
export class GraphSimpleRNNClassifier implements SimpleRNNClassifier {
  readonly name = 'graph';
  readonly precision = 'float32';
  readonly features: number;
  readonly units: number;
  readonly classes: number;
  private readonly backend: SessionBackend;
  private readonly graphs: CompiledGraphs;
  private readonly fixedChains: number | undefined;
  /** all weights in one vector, in the library's memory */ private packed: TfTensor;
  private slots: Record<string, TfTensor> = {};
  private config: FullConfig;
  private clipNorm: number | undefined;
  private step = 0;
  /** the numbers last fed to an update, kept while they do not change */
  private settings: { readonly key: string; readonly tensor: TfTensor } | undefined;
  private disposed = false;

  /** @throws RangeError on a size that is not a positive integer, weights that do not fit, or a bad setting */
  constructor(options: GraphSimpleRNNClassifierOptions) {
    const sizes = checkClassifierSizes(options);
    ({ features: this.features, units: this.units, classes: this.classes } = sizes);
    this.backend = options.backend;
    this.fixedChains = options.chains === undefined ? undefined : checkSize('chains', options.chains);
    this.config = resolveOptimizer(options);
    this.clipNorm = checkClipNorm(options.clipNorm);
    const weights =
      options.weights === undefined
        ? initialClassifierWeights(options)
        : checkClassifierWeights(options.weights, sizes, 'GraphSimpleRNNClassifier');
    this.graphs = new CompiledGraphs(this.backend, sizes, options.loop);
    this.packed = this.keep(packArrays(weights), 'GraphSimpleRNNClassifier: weights');
  }

  /** What has been compiled so far, and how long each took: set-up is not part of a step. */
  get setUps(): readonly SetUp[] {
    return this.graphs.setUps;
  }

  compile(options: CompileOptions): void {
    this.open('compile');
    const clipNorm = checkClipNorm(options.clipNorm);
    this.config = resolveOptimizer(options);
    this.clipNorm = clipNorm;
    this.step = 0;
    this.setSlots({});
  }

  fit(inputs: TensorLike, labels: ArrayLike<number>, options: FitOptions = {}): Promise<History> {
    return runFit(this, inputs, labels, options);
  }

  /**
   * Compiles what training on batches of this shape needs, by one step whose result is thrown away, so that the first
   * real step takes no longer than the others. Nothing in the model changes.
   *
   * @returns milliseconds it took
   */
  warmUp(batch: number, timeSteps: number, { mask = false, initialState = false } = {}): number {
    const start = performance.now();
    const zeros = (...shape: number[]) => ({
      data: new Float64Array(shape.reduce((a, b) => a * b, 1)),
      shape,
    });
    const options: SequenceOptions = {
      ...(mask && { mask: zeros(batch, timeSteps) }),
      ...(initialState && { initialState: zeros(batch, this.units) }),
    };
    const labels = new Int32Array(batch);
    const given = this.check(zeros(batch, timeSteps, this.features), options, 'warmUp', labels);
    disposeAll(this.runTrain(given));
    return performance.now() - start;
  }

  /**
   * One update. When the loss, the gradients' norm or a weight of after the update is not finite, nothing changes; in the
   * last case the norm is reported as NaN.
   */
  trainOnBatch(inputs: TensorLike, labels: ArrayLike<number>, options: SequenceOptions = {}): BatchResult {
    const given = this.check(inputs, options, 'trainOnBatch', labels);
    const { weights, report, ...slots } = this.runTrain(given);
    const numbers = report.dataSync<'float32'>();
    report.dispose();
    const result = {
      loss: numbers[0],
      accuracy: hits(numbers.subarray(2), given.labels as Int32Array, this.classes) / given.batch,
      gradientNorm: Math.sqrt(2 * numbers[1]),
    };
    if (Number.isFinite(result.loss) && Number.isFinite(result.gradientNorm)) {
      this.packed.dispose();
      this.packed = this.backend.tf.keep(weights);
      this.setSlots(slots);
      this.step++;
    } else {
      disposeAll({ weights, ...slots });
    }
    return result;
  }

  predict(inputs: TensorLike, options: SequenceOptions = {}): Int32Array {
    const { data, shape } = this.logits(this.check(inputs, options, 'predict'));
    return Int32Array.from({ length: shape[0] }, (_, b) => argmax(data, b * this.classes, this.classes));
  }

  predictProbabilities(inputs: TensorLike, options: SequenceOptions = {}): Tensor {
    const logits = this.logits(this.check(inputs, options, 'predictProbabilities'));
    softmaxRows(logits.data, this.classes);
    return logits;
  }

  evaluate(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options: SequenceOptions & { readonly batchSize?: number } = {},
  ): Evaluated {
    const given = this.check(inputs, options, 'evaluate', labels);
    const batchSize =
      options.batchSize === undefined ? chunk : checkSize('evaluate: batchSize', options.batchSize);
    let loss = 0;
    let correct = 0;
    for (const part of this.parts(given, batchSize)) {
      const results = this.run('evaluate', part);
      correct += hits(results.logits.dataSync(), part.labels as Int32Array, this.classes);
      for (const each of results.losses.dataSync()) loss += each;
      disposeAll(results);
    }
    return { loss: loss / given.batch, accuracy: correct / given.batch };
  }

  loss(inputs: TensorLike, labels: ArrayLike<number>, options: SequenceOptions = {}): number {
    return this.evaluate(inputs, labels, options).loss;
  }

  lossAndGradients(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options: SequenceOptions = {},
  ): LossAndGradients {
    const results = this.run('gradients', this.check(inputs, options, 'lossAndGradients', labels));
    const gradients = {
      ...unpackArrays(results.weights.dataSync(), this),
      inputs: fetchTensor(results.inputs),
      initialState: fetchTensor(results.initialState),
    };
    const loss = results.loss.dataSync()[0];
    const probabilities = fetchTensor(results.probabilities);
    disposeAll(results);
    return { loss, probabilities, gradients };
  }

  getWeights(): ClassifierWeights {
    this.open('getWeights');
    return unpackArrays(this.packed.dataSync(), this);
  }

  setWeights(weights: { readonly [K in keyof ClassifierWeights]: TensorLike }): void {
    this.open('setWeights');
    const next = this.keep(packArrays(checkClassifierWeights(weights, this)), 'setWeights');
    this.packed.dispose();
    this.packed = next;
  }

  getOptimizerState(): OptimizerState {
    this.open('getOptimizerState');
    const { config, step } = this;
    const remembered = step === 0 ? {} : this.slots;
    const slots = Object.entries(remembered).map(
      ([name, memory]) => [name, unpackArrays(memory.dataSync(), this)] as const,
    );
    return { config, step, slots: Object.fromEntries(slots) };
  }

  setOptimizerState({ config, step, slots }: OptimizerState): void {
    this.open('setOptimizerState');
    const resolved = resolveOptimizer({ optimizer: config });
    const names = step === 0 ? [] : slotsOf[kindOf(resolved)];
    if (!Number.isInteger(step) || step < 0 || names.some((name) => !(name in slots))) {
      throw new RangeError(
        `setOptimizerState: ${resolved.name} after ${String(step)} updates has slots ${names.join(', ') || 'none'}, given are ${Object.keys(slots).join(', ') || 'none'}; pass what getOptimizerState returned.`,
      );
    }
    const checked = names.map((name) => {
      const at = `setOptimizerState: ${name}`;
      return [name, packArrays(checkClassifierWeights(slots[name], this, at))] as const;
    });
    this.setSlots(Object.fromEntries(checked.map(([name, tensor]) => [name, this.keep(tensor, name)])));
    this.config = resolved;
    this.step = step;
  }

  /** Closes the sessions and frees the weights; a second call does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.graphs.dispose();
    this.packed.dispose();
    this.settings?.tensor.dispose();
    this.setSlots({});
  }

  /** [B, C]; in chunks so that memory stays small. */
  private logits(given: Batch): { data: Float64Array; shape: readonly number[] } {
    const data = new Float64Array(given.batch * this.classes);
    let next = 0;
    for (const part of this.parts(given, chunk)) {
      const results = this.run('predict', part);
      data.set(results.logits.dataSync(), next);
      next += part.batch * this.classes;
      disposeAll(results);
    }
    return { data, shape: [given.batch, this.classes] };
  }

  private runTrain(given: Batch): Record<string, TfTensor> {
    const kind = kindOf(this.config);
    for (const name of slotsOf[kind]) {
      this.slots[name] ??= this.backend.tf.keep(this.backend.tf.zeros([packedSize(this)]));
    }
    return this.run('train', given, { ...this.slots, settings: this.settingsTensor() });
  }

  private settingsTensor(): TfTensor {
    const values = settingsFor(this.config, this.step + 1, this.clipNorm);
    const key = values.join();
    if (this.settings?.key !== key) {
      this.settings?.tensor.dispose();
      this.settings = { key, tensor: this.backend.tf.keep(this.backend.tf.tensor1d(values, 'float32')) };
    }
    return this.settings.tensor;
  }

  private run(
    call: 'predict' | 'evaluate' | 'gradients' | 'train',
    given: Batch,
    extra: Readonly<Record<string, TfTensor>> = {},
  ): Record<string, TfTensor> {
    const { backend } = this;
    const run = this.graphs.for(call, {
      timeSteps: given.inputs.shape[1],
      initialState: given.initialState !== undefined,
      mask: given.mask !== undefined,
      update: kindOf(this.config),
      clipped: this.clipNorm !== undefined,
      chains:
        this.fixedChains ?? chainsFor({ units: this.units, batch: given.batch }, operationsSideBySide()),
    });
    const fed: Record<string, TfTensor> = { inputs: feedFloats(backend, given.inputs, `${call}: inputs`) };
    if (given.labels) fed.labels = feedLabels(backend, given.labels);
    if (given.mask) fed.mask = feedMask(backend, given.mask);
    if (given.initialState) {
      fed.initialState = feedFloats(backend, given.initialState, `${call}: initialState`);
    }
    try {
      return run({ ...fed, weights: this.packed, ...extra });
    } finally {
      disposeAll(fed);
    }
  }

  private check(
    inputs: TensorLike,
    { initialState, mask }: SequenceOptions,
    name: string,
    labels?: ArrayLike<number>,
  ): Batch {
    this.open(name);
    const x = borrowTensor(inputs, `${name}: inputs`, ['B', 'T', this.features]);
    const [batch, timeSteps] = x.shape;
    return {
      batch,
      inputs: x,
      initialState: initialState && borrowTensor(initialState, `${name}: initialState`, [batch, this.units]),
      mask: checkMask(mask, `${name}: mask`, batch, timeSteps),
      labels: labels && checkLabels(labels, `${name}: labels`, batch, this.classes),
    };
  }

  private *parts(given: Batch, size: number): Generator<Batch> {
    if (given.batch <= size) {
      yield given;
      return;
    }
    for (let from = 0; from < given.batch; from += size) {
      const batch = Math.min(size, given.batch - from);
      const rows = (x: Tensor): Tensor => {
        const width = x.data.length / given.batch;
        return {
          data: x.data.subarray(from * width, (from + batch) * width),
          shape: [batch, ...x.shape.slice(1)],
        };
      };
      yield {
        batch,
        inputs: rows(given.inputs),
        initialState: given.initialState && rows(given.initialState),
        mask: given.mask && rows(given.mask),
        labels: given.labels?.subarray(from, from + batch),
      };
    }
  }

  private keep(tensor: Tensor, name: string): TfTensor {
    this.backend.use();
    return this.backend.tf.keep(feedFloats(this.backend, tensor, name));
  }

  private setSlots(slots: Record<string, TfTensor>): void {
    disposeAll(this.slots);
    for (const slot of Object.values(slots)) this.backend.tf.keep(slot);
    this.slots = slots;
  }

  private open(name: string): void {
    if (this.disposed) throw new Error(`${name}: the classifier was disposed; make another one.`);
    this.backend.use();
  }
}

/** A checked batch. */
interface Batch {
  readonly batch: number;
  readonly inputs: Tensor;
  readonly initialState: Tensor | undefined;
  readonly mask: Tensor | undefined;
  readonly labels: Int32Array | undefined;
}

function disposeAll(tensors: Readonly<Record<string, TfTensor>>): void {
  for (const key in tensors) tensors[key].dispose();
}

/** How many rows have their largest logit at the label. */
function hits(logits: ArrayLike<number>, labels: Int32Array, classes: number): number {
  let count = 0;
  for (let b = 0; b < labels.length; b++) if (argmax(logits, b * classes, classes) === labels[b]) count++;
  return count;
}

/** The first of the largest. */
function argmax(values: ArrayLike<number>, from: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[from + i] > values[from + best]) best = i;
  return best;
}

/** In place: exp(z - max) / sum, row by row. */
function softmaxRows(logits: Float64Array, classes: number): void {
  for (let from = 0; from < logits.length; from += classes) {
    const row = logits.subarray(from, from + classes);
    const max = row.reduce((a, b) => Math.max(a, b));
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += row[c] = Math.exp(row[c] - max);
    for (let c = 0; c < classes; c++) row[c] /= sum;
  }
}

function checkClipNorm(clipNorm: number | undefined): number | undefined {
  if (clipNorm === undefined || (Number.isFinite(clipNorm) && clipNorm > 0)) return clipNorm;
  throw new RangeError(
    `compile: clipNorm is ${String(clipNorm)}; it must be a positive number, so pass one or leave it out.`,
  );
}
