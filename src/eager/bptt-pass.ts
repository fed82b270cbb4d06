import type * as Tf from '@tensorflow/tfjs';
import { sizeOf, zeros, type Tensor } from '../../scratch/index';
import { simpleRNN, type RecurrentWeights, type StepMask } from './bptt';
import { toFloat32, upload } from './float32';
import type { StartPass } from './pass';

/** Runs a SimpleRNN with these weights as one operation with a hand-written gradient. */
export function startBpttPass(tf: typeof Tf, weights: RecurrentWeights): StartPass {
  return (given, name, differentiateInputs) => {
    const { batch, timeSteps } = given;
    const units = weights.bias.shape[0];
    const initialState = upload(tf, given.initialState ?? zeros(batch, units), `${name}: initialState`);
    const inputs = cutAtSteps(tf, given.inputs, `${name}: inputs`);
    const mask = given.mask ? stepMasks(tf, given.mask) : new Array<undefined>(timeSteps).fill(undefined);
    const run = (wanted: 'finalState' | 'states'): Tf.Tensor =>
      simpleRNN(tf, { inputs, mask, initialState }, weights, wanted, differentiateInputs);
    return {
      inputs,
      initialState: initialState as Tf.Tensor2D,
      finalState: () => run('finalState') as Tf.Tensor2D,
      states: () => run('states') as Tf.Tensor3D,
      readInputGradients: (gradients) => joinSteps(gradients, given.inputs.shape),
    };
  };
}

/** [B, T, F] in memory to T tensors [B, F]. */
function cutAtSteps(tf: typeof Tf, tensor: Tensor, name: string): Tf.Tensor[] {
  const rounded = toFloat32(tensor, name);
  const [batch, timeSteps, features] = tensor.shape;
  return Array.from({ length: timeSteps }, (_, t) => {
    const step = new Float32Array(batch * features);
    for (let b = 0; b < batch; b++) {
      const from = (b * timeSteps + t) * features;
      for (let f = 0; f < features; f++) step[b * features + f] = rounded[from + f];
    }
    return tf.tensor2d(step, [batch, features]);
  });
}

/** The way back: T tensors [B, F] to [B, T, F] in memory. */
function joinSteps(steps: readonly Tf.Tensor[], shape: readonly number[]): Tensor {
  const [batch, timeSteps, features] = shape;
  const data = new Float64Array(sizeOf(shape));
  steps.forEach((tensor, t) => {
    const step = tensor.dataSync();
    for (let b = 0; b < batch; b++) {
      const to = (b * timeSteps + t) * features;
      for (let f = 0; f < features; f++) data[to + f] = step[b * features + f];
    }
  });
  return { data, shape };
}

/** One pair of columns [B, 1] per step that does not count for every example. */
function stepMasks(tf: typeof Tf, { data, shape: [batch, timeSteps] }: Tensor): (StepMask | undefined)[] {
  return Array.from({ length: timeSteps }, (_, t) => {
    const counts = Float32Array.from({ length: batch }, (_unused, b) => data[b * timeSteps + t]);
    if (!counts.includes(0)) return undefined;
    const skips = counts.map((m) => 1 - m);
    return { counts: tf.tensor2d(counts, [batch, 1]), skips: tf.tensor2d(skips, [batch, 1]) };
  });
}
