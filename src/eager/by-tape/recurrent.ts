import type * as Tf from '@tensorflow/tfjs';
import type { RecurrentConfig } from '../../../scratch/index';
import { gruResetAfter } from '../gru-reset-after';

/** A layer of the network as tfjs runs and differentiates it. It owns its variables. */
export interface TapeLayer {
  /** by the names of the plan */ readonly variables: Readonly<Record<string, Tf.Variable>>;
  /** Runs the layer, differentiably. */
  run(input: TapeInput): TapeOutput;
  dispose(): void;
}

export interface TapeInput {
  /** [B, T, N] or [B, N] */ readonly x: Tf.Tensor;
  /** one per carried state */ readonly initialStates: readonly Tf.Tensor[];
  /** [B, T] of 0 and 1, or [B, 1] for each time step (see `walkByStep`); undefined: every step exists */
  readonly mask: Tf.Tensor | readonly Tf.Tensor[] | undefined;
  /** whether every step is wanted */ readonly sequences: boolean;
}

export interface TapeOutput {
  readonly output: Tf.Tensor;
  readonly finalStates: readonly Tf.Tensor[];
  /** [B, T, U] for each walk, where they were asked for */ readonly sequences: readonly Tf.Tensor[];
}

type Rnn = InstanceType<typeof Tf.layers.RNN> & {
  readonly cell: Tf.layers.Layer;
  returnSequences: boolean;
};

/**
 * tf.layers.simpleRNN, lstm or gru, or the GRU that TensorFlow.js refuses, all weights zero.
 *
 * Zeros because the weights are set right after: tfjs's default for the recurrent kernel, orthogonal, takes 100 ms.
 */
export function recurrentLayer(tf: typeof Tf, config: RecurrentConfig, features: number): TapeLayer {
  const { useBias = true, returnSequences = false, goBackwards = false } = config;
  const layer = rnnOf(tf, config, { returnState: true }) as Rnn;
  const [kernel, recurrentKernel, bias] = build(tf, layer, [1, 1, features]);
  return {
    variables: { kernel, recurrentKernel, ...(useBias && { bias }) },
    run({ x, initialStates, mask, sequences }) {
      const every = returnSequences || sequences;
      const { steps, states } =
        mask === undefined || 'shape' in mask
          ? walk(layer, x, initialStates, mask, every)
          : walkByStep(tf, layer.cell, x, initialStates, mask, goBackwards);
      return {
        output: returnSequences ? steps! : states[0],
        finalStates: states,
        sequences: sequences ? [steps!] : [],
      };
    },
    dispose: () => void layer.dispose(),
  };
}

/**
 * A layer makes its variables in its first call; calling its `build` instead makes them twice.
 *
 * @returns its variables; when the call fails they are released
 */
export function build(tf: typeof Tf, layer: Tf.layers.Layer, inputShape: number[]): Tf.Variable[] {
  try {
    tf.tidy(() => void layer.apply(tf.zeros(inputShape)));
  } catch (error) {
    if (layer.built) layer.dispose();
    throw error;
  }
  return layer.trainableWeights.map((weight) => weight.read() as unknown as Tf.Variable);
}

/**
 * tf.layers.simpleRNN, lstm, gru, or our GRU with the reset after the matrix.
 *
 * @param more options of every layer, such as inputShape
 */
export function rnnOf(
  tf: typeof Tf,
  config: RecurrentConfig,
  more: object,
): InstanceType<typeof Tf.layers.RNN> {
  const { units, activation = 'tanh', useBias = true, goBackwards = false, returnSequences = false } = config;
  const args = {
    units,
    activation: activation as 'tanh',
    useBias,
    goBackwards,
    returnSequences,
    kernelInitializer: 'zeros',
    recurrentInitializer: 'zeros',
    ...more,
  } as const;
  if (config.layer === 'simpleRNN') return tf.layers.simpleRNN(args);
  const recurrentActivation = (config.recurrentActivation ?? 'sigmoid') as 'sigmoid';
  if (config.layer === 'lstm') return tf.layers.lstm({ ...args, unitForgetBias: false, recurrentActivation });
  if (config.resetAfter === false) return tf.layers.gru({ ...args, recurrentActivation });
  return gruResetAfter(tf, { ...args, recurrentActivation, biases: config.biases ?? 2 });
}

/**
 * The walk of tf.layers. One layer, with or without the states between: with them, tfjs stacks the states of all steps. Its masks are
 * this project's: at a masked step
 *
 *     state_t = mask_t · step(x_t, state_{t-1}) + (1 - mask_t) · state_{t-1}
 *
 * so the state stays, and the row of `steps` is the state before. (Keras keeps the state too, but its row is the last real output:
 * zeros where no real step came before, whatever the initial state.)
 */
function walk(
  layer: Rnn,
  x: Tf.Tensor,
  initialState: readonly Tf.Tensor[],
  mask: Tf.Tensor | undefined,
  every: boolean,
) {
  layer.returnSequences = every;
  const given = { initialState: [...initialState], ...(mask && { mask }) };
  const [output, ...states] = layer.apply(x, given) as Tf.Tensor[];
  return { steps: every ? output : undefined, states };
}

/**
 * The same by the layer's cell, with masks that were cut in memory: tf.layers transposes a mask of booleans, which is wrong on WebGPU
 * (tfjs#8638).
 */
function walkByStep(
  tf: typeof Tf,
  cell: Tf.layers.Layer,
  x: Tf.Tensor,
  initialStates: readonly Tf.Tensor[],
  masks: readonly Tf.Tensor[],
  goBackwards: boolean,
) {
  // a copy: the tape holds on to the array that unstack gave
  const inputs = [...tf.unstack(x, 1)];
  if (goBackwards) inputs.reverse();
  const mask = goBackwards ? masks.toReversed() : masks;
  let states = initialStates;
  const steps = inputs.map((input, t) => {
    const [, ...next] = cell.call([input, ...states], {}) as Tf.Tensor[];
    const skips = tf.sub(1, mask[t]);
    const before = states;
    states = next.map((state, k) => tf.add(tf.mul(state, mask[t]), tf.mul(before[k], skips)));
    return states[0];
  });
  return { steps: tf.stack(steps, 1), states };
}
