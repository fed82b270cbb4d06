import type * as Tf from '@tensorflow/tfjs';
import type { BidirectionalConfig, LayerConfig, NetworkPlan, Tensor } from '../../../scratch/index';
import type { NameOf } from '../../network-engine';
import { stepsOf, upload } from '../../to-tensors';
import { clearPaddingOfGradient, type Detours } from '../detours';
import { differentiate } from '../differentiate';
import { directions, prefixed } from '../../directions';
import { lookUp, lookUpGradient } from '../embedding';
import { registerHardSigmoidKeras3 } from '../hard-sigmoid';
import { tfLayerOf } from '../layers-model';
import { uploadStates, type Asked, type AskedBackward, type NetworkMethod, type Outcome } from '../method';
import { oneHot, softmaxCrossEntropy } from '../softmax-cross-entropy';
import { build, recurrentLayer, type TapeLayer, type TapeOutput } from './recurrent';

/**
 * A network of tf.layers (and of our own where TensorFlow.js has none), differentiated by tfjs operation by operation: softmax and
 * cross-entropy as well, the other losses from the gradient at the logits on.
 */
export function networkByTape(
  tf: typeof Tf,
  plan: NetworkPlan,
  nameOf: NameOf,
  { clearsPadding, masksByStep }: Detours,
): NetworkMethod {
  registerHardSigmoidKeras3(tf);
  const layers: TapeLayer[] = [];
  const dispose = (): void => layers.forEach((layer) => layer.dispose());
  try {
    plan.config.layers.forEach((config, i) => {
      const width = i === 0 ? plan.features : plan.layers[i - 1].output.width;
      layers.push(layerOf(tf, config, width));
    });
  } catch (error) {
    dispose();
    throw error;
  }
  const variables = layers.map((layer) => layer.variables);
  const classifies = plan.loss === 'softmaxCrossEntropy';

  const start = (asked: Asked) => {
    const { given, name } = asked;
    const masks = plan.masksOf(given);
    return {
      inputs: upload(tf, given.inputs, `${name}: inputs`),
      initialStates: plan.layers.map((_, i) => uploadStates(tf, plan, asked, nameOf, i)),
      masks: plan.layers.map(({ sequences }, i) => {
        const mask = sequences.length > 0 ? masks[i] : undefined;
        if (!mask?.data.includes(0)) return undefined;
        if (!masksByStep) return upload(tf, mask, `${name}: mask`);
        return stepsOf(Float32Array.from(mask.data), [...mask.shape, 1]).map((column) =>
          tf.tensor2d(column, [given.batch, 1]),
        );
      }),
    };
  };

  const run = ({ inputs, initialStates, masks }: ReturnType<typeof start>, sequences: boolean): Outcome => {
    let x = inputs;
    const outputs: TapeOutput[] = layers.map((layer, i) => {
      const output = layer.run({ x, initialStates: initialStates[i], mask: masks[i], sequences });
      x = output.output;
      return output;
    });
    const logits = classifies && clearsPadding ? clearPaddingOfGradient(tf, x) : x;
    return {
      logits,
      ...(classifies && { outputs: tf.softmax(logits) }),
      finalStates: outputs.map(({ finalStates }) => finalStates),
      sequences: sequences ? outputs.map((output) => output.sequences) : undefined,
    };
  };

  return {
    variables,
    computesLoss: classifies,
    forward: (asked) => run(start(asked), asked.sequences),
    differentiate(asked) {
      const started = start(asked);
      const upstream = uploadUpstream(tf, asked, nameOf);
      const meanLoss = asked.loss && classifies ? lossOnTape(tf, plan, asked.loss) : undefined;
      let outcome: Outcome | undefined;
      const sequences = asked.sequences || upstream.sequences.some((layer) => layer.length > 0);
      const objective = (): Tf.Scalar => {
        const made = run(started, sequences);
        const loss = meanLoss?.(made.logits);
        outcome = keepAll({ ...made, ...(loss && { loss }) }, asked.keep);
        const fromLoss = loss ? undefined : asked.loss?.gradient(made.logits);
        const arriving = [
          ...(fromLoss ? [[made.logits, tf.tensor(fromLoss, made.logits.shape)] as const] : []),
          ...upstream.logits.map((d) => [made.logits, d] as const),
          ...upstream.finalStates.flatMap((layer, i) =>
            layer.map((d, k) => [made.finalStates[i][k], d] as const),
          ),
          ...upstream.sequences.flatMap((layer, i) =>
            layer.map((d, k) => [made.sequences![i][k], d] as const),
          ),
        ];
        // everything leads to the logits: with this term each gradient exists
        const first = loss ?? tf.sum(tf.mul(made.logits, 0));
        return arriving.reduce<Tf.Tensor>(
          (sum, [value, d]) => tf.add(sum, tf.sum(tf.mul(value, d))),
          first,
        ) as Tf.Scalar;
      };
      const flat = variables.map((layer) => Object.values(layer)).flat();
      const inputs = asked.toInputs && plan.vocabulary === undefined ? [started.inputs] : [];
      const states = asked.toInputs ? started.initialStates.flat() : [];
      const all = differentiate(tf, objective, [...flat, ...inputs, ...states]);
      const take = (count: number): Tf.Tensor[] => all.splice(0, count);
      return {
        outcome: { ...outcome!, sequences: asked.sequences ? outcome!.sequences : undefined },
        gradients: {
          weights: variables.map((layer) => {
            const gradients = take(Object.keys(layer).length);
            return Object.fromEntries(Object.keys(layer).map((key, i) => [key, gradients[i]]));
          }),
          inputs: take(inputs.length).at(0),
          initialStates: started.initialStates.map((layer) => (asked.toInputs ? take(layer.length) : [])),
        },
      };
    },
    dispose,
  };
}

