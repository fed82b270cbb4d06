import {
  checkClassifierWeights,
  mapWeights,
  resolveCompile,
  weightNames,
  type ClassifierWeights,
  type CompileOptions,
  type OptimizerState,
  type TensorLike,
} from '../../scratch/index';
import type { LoadedBackend } from '../backends/index';
import { checkProblem } from '../problem';
import { read, readAll } from '../to-tensors';
import { tidy } from './differentiate';
import { createClassifierNetwork } from './network';
import { createTfOptimizer } from './optimizer';
import { computeNetwork } from './run';
import { assignVariables } from './variables';

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
  const { given, sizes, classes, labels: checked } = checkProblem({ inputs, labels, weights }, name);
  const all = { ...sizes, classes: classes ?? 0 };
  backend.use();
  const { tf } = backend;
  const network = createClassifierNetwork(backend, all, 'autodiff');
  const variables = weightNames.map((key) => network.variables[key]);
  const slots = Object.entries(state.slots).map(
    ([slot, memory]) => [slot, weightNames.map((key) => memory[key])] as const,
  );
  const from = { step: state.step, slots: Object.fromEntries(slots) };
  const optimizer = createTfOptimizer(
    tf,
    config,
    variables.map((one) => one.name),
    from,
    backend.asIs,
  );
  try {
    assignVariables(tf, network.variables, checkClassifierWeights(weights, all), name);
    const computed = computeNetwork(tf, network, given, { labels: checked }, name);
    let loss: number;
    try {
      const valuesOf = await readAll(computed.tensors);
      loss = computed.assemble(valuesOf).loss?.data[0] ?? NaN;
      const gradients = weightNames.map((key) => computed.gradients[key]);
      const norm = Math.hypot(...gradients.map((one) => Math.hypot(...Array.from(valuesOf(one)))));
      tidy(tf, () => {
        const factor = clipNorm === undefined || norm <= clipNorm ? 1 : clipNorm / norm;
        optimizer.update(variables, factor === 1 ? gradients : gradients.map((one) => tf.mul(one, factor)));
      });
    } finally {
      computed.release();
    }
    const valuesOf = await readAll([...variables, ...optimizer.slotTensors()]);
    const memory = Object.entries(optimizer.readSlots(valuesOf)).map(
      ([slot, tensors]) => [slot, mapWeights((_key, i) => tensors[i])] as const,
    );
    return {
      loss,
      weights: mapWeights((_key, i) => read(variables[i], valuesOf)),
      state: { config: optimizer.config, step: optimizer.step, slots: Object.fromEntries(memory) },
    };
  } finally {
    optimizer.dispose();
    network.dispose();
  }
}
