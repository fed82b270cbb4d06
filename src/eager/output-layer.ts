import type * as Tf from '@tensorflow/tfjs';
import { build } from './recurrent-layer';

/** The variables of the output layer. */
export interface OutputVariables {
  /** [U, C] */ readonly outputKernel: Tf.Variable;
  /** [C] */ readonly outputBias: Tf.Variable;
}

/** tf.layers.dense with its variables at hand. */
export interface OutputLayer {
  readonly variables: OutputVariables;
  /** [B, U] to [B, C], differentiably: logits = finalState · outputKernel + outputBias */
  readonly logits: (finalState: Tf.Tensor2D) => Tf.Tensor2D;
  dispose(): void;
}

/** Builds tf.layers.dense, all weights zero. */
export function createOutputLayer(tf: typeof Tf, units: number, classes: number): OutputLayer {
  const layer = tf.layers.dense({ units: classes, kernelInitializer: 'zeros', biasInitializer: 'zeros' });
  const [outputKernel, outputBias] = build(tf, layer, [1, units]);
  return {
    variables: { outputKernel, outputBias },
    logits: (finalState) => layer.apply(finalState) as Tf.Tensor2D,
    dispose: () => void layer.dispose(),
  };
}
