import type * as Tf from '@tensorflow/tfjs';
import { sizeOf, zeros, type Tensor, type Sequences } from '../../scratch/index';
import type { RecurrentWeights, StepMask, Steps } from './bptt';
import { simpleRNN } from './bptt-operation';
import { readSync, toFloat32, upload } from '../to-tensors';
import type { StartPass } from './pass';

/** Runs a SimpleRNN with these weights as one operation with a hand-written gradient. */
export function startBpttPass(tf: typeof Tf, weights: RecurrentWeights): StartPass {
  return (given, name, differentiateInputs) => {
    const steps = uploadSteps(tf, given, weights.bias.shape[0], name);
    const run = (wanted: 'finalState' | 'states'): Tf.Tensor =>
      simpleRNN(tf, steps, weights, wanted, differentiateInputs);
    return {
      inputs: steps.inputs,
      initialState: steps.initialState,
      finalState: () => run('finalState') as Tf.Tensor2D,
      states: () => run('states') as Tf.Tensor3D,
      readInputGradients: (gradients, valuesOf) => joinSteps(gradients, given.inputs.shape, valuesOf),
    };
  };
}

/** A batch as tensors of one time step each. */
export function uploadSteps(tf: typeof Tf, given: Sequences, units: number, name: string): Steps {
  const { batch, timeSteps } = given;
  return {
    ...cutAtSteps(tf, given.inputs, `${name}: inputs`),
    fromZero: given.initialState === undefined,
    initialState: upload(tf, given.initialState ?? zeros(batch, units), `${name}: initialState`),
    mask: given.mask ? stepMasks(tf, given.mask) : new Array<undefined>(timeSteps).fill(undefined),
  };
}

/** [B, T, F] in memory to T tensors [B, F + 1], the last column ones, and to all of them transposed. */
function cutAtSteps(tf: typeof Tf, tensor: Tensor, name: string): Pick<Steps, 'inputs' | 'transposedInputs'> {
  const rounded = toFloat32(tensor, name);
  const [batch, timeSteps, features] = tensor.shape;
  const rows = timeSteps * batch;
  const transposed = new Float32Array((features + 1) * rows).fill(1, features * rows);
  const inputs = Array.from({ length: timeSteps }, (_, t) => {
    const step = new Float32Array(batch * (features + 1)).fill(1);
    for (let b = 0; b < batch; b++) {
      const from = (b * timeSteps + t) * features;
      const to = b * (features + 1);
      for (let f = 0; f < features; f++) {
        step[to + f] = rounded[from + f];
        transposed[f * rows + t * batch + b] = rounded[from + f];
      }
    }
    return tf.tensor2d(step, [batch, features + 1]);
  });
  return { inputs, transposedInputs: tf.tensor2d(transposed, [features + 1, rows]) };
}

/** The way back for their gradients, without the last column: T tensors [B, F + 1] to [B, T, F] in memory. */
export function joinSteps(
  steps: readonly Tf.Tensor[],
  shape: readonly number[],
  valuesOf = readSync,
): Tensor {
  const [batch, timeSteps, features] = shape;
  const data = new Float64Array(sizeOf(shape));
  steps.forEach((tensor, t) => {
    const step = valuesOf(tensor);
    for (let b = 0; b < batch; b++) {
      const to = (b * timeSteps + t) * features;
      const from = b * (features + 1);
      for (let f = 0; f < features; f++) data[to + f] = step[from + f];
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
