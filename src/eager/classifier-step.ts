import type * as Tf from '@tensorflow/tfjs';
import {
  weightNames,
  type ClassifierGradients,
  type ClassifierWeights,
  type Sequences,
} from '../../scratch/index';
import { differentiate } from './differentiate';
import { read } from '../to-tensors';
import type { OutputLayer } from './output-layer';
import type { StartPass } from './pass';
import { oneHot, softmaxCrossEntropy } from './softmax-cross-entropy';

/** One batch's loss and gradients. The tensors belong to the tidy that made them. */
export interface ClassifierStep {
  /** mean over the batch, nats */ readonly loss: number;
  /** [B, C] */ readonly logits: Float32Array;
  /** of the variables, in the order of `weightNames` */ readonly gradients: readonly Tf.Tensor[];
  /** only where they were asked for */
  readonly readInputGradients: () => Pick<ClassifierGradients, 'inputs' | 'initialState'>;
}

/**
 * The loss of one batch and its gradients. Call it inside a tidy.
 *
 * @param name of the method, for messages
 * @param differentiateInputs whether `readInputGradients` will be asked for
 */
export type DifferentiateBatch = (
  given: Sequences,
  labels: Int32Array,
  name: string,
  differentiateInputs: boolean,
) => ClassifierStep;

/** The loss through the layers, its gradients by tfjs's autodiff. */
export function differentiateByTape(
  tf: typeof Tf,
  variables: Readonly<Record<keyof ClassifierWeights, Tf.Variable>>,
  startPass: StartPass,
  toLogits: OutputLayer['logits'],
): DifferentiateBatch {
  const weights = weightNames.map((key) => variables[key]);
  return (given, labels, name, differentiateInputs) => {
    const pass = startPass(given, name, differentiateInputs);
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
    const more = differentiateInputs ? [pass.initialState, ...pass.inputs] : [];
    const gradients = differentiate(tf, compute, [...weights, ...more]);
    return {
      loss,
      logits,
      gradients: gradients.slice(0, weights.length),
      readInputGradients: () => {
        const [initialState, ...inputs] = gradients.slice(weights.length);
        return { inputs: pass.readInputGradients(inputs), initialState: read(initialState) };
      },
    };
  };
}
