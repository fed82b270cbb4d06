import type * as Tf from '@tensorflow/tfjs';
import type { Sequences, Tensor, Upstream } from '../../scratch/index';
import { read, readAll, readSync, upload, type ValuesOf } from '../to-tensors';
import type { NetworkEvaluation } from '../problem';
import { differentiate, tidy } from './differentiate';
import type { ClassifierNetwork, RecurrentNetwork } from './network';
import { oneHot, softmaxCrossEntropy } from './softmax-cross-entropy';

/** What asks for gradients; neither: the forward pass only. */
export interface LossSide {
  /** one class index per example */ readonly labels?: Int32Array | undefined;
  readonly upstream?: Upstream | undefined;
}

/** Tensors that were computed and not yet read: kept, so that they outlive every tidy; `release` frees them. */
interface Computed {
  readonly tensors: readonly Tf.Tensor[];
  /** of weights and initial state, by their names */ readonly gradients: Readonly<Record<string, Tf.Tensor>>;
  /** the evaluation, once the tensors have been read */ readonly assemble: (
    valuesOf: ValuesOf,
  ) => NetworkEvaluation;
  readonly release: () => void;
}

/**
 * States, logits, loss, and all gradients in one go. The function that is differentiated is
 *
 *     loss(labels) + Σ states ∘ upstream.states + Σ finalState ∘ upstream.finalState
 *
 * whose second and third term have the upstream gradients as their gradients by the states.
 *
 * @param network with or without an output layer
 * @param name of the method, for messages
 */
export function runAndDifferentiate(...given: Parameters<typeof computeNetwork>): NetworkEvaluation {
  const { assemble, release } = computeNetwork(...given);
  try {
    return assemble(readSync);
  } finally {
    release();
  }
}

/** The same, read by `tensor.data()`: for WebGPU, whose immediate reads give zeros. */
export async function runAndDifferentiateAsync(
  ...given: Parameters<typeof computeNetwork>
): Promise<NetworkEvaluation> {
  const { tensors, assemble, release } = computeNetwork(...given);
  try {
    return assemble(await readAll(tensors));
  } finally {
    release();
  }
}

/** Call `release` at the end. */
export function computeNetwork(
  tf: typeof Tf,
  network: RecurrentNetwork | ClassifierNetwork,
  given: Sequences,
  { labels, upstream }: LossSide,
  name: string,
): Computed {
  const kept: Tf.Tensor[] = [];
  const byName: Record<string, Tf.Tensor> = {};
  const keep = <T extends Tf.Tensor>(tensor: T): T => {
    kept.push(tf.keep(tensor));
    return tensor;
  };
  const release = (): void => kept.forEach((tensor) => tensor.dispose());
  try {
    const assemble = tidy(tf, (): Computed['assemble'] => {
      const backward = labels !== undefined || upstream !== undefined;
      const pass = network.startPass(given, name, backward);
      const arriving = upstream && uploadUpstream(tf, upstream, name);
      let forward: Record<string, Tf.Tensor> = {};

      const loss = (): Tf.Scalar => {
        const states = pass.states();
        const finalState = lastStep(tf, states);
        const logits = 'logits' in network ? network.logits(finalState) : undefined;
        const mean = logits && labels && softmaxCrossEntropy(tf, logits, oneHot(tf, labels, logits.shape[1]));
        forward = {
          states: keep(states),
          finalState: keep(finalState),
          ...(logits && { logits: keep(logits), probabilities: keep(tf.softmax(logits)) }),
          ...(mean && { loss: keep(mean) }),
        };
        const terms: Tf.Tensor[] = mean ? [mean] : [];
        if (arriving?.states) terms.push(tf.sum(tf.mul(states, arriving.states)));
        if (arriving?.finalState) terms.push(tf.sum(tf.mul(finalState, arriving.finalState)));
        // upstream: {} is one of zeros
        if (terms.length === 0) terms.push(tf.sum(tf.mul(finalState, 0)));
        return terms.reduce((sum, term) => tf.add(sum, term)) as Tf.Scalar;
      };

      const readEach = (tensors: Record<string, Tf.Tensor>, valuesOf: ValuesOf): Record<string, Tensor> =>
        Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [key, read(tensor, valuesOf)]));
      if (!backward) {
        loss();
        return (valuesOf) => readEach(forward, valuesOf) as unknown as NetworkEvaluation;
      }
      const { kernel, recurrentKernel, bias } = network.variables;
      const by: Record<string, Tf.Tensor> = {
        kernel,
        recurrentKernel,
        bias,
        initialState: pass.initialState,
      };
      if (labels && 'outputKernel' in network.variables) {
        by.outputKernel = network.variables.outputKernel;
        by.outputBias = network.variables.outputBias;
      }
      const names = Object.keys(by);
      const gradients = differentiate(tf, loss, [...Object.values(by), ...pass.inputs]).map(keep);
      const named = Object.fromEntries(names.map((key, i) => [key, gradients[i]]));
      Object.assign(byName, named);
      return (valuesOf) => ({
        ...(readEach(forward, valuesOf) as unknown as NetworkEvaluation),
        gradients: {
          ...readEach(named, valuesOf),
          inputs: pass.readInputGradients(gradients.slice(names.length), valuesOf),
        },
      });
    });
    return { tensors: kept, gradients: byName, assemble, release };
  } catch (error) {
    release();
    throw error;
  }
}

function uploadUpstream(tf: typeof Tf, { states, finalState }: Upstream, name: string) {
  return {
    states: states && upload(tf, states, `${name}: upstream.states`),
    finalState: finalState && upload(tf, finalState, `${name}: upstream.finalState`),
  };
}

/** states[:, T-1]. @param states [B, T, U] @returns [B, U] */
function lastStep(tf: typeof Tf, states: Tf.Tensor3D): Tf.Tensor2D {
  const [batch, timeSteps, units] = states.shape;
  return tf.reshape(tf.slice(states, [0, timeSteps - 1, 0], [batch, 1, units]), [batch, units]);
}
