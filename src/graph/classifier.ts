import {
  checkOptions,
  classifierLayers,
  NetworkPlan,
  resolveClassifier,
  weightsByLayer,
  type ClassifierOptions,
} from '../../scratch/index';
import { ClassifierShell } from '../classifier-shell';
import { simpleRNNNames } from '../network-engine';
import type { SetUp } from './compiled-graphs';
import { GraphEngine, graphOptions, type GraphOptions } from './engine';

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
  declare protected readonly engine: GraphEngine;

  /**
   * @throws RangeError on an unknown option, a bad size or setting, or weights that do not fit; GraphUnavailableError on a
   *   backend other than tensorflow
   */
  constructor(options: GraphSimpleRNNClassifierOptions) {
    const name = 'GraphSimpleRNNClassifier';
    const { sizes, weights, config, clipNorm } = resolveClassifier(options, name, graphOptions);
    const plan = new NetworkPlan(classifierLayers(sizes), name);
    const own = weightsByLayer(weights);
    const engine = new GraphEngine(plan, options, own, config, name, simpleRNNNames, false);
    super(sizes, plan, engine, clipNorm, options.backend);
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
  warmUp(
    batch: number,
    timeSteps: number,
    options: { readonly mask?: boolean; readonly initialState?: boolean } = {},
  ): number {
    this.begin('warmUp');
    checkOptions(options, { mask: true, initialState: true }, 'warmUp');
    const { mask = false, initialState = false } = options;
    return this.engine.warmUp(batch, timeSteps, { mask, initialStates: initialState }, this.clipNorm);
  }
}
