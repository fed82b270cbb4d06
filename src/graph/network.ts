import {
  checkMemory,
  checkSize,
  resolveNetwork,
  zeros,
  type CheckedOptimizerState,
  type CheckedQuestion,
  type NetworkAnswer,
  type NetworkBatchResult,
  type NetworkOptimizerState,
  type NetworkOptions,
  type StackWeights,
} from '../../scratch/index';
import { accuracyOf, outputsOf } from '../host-losses';
import { NetworkShell, type CheckedBatch } from '../network-shell';
import type { SetUp } from './compiled-graphs';
import { graphOptions, NetworkEngine, type GraphOptions } from './engine';

export interface GraphNetworkOptions extends NetworkOptions, GraphOptions {}

/**
 * A network of any layers with a loss at its end; each training step one call of a graph that TensorFlow compiled
 * (docs/graph.md). Same weights, same numbers within rounding, same order of examples as the other networks of layers.
 * Unless compiled otherwise it learns by plain SGD with learning rate 0.01.
 *
 * Everything is checked before a call. When the loss, the gradients' norm or a next weight is not finite, the weights and the
 * optimizer stay as they were. Call `dispose` at the end.
 *
 * @example
 * const backend = await loadBackend('tensorflow');
 * const layers = [{ layer: 'lstm', units: 128 }, { layer: 'dense', units: 10 }] as const;
 * const model = new GraphNetwork({ backend, features: 28, layers, seed: 1 });
 * await model.fit(inputs, labels, { epochs: 5, optimizer: 'adam' });
 * model.dispose();
 */
export class GraphNetwork extends NetworkShell {
  readonly name = 'graph';
  private readonly engine: NetworkEngine;

  /** @throws RangeError on an unknown option, a description that makes no sense, a bad setting, or weights that do not fit */
  constructor(options: GraphNetworkOptions) {
    const name = 'GraphNetwork';
    const { plan, weights, config, clipNorm } = resolveNetwork(options, name, graphOptions);
    super(plan, clipNorm, options.backend);
    this.engine = new NetworkEngine(plan, options, weights, config, name, true);
  }

  /** What has been compiled so far, and how long each took: set-up is not part of a step. */
  get setUps(): readonly SetUp[] {
    return this.engine.setUps;
  }

  /**
   * Compiles what training on batches of this shape needs, by one step whose result is thrown away, so that the first
   * real step takes no longer than the others. Nothing in the network changes.
   *
   * @returns milliseconds it took
   * @throws RangeError on sizes that are not positive integers or that no memory holds
   */
  warmUp(batch: number, timeSteps: number, { mask = false, initialStates = false } = {}): number {
    this.begin('warmUp');
    checkSize('warmUp: batch', batch);
    checkSize('warmUp: timeSteps', timeSteps);
    const { vocabulary, features, layers } = this.plan;
    const shape = vocabulary === undefined ? [batch, timeSteps, features] : [batch, timeSteps];
    checkMemory('warmUp', shape);
    const ones = { data: new Float64Array(batch * timeSteps).fill(1), shape: [batch, timeSteps] };
    const given = {
      ...{ batch, timeSteps, inputs: vocabulary === undefined ? zeros(...shape) : ones },
      mask: mask ? ones : undefined,
      initialStates: layers.map(({ states }) =>
        initialStates ? states.map((units) => zeros(batch, units)) : [],
      ),
    };
    const outputs = this.plan.outputShape(given).reduce((a, b) => a * b, 1);
    const width = layers[layers.length - 1].output.width;
    const labelled = this.plan.loss === 'softmaxCrossEntropy';
    const targets = labelled ? new Int32Array(outputs / width) : new Float64Array(outputs);
    return this.engine.warmUp(given, targets, this.clipNorm);
  }

  protected override step({ given, targets }: CheckedBatch): NetworkBatchResult {
    const { logits, ...result } = this.engine.step(given, targets, this.clipNorm);
    const width = this.plan.layers[this.plan.layers.length - 1].output.width;
    const mask = this.plan.masksOf(given).at(-1);
    return { ...result, accuracy: accuracyOf(this.plan.loss, logits, width, targets, mask) };
  }

  protected override answer(question: CheckedQuestion, name: string): NetworkAnswer {
    const { logits, ...answer } = this.engine.answer(question, name);
    const { data, shape } = logits;
    const outputs = { data: outputsOf(this.plan.loss, data, shape[shape.length - 1]), shape };
    return { ...answer, logits, outputs };
  }

  protected override readWeights(): StackWeights {
    return this.engine.readWeights();
  }

  protected override writeWeights(weights: StackWeights): void {
    this.engine.writeWeights(weights);
  }

  protected override readState(): NetworkOptimizerState {
    return this.engine.readState();
  }

  protected override writeState(state: CheckedOptimizerState): void {
    this.engine.writeState(state);
  }

  protected override release(): void {
    this.engine.dispose();
  }
}
