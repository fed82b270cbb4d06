import { directions } from '../../base/model';
import { mapRecord } from '../../base/process/index';
import { turned } from '../../equations/index';
import type { MaskedRows, ModelLayer } from '../../models/index';
import { activationVariants, recurrentVariants, transposedVariant, type Variant } from './recurrent';
import { axesExchanged, quantised, toPrecision, zeroed } from './weights';

export { gatesOf, type Variant } from './recurrent';

/** Everything that a layer may be taken for. */
export function variantsOf(layer: ModelLayer): Variant[] {
  const { config } = layer;
  const variant = (
    id: string,
    words: string,
    change: Partial<ModelLayer>,
    order?: Variant['order'],
  ): Variant => ({
    ...{ id, words, layer: { ...layer, ...change } },
    ...(order && { order }),
  });
  const timeMajor = (): Variant =>
    variant(
      'time-major',
      'the first axis of its input is taken as time (time-major)',
      {},
      {
        read: axesExchanged,
        give: axesExchanged,
      },
    );
  switch (config.layer) {
    case 'simpleRNN':
    case 'lstm':
    case 'gru':
      return [
        ...recurrentVariants(layer, config, '', (changed) => ({ ...layer, config: changed })),
        ...maskVariants(layer),
        variant(
          'go-backwards',
          `it goes ${config.goBackwards === true ? 'forwards' : 'backwards'} through time`,
          {
            config: { ...config, goBackwards: config.goBackwards !== true },
          },
        ),
        ...(config.returnSequences === true
          ? [
              variant(
                'order-of-steps',
                'its output has the time steps in the opposite order',
                {},
                {
                  read: (input) => input,
                  give: turned,
                },
              ),
            ]
          : []),
        timeMajor(),
        ...storageVariants(layer),
      ];
    case 'bidirectional': {
      const { wrapped, mergeMode: now = 'concat' } = config;
      const otherWay = (name: string): string =>
        name.replace(/^(forward|backward)/, (way) => (way === 'forward' ? 'backward' : 'forward'));
      const exchanged = Object.entries(layer.weights).map(([name, tensor]) => [otherWay(name), tensor]);
      return [
        ...directions.flatMap((direction) =>
          recurrentVariants(layer, wrapped, direction, (changed) => ({
            ...layer,
            config: { ...config, wrapped: changed },
          })),
        ),
        ...maskVariants(layer),
        variant('directions', 'the weights of the two directions are exchanged', {
          weights: Object.fromEntries(exchanged) as ModelLayer['weights'],
        }),
        ...(['concat', 'sum', 'mul', 'ave'] as const)
          .filter((mergeMode) => mergeMode !== now)
          .map((mergeMode) =>
            variant('merge-mode', `its merge mode is ${mergeMode}`, { config: { ...config, mergeMode } }),
          ),
        timeMajor(),
        ...storageVariants(layer),
      ];
    }
    case 'dense':
    case 'timeDistributed': {
      const dense = config.layer === 'dense' ? config : config.wrapped;
      return [
        ...activationVariants(dense.activation ?? 'linear', 'activation').map(({ name, words }) => {
          const changed = { ...dense, activation: name };
          return variant('activation', words, {
            config: config.layer === 'dense' ? changed : { ...config, wrapped: changed },
          });
        }),
        ...(dense.useBias === false
          ? []
          : [variant('biases', 'its bias is left out', { weights: zeroed(layer.weights, 'bias') })]),
        ...transposedVariant(layer, 'kernel', 'its kernel is read transposed'),
        ...storageVariants(layer),
      ];
    }
    case 'activation':
      return [
        variant('activation', `its ${config.activation} is left out`, { config: { layer: 'identity' } }),
        ...(['softmax', 'sigmoid', 'tanh', 'relu', 'hardSigmoid', 'hardSigmoidKeras3'] as const)
          .filter((activation) => activation !== config.activation)
          .map((activation) =>
            variant('activation', `its activation is ${activation}`, {
              config: { layer: 'activation', activation },
            }),
          ),
      ];
    case 'batchNormalization':
      return [1e-3, 1e-5]
        .filter((epsilon) => epsilon !== config.epsilon)
        .map((epsilon) =>
          variant('epsilon', `its epsilon is ${epsilon}, not ${config.epsilon}`, {
            config: { ...config, epsilon },
          }),
        );
    case 'embedding':
      return storageVariants(layer);
    default:
      return [];
  }
}

const rowsInWords: Readonly<Record<MaskedRows, string>> = {
  state: 'a masked step repeats the state (TensorFlow.js)',
  output: 'a masked step repeats the output before it, zeros before the first real step (Keras)',
  zero: 'a masked step gives zeros (zero_output_for_mask)',
  unmasked: 'the mask is ignored',
};

function maskVariants(layer: ModelLayer): Variant[] {
  const now = layer.maskedRows ?? 'state';
  return (Object.keys(rowsInWords) as MaskedRows[])
    .filter((maskedRows) => maskedRows !== now)
    .map((maskedRows) => ({
      id: 'masked-rows',
      words: `${rowsInWords[maskedRows]}; by the model's file, ${rowsInWords[now]}`,
      layer: { ...layer, maskedRows },
    }));
}

const storages: readonly (readonly [id: string, words: string, (data: Float64Array) => Float64Array])[] = [
  ['weights-8-bit', '8 bits', (data) => quantised(data, 255)],
  ['weights-16-bit', '16 bits', (data) => quantised(data, 65_535)],
  ['weights-half', 'half precision (float16)', (data) => data.map((x) => toPrecision(x, 11))],
  ['weights-bfloat16', 'bfloat16', (data) => data.map((x) => toPrecision(x, 8))],
];

/** Weights that were rounded to fewer bits. */
export const storageVariants = (layer: ModelLayer): Variant[] =>
  storages.map(([id, words, round]) => {
    const weights = mapRecord(layer.weights, ({ data, shape }) => ({ data: round(data), shape }));
    return { id, words: `its weights are rounded to ${words}`, layer: { ...layer, weights } };
  });
