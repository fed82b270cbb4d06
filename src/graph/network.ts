import { checkOptions, resolveNetwork, type NetworkOptions } from '../../scratch/index';
import { layerNames } from '../network-engine';
import { NetworkShell } from '../network-shell';
import type { SetUp } from './compiled-graphs';
import { GraphEngine, graphOptions, type GraphOptions } from './engine';

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
  declare protected readonly engine: GraphEngine;

  /**
   * @throws RangeError on an unknown option, a description that makes no sense, a bad setting, or weights that do not fit;
   *   GraphUnavailableError on a backend other than tensorflow
   */
  constructor(options: GraphNetworkOptions) {
    const name = 'GraphNetwork';
    const { plan, weights, config, clipNorm } = resolveNetwork(options, name, graphOptions);
    super(plan, new GraphEngine(plan, options, weights, config, name, layerNames), clipNorm, options.backend);
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
  warmUp(
    batch: number,
    timeSteps: number,
    options: { readonly mask?: boolean; readonly initialStates?: boolean } = {},
  ): number {
    this.begin('warmUp');
    checkOptions(options, { mask: true, initialStates: true }, 'warmUp');
    const { mask = false, initialStates = false } = options;
    return this.engine.warmUp(batch, timeSteps, { mask, initialStates }, this.clipNorm);
  }
}