function layerOf(tf: typeof Tf, config: LayerConfig, width: number): TapeLayer {
  switch (config.layer) {
    case 'embedding': {
      const { inputDim, outputDim } = config;
      const embeddings = tf.tidy(() => tf.variable(tf.zeros([inputDim, outputDim])));
      return {
        variables: { embeddings },
        run: ({ x }) => ({
          output: lookUpOnTape(tf, embeddings, x, inputDim),
          finalStates: [],
          sequences: [],
        }),
        dispose: () => embeddings.dispose(),
      };
    }
    case 'dense': {
      const { useBias = true } = config;
      const layer = tfLayerOf(tf, config, {});
      const [kernel, bias] = build(tf, layer, [1, width]);
      return {
        variables: { kernel, ...(useBias && { bias }) },
        run: ({ x }) => ({ output: layer.apply(x) as Tf.Tensor, finalStates: [], sequences: [] }),
        dispose: () => void layer.dispose(),
      };
    }
    case 'timeDistributed':
      return layerOf(tf, config.wrapped, width);
    case 'bidirectional':
      return bidirectionalLayer(tf, config, width);
    default:
      return recurrentLayer(tf, config, width);
  }
}

/** Two layers and their outputs merged; b has its time steps put back into the order of the input. */
function bidirectionalLayer(
  tf: typeof Tf,
  { wrapped, mergeMode = 'concat' }: BidirectionalConfig,
  width: number,
): TapeLayer {
  const [there, back] = [false, true].map((goBackwards) =>
    recurrentLayer(tf, { ...wrapped, goBackwards }, width),
  );
  const merge = {
    concat: (a: Tf.Tensor, b: Tf.Tensor) => tf.concat([a, b], -1),
    sum: (a: Tf.Tensor, b: Tf.Tensor) => tf.add(a, b),
    mul: (a: Tf.Tensor, b: Tf.Tensor) => tf.mul(a, b),
    ave: (a: Tf.Tensor, b: Tf.Tensor) => tf.mul(tf.add(a, b), 0.5),
  }[mergeMode];
  return {
    variables: {
      ...prefixed(there.variables, directions[0]),
      ...prefixed(back.variables, directions[1]),
    },
    run({ initialStates, ...input }) {
      const half = initialStates.length / 2;
      const a = there.run({ ...input, initialStates: initialStates.slice(0, half) });
      const b = back.run({ ...input, initialStates: initialStates.slice(half) });
      const turned = wrapped.returnSequences === true ? tf.reverse(b.output, 1) : b.output;
      return {
        output: merge(a.output, turned),
        finalStates: [...a.finalStates, ...b.finalStates],
        sequences: [...a.sequences, ...b.sequences],
      };
    },
    dispose: () => {
      there.dispose();
      back.dispose();
    },
  };
}

/** The look-up with its gradient by hand. @param x [B, T] */
function lookUpOnTape(tf: typeof Tf, embeddings: Tf.Variable, x: Tf.Tensor, inputDim: number): Tf.Tensor {
  const ids = x.dataSync();
  const [batch, timeSteps] = x.shape as [number, number];
  return tf.customGrad((table) => ({
    value: tf.reshape(lookUp(tf, table as Tf.Tensor, tf.tensor1d(Int32Array.from(ids), 'int32')), [
      batch,
      timeSteps,
      -1,
    ]),
    gradFunc: (dy: Tf.Tensor) => lookUpGradient(tf, ids, tf.reshape(dy, [batch * timeSteps, -1]), inputDim),
  }))(embeddings);
}

/** The mean of the rows that exist, from logits [B, C] or [B, T, C]. */
function lossOnTape(
  tf: typeof Tf,
  plan: NetworkPlan,
  { targets, mask }: NonNullable<AskedBackward['loss']>,
): (logits: Tf.Tensor) => Tf.Scalar {
  const { width, hasTime } = plan.layers[plan.layers.length - 1].output;
  const labels = oneHot(tf, targets as Int32Array, width, mask);
  const count = mask?.data.reduce((sum, exists) => sum + exists, 0);
  return (logits) => {
    const rows = hasTime ? tf.reshape(logits, [-1, width]) : logits;
    return softmaxCrossEntropy(tf, rows as Tf.Tensor2D, labels, count);
  };
}

function keepAll({ logits, outputs, loss, finalStates, sequences }: Outcome, keep: Asked['keep']): Outcome {
  return {
    logits: keep(logits),
    ...(outputs && { outputs: keep(outputs) }),
    ...(loss && { loss: keep(loss) }),
    finalStates: finalStates.map((layer) => layer.map(keep)),
    sequences: sequences?.map((layer) => layer.map(keep)),
  };
}

function uploadUpstream(tf: typeof Tf, { upstream, name }: AskedBackward, nameOf: NameOf) {
  const send = (what: string) => (layer: readonly Tensor[], i: number) =>
    layer.map((tensor, k) => upload(tf, tensor, `${name}: ${nameOf(what, i, k)}`));
  return {
    logits: upstream?.logits ? [upload(tf, upstream.logits, `${name}: upstream.logits`)] : [],
    finalStates: (upstream?.finalStates ?? []).map(send('upstream.finalStates')),
    sequences: (upstream?.sequences ?? []).map(send('upstream.sequences')),
  };
}
