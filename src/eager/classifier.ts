import { classifierLayers, NetworkPlan, resolveClassifier, weightsByLayer } from '../../scratch/index';
import type { ClassifierOptions } from '../../scratch/index';
import type { LoadedBackend } from '../backends/index';
import { ClassifierShell } from '../classifier-shell';
import { simpleRNNNames } from '../network-engine';
import { TfEngine } from './engine';
import { checkGradientMethod, sideName, type GradientMethod } from './method';

export interface TfSimpleRNNClassifierOptions extends ClassifierOptions {
  /** from `loadBackend` */ readonly backend: LoadedBackend;
  /** where the gradients come from; default autodiff */ readonly gradients?: GradientMethod;
}

/**
 * Sequence to class in TensorFlow.js: tf.layers.simpleRNN, its final state into tf.layers.dense, softmax. The same
 * function of the same weights as the scratch classifier, in float32, with gradients by tfjs's autodiff; `TfNetwork` of these two
 * layers under other names.
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

  /** @throws RangeError on an unknown option, a bad size or setting, or weights that do not fit */
  constructor(options: TfSimpleRNNClassifierOptions) {
    const name = 'TfSimpleRNNClassifier';
    const { sizes, weights, config, clipNorm } = resolveClassifier(options, name, {
      backend: true,
      gradients: true,
    });
    const { backend, gradients: asked = 'autodiff' } = options;
    const gradients = checkGradientMethod(asked, name);
    const plan = new NetworkPlan(classifierLayers(sizes), name);
    const engine = new TfEngine(backend, plan, name, {
      ...{ gradients, config, reportsStates: false, nameOf: simpleRNNNames },
      weights: weightsByLayer(weights),
    });
    super(sizes, plan, engine, clipNorm, backend);
    this.name = sideName(backend, gradients);
  }
}
