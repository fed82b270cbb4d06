import type * as Tf from '@tensorflow/tfjs';
import { weightNames, type Tensor } from '../../scratch/index';
import { differentiate } from './differentiate';
import { read } from './float32';
import type { ClassifierNetwork } from './network';
import type { Pass } from './pass';
import type { Sequences } from './sequences';
import { oneHot, softmaxCrossEntropy } from './softmax-cross-entropy';

/** One batch's loss and gradients. The tensors belong to the tidy that made them. */
export interface ClassifierStep {
  /** mean over the batch, nats */ readonly loss: number;
  /** [B, C] */ readonly logits: Float32Array;
  /** of the variables, in the order of `weightNames` */ readonly gradients: readonly Tf.Tensor[];
}

/** The loss of one batch and its gradients by the weights. Call it inside a tidy. */
export function differentiateByWeights(
  tf: typeof Tf,
  network: ClassifierNetwork,
  given: Sequences,
  labels: Int32Array,
  name: string,
): ClassifierStep {
  return differentiateLoss(tf, network, network.startPass(given, name, false), labels, []);
}

/** As `differentiateByWeights`, and the gradients by what enters the recurrent layer. Call it inside a tidy. */
export function differentiateByAll(
  tf: typeof Tf,
  network: ClassifierNetwork,
  given: Sequences,
  labels: Int32Array,
  name: string,
): ClassifierStep & { readonly inputs: Tensor; readonly initialState: Tensor } {
  const pass = network.startPass(given, name, true);
  const step = differentiateLoss(tf, network, pass, labels, [pass.initialState, ...pass.inputs]);
  const [initialState, ...inputs] = step.gradients.slice(weightNames.length);
  return {
    ...step,
    gradients: step.gradients.slice(0, weightNames.length),
    initialState: read(initialState),
    inputs: pass.readInputGradients(inputs),
  };
}

function differentiateLoss(
  tf: typeof Tf,
  { variables, logits: toLogits }: ClassifierNetwork,
  pass: Pass,
  labels: Int32Array,
  more: readonly Tf.Tensor[],
): ClassifierStep {
  const labelRows = oneHot(tf, labels, variables.outputBias.shape[0]);
  let loss = NaN;
  let logits = new Float32Array();
  const compute = (): Tf.Scalar => {
    const scores = toLogits(pass.finalState());
    const mean = softmaxCrossEntropy(tf, scores, labelRows);
    logits = scores.dataSync<'float32'>().slice();
    loss = mean.dataSync()[0];
    return mean;
  };
  const gradients = differentiate(tf, compute, [...weightNames.map((key) => variables[key]), ...more]);
  return { loss, logits, gradients };
}
