import type * as Tf from '@tensorflow/tfjs';
import {
  StackPlan,
  type NetworkConfig,
  type ResolvedOptimizerConfig,
  type StackWeights,
  type Tensor,
} from '../../../scratch/index';
import { describeNetwork, type ModelDescription } from '../../models/index';
import type { ChainTraining, ModelTraining, TrainingAnswer, TrainingQuestion } from './side';
import { given, inputsFor, loadModel, read, variablesOf } from './tfjs-model';

/** What is trained: a model with its weights before, and the loss of what it gives. */
interface Trained {
  readonly model: ModelDescription;
  readonly loss: (loaded: Tf.LayersModel) => Tf.Scalar;
}

/** A chain of layers: the loss by `tf.losses`. */
function trainedChain(tf: typeof Tf, { problem, maskValue }: ChainTraining): Trained {
  const { inputs, labels, targets, mask, weights } = problem;
  const config = problem.model as NetworkConfig;
  const [batch, timeSteps] = inputs.shape;
  const masks = new StackPlan(config).masksOf({ inputs, mask, batch, timeSteps, initialStates: [] });
  return {
    // the loss is taken of what the last layer gives, before softmax or sigmoid
    model: describeNetwork({
      config: { ...config, loss: 'meanSquaredError' },
      weights,
      ...(maskValue !== undefined && { maskValue }),
    }),
    loss(loaded) {
      const x = given(tf, inputs, config.layers[0].layer === 'embedding' ? 'int32' : 'float32');
      const logits = loaded.apply(x, { training: true }) as Tf.Tensor;
      return lossOf(tf, config, { logits, labels, targets, steps: masks.at(-1) });
    },
  };
}

/** A model of any form: Σ output · gradient. */
function trainedModel(tf: typeof Tf, { model, inputs, upstream }: ModelTraining): Trained {
  return {
    model,
    loss(loaded) {
      const all = inputsFor(tf, { model, inputs });
      const outputs = [loaded.apply(all.length === 1 ? all[0] : all, { training: false })].flat();
      return tf.addN(
        upstream.map(({ gradient }, i) =>
          tf.sum<Tf.Scalar>(tf.mul(outputs[i] as Tf.Tensor, given(tf, gradient))),
        ),
      );
    },
  };
}

/**
 * One training step of plain TensorFlow.js: the model as a LayersModel, the gradients of its loss by the tape, and the update
 * by `tf.train.adam`, `momentum` or `sgd`.
 */
export async function trainInTfjs(tf: typeof Tf, question: TrainingQuestion): Promise<TrainingAnswer> {
  const { optimizer, step, slots } = question;
  const isChain = 'problem' in question;
  const { model, loss: lossOfModel } = isChain ? trainedChain(tf, question) : trainedModel(tf, question);
  const opened = await loadModel(tf, model);
  const { loaded } = opened;
  const update = optimizerOf(tf, optimizer);
  try {
    const own = model.layers.filter((layer) => Object.keys(layer.weights).length > 0);
    const places = variablesOf(tf, opened, own);
    const variables = places.map(({ variable }) => variable);
    /** In the order of the variables, by layer and weight. */
    const byLayer = (tensors: readonly Tf.Tensor[]): StackWeights =>
      own.map((layer) =>
        Object.fromEntries(
          places.flatMap(({ layer: at, name }, n) => (at === layer ? [[name, read(tensors[n])]] : [])),
        ),
      );
    if (step > 0 && Object.keys(slots).length > 0)
      await update.setWeights([
        { name: 'iter', tensor: tf.scalar(step, 'int32') },
        ...Object.entries(slots).flatMap(([slot, memory]) =>
          places.map(({ layer, name }) => ({
            name: `${name}/${slot}`,
            tensor: given(tf, memory[own.indexOf(layer)][name]),
          })),
        ),
      ]);
    let loss = NaN;
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => lossOfModel(loaded), variables);
      [loss] = value.dataSync();
      update.applyGradients(variables.map(({ name }) => ({ name, tensor: grads[name] })));
    });
    const [count, ...memory] = await update.getWeights();
    count.tensor.dispose();
    const held = memory.map(({ tensor }) => tensor);
    const names = optimizer.name === 'adam' ? ['m', 'v'] : optimizer.momentum > 0 ? ['velocity'] : [];
    const after = names.map((slot, n): [string, StackWeights] => [
      slot,
      byLayer(held.slice(n * places.length, (n + 1) * places.length)),
    ]);
    return {
      ...(isChain && { loss }),
      weights: byLayer(variables),
      slots: Object.fromEntries(after),
    };
  } finally {
    update.dispose();
    // the momentum optimizer of TensorFlow.js forgets its learning rate, a kept tensor
    const { c } = update as unknown as { readonly c?: Tf.Tensor };
    if (c?.isDisposed === false) c.dispose();
    loaded.dispose();
  }
}

function optimizerOf(tf: typeof Tf, config: ResolvedOptimizerConfig): Tf.Optimizer {
  if (config.name === 'adam')
    return tf.train.adam(config.learningRate, config.beta1, config.beta2, config.epsilon);
  const { learningRate, momentum, nesterov } = config;
  return momentum === 0 ? tf.train.sgd(learningRate) : tf.train.momentum(learningRate, momentum, nesterov);
}

interface Batch {
  /** [B, C] or [B, T, C] */ readonly logits: Tf.Tensor;
  readonly labels: readonly number[] | undefined;
  readonly targets: Tensor | undefined;
  /** [B, T] of 0 and 1 */ readonly steps: Tensor | undefined;
}

/** The mean over examples, and over the time steps that exist, of TensorFlow.js's own loss of a row. */
function lossOf(
  tf: typeof Tf,
  { loss = 'softmaxCrossEntropy' }: NetworkConfig,
  { logits, labels = [], targets, steps }: Batch,
): Tf.Scalar {
  const { NONE } = tf.Reduction;
  const numbers = (): Tf.Tensor => given(tf, targets!);
  const rows = {
    softmaxCrossEntropy: () => {
      const classes = tf.oneHot(tf.tensor1d([...labels], 'int32'), logits.shape.at(-1)!);
      return tf.losses.softmaxCrossEntropy(classes.reshape(logits.shape), logits, undefined, undefined, NONE);
    },
    sigmoidCrossEntropy: () =>
      tf.mean(tf.losses.sigmoidCrossEntropy(numbers(), logits, undefined, undefined, NONE), -1),
    meanSquaredError: () => tf.mean(tf.losses.meanSquaredError(numbers(), logits, undefined, NONE), -1),
  }[loss]();
  if (steps === undefined || rows.rank < 2) return tf.mean(rows);
  const exists = given(tf, steps);
  return tf.div(tf.sum(tf.mul(rows, exists)), tf.sum(exists));
}
