import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import { checkMemory, checkSize, resolveClassifier } from '../../scratch/index';
import type {
  BatchResult,
  ClassifierOptions,
  ClassifierWeights,
  LossAndGradients,
  OptimizerState,
  ResolvedOptimizerConfig,
  Sequences,
  Tensor,
} from '../../scratch/index';
import { ClassifierShell, hits, type CheckedState } from '../classifier-shell';
import { read, upload, uploadLabels, uploadMask } from '../to-tensors';
import { CompiledGraphs, type Call, type SetUp } from './compiled-graphs';
import { chainsFor } from './rnn/chains';
import { checkLoop, type Loop } from './rnn/loop-choice';
import { packArrays, packedSize, unpackArrays } from './rnn/packed-weights';
import { kindOf, settingsFor, slotsOf } from './rnn/update-rule';
import type { SessionBackend } from './session';
import { operationsSideBySide } from './threads';

export interface GraphSimpleRNNClassifierOptions extends ClassifierOptions {
  /** the loaded backend `tensorflow`; others cannot run graphs */ readonly backend: SessionBackend;
  /** instead of the choice by length */ readonly loop?: Loop;
  /** independent parts of a training batch, instead of the choice by size */ readonly chains?: number;
}

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
export class GraphSimpleRNNClassifier extends ClassifierShell {
  readonly name = 'graph';
  private readonly backend: SessionBackend;
  private readonly graphs: CompiledGraphs;
  private readonly fixedChains: number | undefined;
  /** all weights in one vector, in the library's memory */ private packed: TfTensor;
  private slots: Record<string, TfTensor> = {};
  private config: ResolvedOptimizerConfig;
  private updates = 0;
  /** the numbers last fed to an update, kept while they do not change */
  private settings: { readonly key: string; readonly tensor: TfTensor } | undefined;

  /** @throws RangeError on an unknown option, a bad size or setting, or weights that do not fit */
  constructor(options: GraphSimpleRNNClassifierOptions) {
    const name = 'GraphSimpleRNNClassifier';
    const { backend, loop, chains } = options;
    const more = { backend: true, loop: true, chains: true } as const;
    const { sizes, weights, config, clipNorm } = resolveClassifier(options, name, more);
    super(sizes, clipNorm, backend);
    this.backend = backend;
    this.config = config;
    this.fixedChains = chains === undefined ? undefined : checkSize(`${name}: chains`, chains);
    this.graphs = new CompiledGraphs(backend, sizes, loop && checkLoop(loop, name));
    this.packed = this.keep(packArrays(weights), `${name}: weights`);
  }

  /** What has been compiled so far, and how long each took: set-up is not part of a step. */
  get setUps(): readonly SetUp[] {
    return this.graphs.setUps;
  }

  /**
   * Compiles what training on batches of this shape needs, by one step whose result is thrown away, so that the first
   * real step takes no longer than the others. Nothing in the model changes.
   *
   * @returns milliseconds it took
   * @throws RangeError on sizes that are not positive integers or that no memory holds
   */
  warmUp(batch: number, timeSteps: number, { mask = false, initialState = false } = {}): number {
    this.begin('warmUp');
    const start = performance.now();
    checkSize('warmUp: batch', batch);
    checkSize('warmUp: timeSteps', timeSteps);
    checkMemory('warmUp', [batch, timeSteps, this.features]);
    const zeros = (...shape: number[]): Tensor => ({
      data: new Float64Array(shape.reduce((a, b) => a * b, 1)),
      shape,
    });
    const given: Sequences = {
      batch,
      timeSteps,
      inputs: zeros(batch, timeSteps, this.features),
      ...(mask && { mask: zeros(batch, timeSteps) }),
      ...(initialState && { initialState: zeros(batch, this.units) }),
    };
    disposeAll(this.runTrain(given, new Int32Array(batch)));
    return performance.now() - start;
  }

  /** Nor does anything change when a weight of after the update is not finite; the norm is then reported as NaN. */
  protected override step(given: Sequences, labels: Int32Array): BatchResult {
    const { weights, report, ...slots } = this.runTrain(given, labels);
    const numbers = report.dataSync<'float32'>();
    report.dispose();
    const result = {
      loss: numbers[0],
      accuracy: hits(numbers.subarray(2), labels, this.classes) / given.batch,
      gradientNorm: Math.sqrt(2 * numbers[1]),
    };
    if (Number.isFinite(result.loss) && Number.isFinite(result.gradientNorm)) {
      this.packed.dispose();
      this.packed = this.backend.tf.keep(weights);
      this.setSlots(slots);
      this.updates++;
    } else {
      disposeAll({ weights, ...slots });
    }
    return result;
  }

