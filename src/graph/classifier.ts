import { checkMemory, checkSize, NetworkPlan, resolveClassifier, zeros } from '../../scratch/index';
import type {
  BatchResult,
  ClassifierOptions,
  ClassifierWeights,
  LossAndGradients,
  OptimizerState,
  Sequences,
  StackInputs,
  StackWeights,
} from '../../scratch/index';
import { ClassifierShell, hits, softmaxOf, type CheckedState } from '../classifier-shell';
import { lossOf } from '../host-losses';
import type { SetUp } from './compiled-graphs';
import { graphOptions, NetworkEngine, type GraphOptions } from './engine';

export interface GraphSimpleRNNClassifierOptions extends ClassifierOptions, GraphOptions {}

/**
 * Sequence to class: a SimpleRNN, its final state into a Dense layer, softmax; each training step one call of a graph
 * that TensorFlow compiled (docs/graph.md). Same weights, same numbers within rounding, same order of examples as the
 * other two classifiers; `GraphNetwork` of these two layers under other names. Unless compiled otherwise it learns by plain
 * SGD with learning rate 0.01.
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
  private readonly engine: NetworkEngine;

  /** @throws RangeError on an unknown option, a bad size or setting, or weights that do not fit */
  constructor(options: GraphSimpleRNNClassifierOptions) {
    const name = 'GraphSimpleRNNClassifier';
    const { sizes, weights, config, clipNorm } = resolveClassifier(options, name, graphOptions);
    super(sizes, clipNorm, options.backend);
    const { features, units, classes } = sizes;
    const layers = [
      { layer: 'simpleRNN', units },
      { layer: 'dense', units: classes },
    ] as const;
    const plan = new NetworkPlan({ features, layers }, name);
    this.engine = new NetworkEngine(plan, options, byLayer(weights), config, name, false);
  }

  /** What has been compiled so far, and how long each took: set-up is not part of a step. */
  get setUps(): readonly SetUp[] {
    return this.engine.setUps;
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
    checkSize('warmUp: batch', batch);
    checkSize('warmUp: timeSteps', timeSteps);
    checkMemory('warmUp', [batch, timeSteps, this.features]);
    const given: Sequences = {
      batch,
      timeSteps,
      inputs: zeros(batch, timeSteps, this.features),
      ...(mask && { mask: zeros(batch, timeSteps) }),
      ...(initialState && { initialState: zeros(batch, this.units) }),
    };
    return this.engine.warmUp(stackInputs(given), new Int32Array(batch), this.clipNorm);
  }

  /** Nor does anything change when a weight of after the update is not finite; the norm is then reported as NaN. */
  protected override step(given: Sequences, labels: Int32Array): BatchResult {
    const { loss, gradientNorm, logits } = this.engine.step(stackInputs(given), labels, this.clipNorm);
    return { loss, accuracy: hits(logits, labels, this.classes) / given.batch, gradientNorm };
  }

  protected override logits(given: Sequences, name: string): ArrayLike<number> {
    return this.answer(given, undefined, name).logits.data;
  }

  protected override lossAndLogits(given: Sequences, labels: Int32Array) {
    const logits = this.logits(given, 'evaluate');
    const { loss } = lossOf('softmaxCrossEntropy', logits, this.classes, labels, undefined);
    return { loss: loss * given.batch, logits };
  }

  protected override differentiate(given: Sequences, labels: Int32Array): LossAndGradients {
    const { loss, logits, gradients } = this.answer(given, labels, 'lossAndGradients');
    const { weights, inputs, initialStates } = gradients!;
    return {
      loss: loss!,
      probabilities: softmaxOf(logits.data, given.batch, this.classes),
      gradients: { ...named(weights), inputs: inputs!, initialState: initialStates[0][0] },
    };
  }

  protected override readWeights(): ClassifierWeights {
    return named(this.engine.readWeights());
  }

  protected override writeWeights(weights: ClassifierWeights): void {
    this.engine.writeWeights(byLayer(weights));
  }

  protected override readState(): OptimizerState {
    const { slots, ...state } = this.engine.readState();
    return { ...state, slots: mapRecord(slots, named) };
  }

  protected override writeState({ slots, ...state }: CheckedState): void {
    this.engine.writeState({ ...state, slots: mapRecord(slots, byLayer) });
  }

  protected override release(): void {
    this.engine.dispose();
  }

  private answer(given: Sequences, targets: Int32Array | undefined, name: string) {
    const asked = { given: stackInputs(given), targets, upstream: undefined, sequences: false };
    return this.engine.answer(asked, name);
  }
}

function stackInputs({ batch, timeSteps, inputs, initialState, mask }: Sequences): StackInputs {
  return { batch, timeSteps, inputs, mask, initialStates: [initialState ? [initialState] : [], []] };
}

/** The classifier's names as those of its two layers. */
function byLayer({ outputKernel, outputBias, ...recurrent }: ClassifierWeights): StackWeights {
  const { kernel, recurrentKernel, bias } = recurrent;
  return [
    { kernel, recurrentKernel, bias },
    { kernel: outputKernel, bias: outputBias },
  ];
}

function named([recurrent, output]: StackWeights): ClassifierWeights {
  const { kernel, recurrentKernel, bias } = recurrent;
  return { kernel, recurrentKernel, bias, outputKernel: output['kernel'], outputBias: output['bias'] };
}

function mapRecord<T, R>(record: Readonly<Record<string, T>>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
