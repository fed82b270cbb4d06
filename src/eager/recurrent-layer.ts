import type * as Tf from '@tensorflow/tfjs';
import { zeros, type Tensor } from '../../scratch/index';
import { read, upload } from '../to-tensors';
import type { StartPass } from './pass';

/** The variables of a SimpleRNN. */
export interface RecurrentVariables {
  /** [F, U] */ readonly kernel: Tf.Variable;
  /** [U, U] */ readonly recurrentKernel: Tf.Variable;
  /** [U] */ readonly bias: Tf.Variable;
}

/** tf.layers.simpleRNN with its variables at hand. */
export interface RecurrentLayer {
  readonly variables: RecurrentVariables;
  /** Runs the layer itself; tfjs differentiates it operation by operation. */
  readonly startPass: StartPass;
  dispose(): void;
}

type SimpleRNNLayer = ReturnType<typeof Tf.layers.simpleRNN>;

/**
 * Builds tf.layers.simpleRNN, all weights zero: h_t = tanh(x_t · kernel + h_{t-1} · recurrentKernel + bias).
 *
 * @param masksByStep runs the layer's cell step by step where there is a mask, instead of the layer
 *
 * Zeros because the weights are set right after: tfjs's default for the recurrent kernel, orthogonal, takes 100 ms.
 */
export function createRecurrentLayer(
  tf: typeof Tf,
  features: number,
  units: number,
  masksByStep = false,
): RecurrentLayer {
  const layer = tf.layers.simpleRNN({
    units,
    returnSequences: true,
    kernelInitializer: 'zeros',
    recurrentInitializer: 'zeros',
    biasInitializer: 'zeros',
  });
  const [kernel, recurrentKernel, bias] = build(tf, layer, [1, 1, features]);
  return {
    variables: { kernel, recurrentKernel, bias },
    startPass: startPassOf(tf, layer, units, masksByStep),
    dispose: () => void layer.dispose(),
  };
}

/**
 * A layer makes its variables in its first call; calling its `build` instead makes them twice.
 *
 * @returns its variables; when the call fails they are released
 */
export function build(
  tf: typeof Tf,
  layer: Pick<SimpleRNNLayer, 'apply' | 'built' | 'dispose' | 'trainableWeights'>,
  inputShape: number[],
): Tf.Variable[] {
  try {
    tf.tidy(() => void layer.apply(tf.zeros(inputShape)));
  } catch (error) {
    if (layer.built) layer.dispose();
    throw error;
  }
  return layer.trainableWeights.map((weight) => weight.read() as unknown as Tf.Variable);
}

/**
 * tf.layers' masks are this project's: at a masked step tfjs computes
 *
 *     h_t = mask_t · tanh(z_t) + (1 - mask_t) · h_{t-1}
 *
 * so the state stays, and the row of `states` is the state before. (Keras keeps the state too, but its row of `states`
 * is the last real output: zeros where no real step came before, whatever the initial state.)
 */
function startPassOf(tf: typeof Tf, layer: SimpleRNNLayer, units: number, masksByStep: boolean): StartPass {
  return (given, name) => {
    const inputs = upload(tf, given.inputs, `${name}: inputs`);
    const h0 = given.initialState ?? zeros(given.batch, units);
    const initialState = upload(tf, h0, `${name}: initialState`);
    const mask = given.mask && upload(tf, given.mask, `${name}: mask`);
    const run = (returnSequences: boolean): Tf.Tensor => {
      if (given.mask !== undefined && masksByStep) {
        const states = statesByStep(tf, layer, inputs, initialState, given.mask);
        return returnSequences ? tf.stack(states, 1) : states[states.length - 1];
      }
      // One layer, with or without the states between: with them, tfjs stacks the states of all steps.
      (layer as unknown as { returnSequences: boolean }).returnSequences = returnSequences;
      return layer.apply(inputs, { initialState: [initialState], ...(mask && { mask }) }) as Tf.Tensor;
    };
    return {
      inputs: [inputs],
      initialState,
      finalState: () => run(false) as Tf.Tensor2D,
      states: () => run(true) as Tf.Tensor3D,
      readInputGradients: ([gradient], valuesOf) => read(gradient, valuesOf),
    };
  };
}

/** What tf.layers computes with a mask (see `startPassOf`), with masks that were cut in memory. @returns h_1 .. h_T, each [B, U] */
function statesByStep(
  tf: typeof Tf,
  layer: SimpleRNNLayer,
  inputs: Tf.Tensor,
  initialState: Tf.Tensor,
  { data, shape: [batch, timeSteps] }: Tensor,
): Tf.Tensor[] {
  const { cell } = layer as unknown as {
    readonly cell: { call(given: Tf.Tensor[], kwargs: object): Tf.Tensor[] };
  };
  const states: Tf.Tensor[] = [];
  tf.unstack(inputs, 1).forEach((x, t) => {
    const before = states.at(-1) ?? initialState;
    const column = Float32Array.from({ length: batch }, (_, b) => data[b * timeSteps + t]);
    const counts = tf.tensor2d(column, [batch, 1]);
    const skips = tf.tensor2d(
      column.map((m) => 1 - m),
      [batch, 1],
    );
    const [state] = cell.call([x, before], {});
    states.push(tf.add(tf.mul(state, counts), tf.mul(before, skips)));
  });
  return states;
}