  protected override logits(given: Sequences): Float32Array {
    return readAll(this.run('predict', given)).logits;
  }

  protected override lossAndLogits(given: Sequences, labels: Int32Array) {
    const { losses, logits } = readAll(this.run('evaluate', given, labels));
    return { loss: losses.reduce((sum, loss) => sum + loss, 0), logits };
  }

  protected override differentiate(given: Sequences, labels: Int32Array): LossAndGradients {
    const results = this.run('gradients', given, labels);
    const gradients = {
      ...unpackArrays(results.weights.dataSync(), this),
      inputs: read(results.inputs),
      initialState: read(results.initialState),
    };
    const loss = results.loss.dataSync()[0];
    const probabilities = read(results.probabilities);
    disposeAll(results);
    return { loss, probabilities, gradients };
  }

  protected override readWeights(): ClassifierWeights {
    return unpackArrays(this.packed.dataSync(), this);
  }

  protected override writeWeights(weights: ClassifierWeights): void {
    const next = this.keep(packArrays(weights), 'setWeights');
    this.packed.dispose();
    this.packed = next;
  }

  protected override readState(): OptimizerState {
    const { config, updates } = this;
    const slots = Object.entries(updates === 0 ? {} : this.slots).map(
      ([name, memory]) => [name, unpackArrays(memory.dataSync(), this)] as const,
    );
    return { config, step: updates, slots: Object.fromEntries(slots) };
  }

  protected override writeState({ config, step, slots }: CheckedState): void {
    const fed = Object.entries(slots).map(
      ([name, memory]) => [name, this.feed(packArrays(memory), `setOptimizerState: ${name}`)] as const,
    );
    this.setSlots(Object.fromEntries(fed));
    this.config = config;
    this.updates = step;
  }

  protected override release(): void {
    this.graphs.dispose();
    this.packed.dispose();
    this.settings?.tensor.dispose();
    this.setSlots({});
  }

  private runTrain(given: Sequences, labels: Int32Array): Record<string, TfTensor> {
    for (const name of slotsOf[kindOf(this.config)]) {
      this.slots[name] ??= this.backend.tf.keep(this.backend.tf.zeros([packedSize(this)]));
    }
    return this.run('train', given, labels, { ...this.slots, settings: this.settingsTensor() });
  }

  private settingsTensor(): TfTensor {
    const values = settingsFor(this.config, this.updates + 1, this.clipNorm);
    const key = values.join();
    if (this.settings?.key !== key) {
      this.settings?.tensor.dispose();
      this.settings = { key, tensor: this.backend.tf.keep(this.backend.tf.tensor1d(values, 'float32')) };
    }
    return this.settings.tensor;
  }

  private run(
    call: Call,
    given: Sequences,
    labels?: Int32Array,
    extra: Readonly<Record<string, TfTensor>> = {},
  ): Record<string, TfTensor> {
    const { tf } = this.backend;
    const run = this.graphs.for(call, {
      timeSteps: given.timeSteps,
      initialState: given.initialState !== undefined,
      mask: given.mask !== undefined,
      update: kindOf(this.config),
      clipped: this.clipNorm !== undefined,
      chains:
        this.fixedChains ?? chainsFor({ units: this.units, batch: given.batch }, operationsSideBySide()),
    });
    const fed: Record<string, TfTensor> = { inputs: upload(tf, given.inputs, `${call}: inputs`) };
    if (labels) fed.labels = uploadLabels(tf, labels);
    if (given.mask) fed.mask = uploadMask(tf, given.mask);
    if (given.initialState) {
      fed.initialState = upload(tf, given.initialState, `${call}: initialState`);
    }
    try {
      return run({ ...fed, weights: this.packed, ...extra });
    } finally {
      disposeAll(fed);
    }
  }

  private feed(tensor: Tensor, name: string): TfTensor {
    return upload(this.backend.tf, tensor, name);
  }

  private keep(tensor: Tensor, name: string): TfTensor {
    this.backend.use();
    return this.backend.tf.keep(this.feed(tensor, name));
  }

  private setSlots(slots: Record<string, TfTensor>): void {
    disposeAll(this.slots);
    for (const slot of Object.values(slots)) this.backend.tf.keep(slot);
    this.slots = slots;
  }
}

/** The results' numbers; frees the tensors. */
function readAll(results: Readonly<Record<string, TfTensor>>): Record<string, Float32Array> {
  const numbers: Record<string, Float32Array> = {};
  for (const key in results) numbers[key] = results[key].dataSync<'float32'>();
  disposeAll(results);
  return numbers;
}

function disposeAll(tensors: Readonly<Record<string, TfTensor>>): void {
  for (const key in tensors) tensors[key].dispose();
}
