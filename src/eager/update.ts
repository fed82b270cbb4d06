import {
  checkClassifierWeights,
  classifierLayers,
  NetworkPlan,
  ownCopy,
  resolveCompile,
  weightsByLayer,
  weightsOfLayers,
  type ClassifierWeights,
  type CompileOptions,
  type OptimizerState,
  type TensorLike,
} from '../../scratch/index';
import type { LoadedBackend } from '../backends/index';
import { simpleRNNNames } from '../network-engine';
import { checkProblem, sequenceInputs } from '../problem';
import { TfEngine } from './engine';

/** One training step: where it starts, and on what. */
export interface UpdateOptions extends CompileOptions {
  /** [B, T, F] */ readonly inputs: TensorLike;
  /** [B] */ readonly labels: ArrayLike<number>;
  readonly weights: ClassifierWeights;
  /** steps done before, and what the optimizer remembers of them */ readonly state: Pick<
    OptimizerState,
    'step' | 'slots'
  >;
}

/** Where it ends. */
export interface Updated {
  /** of the batch before the update, nats */ readonly loss: number;
  readonly weights: ClassifierWeights;
  readonly state: OptimizerState;
}

/**
 * One training step of the classifier with asynchronous reads: forward, backward by autodiff, clip, update. WebGPU has no other reads
 * that are right; elsewhere `TfSimpleRNNClassifier` keeps its weights on the device.
 *
 * @throws RangeError on a bad setting, or numbers and shapes that do not fit
 */
export async function updateWithTfjsAsync(
  backend: LoadedBackend,
  { inputs, labels, weights, state, ...compile }: UpdateOptions,
): Promise<Updated> {
  const name = 'updateWithTfjsAsync';
  const { config, clipNorm } = resolveCompile(compile);
  const { given, sizes, classes = 0, labels: targets } = checkProblem({ inputs, labels, weights }, name);
  const all = { ...sizes, classes };
  const plan = new NetworkPlan(classifierLayers(all), name);
  const engine = new TfEngine(backend, plan, name, {
    ...{ gradients: 'autodiff', nameOf: simpleRNNNames, reportsStates: false },
    weights: weightsByLayer(checkClassifierWeights(weights, all, name)),
  });
  try {
    const { step, slots } = state;
    engine.writeState(
      plan.checkOptimizerState({ config, step, slots }, `${name}: state`, (memory, slot) =>
        weightsByLayer(checkClassifierWeights(memory, all, slot)),
      ),
    );
    const batch = ownCopy({ given: sequenceInputs(given, 2), targets: targets! });
    const { loss } = await engine.stepAsync(batch, clipNorm, () => backend.use());
    const after = await engine.readTrained();
    const memory = Object.entries(after.state.slots).map(
      ([slot, one]) => [slot, weightsOfLayers(one)] as const,
    );
    return {
      loss,
      weights: weightsOfLayers(after.weights),
      state: { ...after.state, slots: Object.fromEntries(memory) },
    };
  } finally {
    engine.dispose();
  }
}
