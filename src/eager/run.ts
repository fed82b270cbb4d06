import type * as Tf from '@tensorflow/tfjs';
import type { Sequences, Upstream } from '../../scratch/index';
import { read, upload } from '../to-tensors';
import type { NetworkEvaluation } from '../problem';
import { differentiate, tidy } from './differentiate';
import type { ClassifierNetwork, RecurrentNetwork } from './network';
import { oneHot, softmaxCrossEntropy } from './softmax-cross-entropy';

/** What asks for gradients; neither: the forward pass only. */
export interface LossSide {
  /** one class index per example */ readonly labels?: Int32Array | undefined;
  readonly upstream?: Upstream | undefined;
}

type Forward = Omit<NetworkEvaluation, 'gradients'>;

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
export function runAndDifferentiate(
  tf: typeof Tf,
  network: RecurrentNetwork | ClassifierNetwork,
  given: Sequences,
  { labels, upstream }: LossSide,
  name: string,
): NetworkEvaluation {
  return tidy(tf, () => {
    const backward = labels !== undefined || upstream !== undefined;
    const pass = network.startPass(given, name, backward);
    const arriving = upstream && uploadUpstream(tf, upstream, name);
    let forward: Forward | undefined;

    const compute = (): Tf.Scalar => {
      const states = pass.states();
      const finalState = lastStep(tf, states);
      const logits = 'logits' in network ? network.logits(finalState) : undefined;
      const loss = logits && labels && softmaxCrossEntropy(tf, logits, oneHot(tf, labels, logits.shape[1]));
      forward = {
        states: read(states),
        finalState: read(finalState),
        ...(logits && { logits: read(logits), probabilities: read(tf.softmax(logits)) }),
        ...(loss && { loss: read(loss) }),
      };
      const terms: Tf.Tensor[] = loss ? [loss] : [];
      if (arriving?.states) terms.push(tf.sum(tf.mul(states, arriving.states)));
      if (arriving?.finalState) terms.push(tf.sum(tf.mul(finalState, arriving.finalState)));
      // upstream: {} is one of zeros
      if (terms.length === 0) terms.push(tf.sum(tf.mul(finalState, 0)));
      return terms.reduce((sum, term) => tf.add(sum, term)) as Tf.Scalar;
    };

    if (!backward) {
      compute();
      return forward as unknown as Forward;
    }
    const { kernel, recurrentKernel, bias } = network.variables;
    const by: Record<string, Tf.Tensor> = { kernel, recurrentKernel, bias, initialState: pass.initialState };
    if (labels && 'outputKernel' in network.variables) {
      by.outputKernel = network.variables.outputKernel;
      by.outputBias = network.variables.outputBias;
    }
    const names = Object.keys(by);
    const gradients = differentiate(tf, compute, [...Object.values(by), ...pass.inputs]);
    return {
      ...(forward as unknown as Forward),
      gradients: {
        ...Object.fromEntries(names.map((key, i) => [key, read(gradients[i])])),
        inputs: pass.readInputGradients(gradients.slice(names.length)),
      },
    };
  });
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
