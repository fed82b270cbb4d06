import type { Tensor } from '../../../scratch/index';
import { turned } from '../../equations/index';
import type { ModelLayer } from '../../models/index';
import { maskVariants } from './masks';
import { timeMajor } from './order';
import { activationVariants, recurrentVariants } from './recurrent';
import { storageVariants } from './storage';
import type { Variant } from './variant';
import { transposed, zeroed } from './weights';

export { gatesOf } from './recurrent';
export { storageVariants } from './storage';
export type { Variant } from './variant';

/** Everything that a layer may be taken for. */
export function variantsOf(layer: ModelLayer): Variant[] {
  const { config } = layer;
  switch (config.layer) {
    case 'simpleRNN':
    case 'lstm':
    case 'gru':
      return [
        ...recurrentVariants(layer, config, '', (changed) => ({ ...layer, config: changed })),
        ...maskVariants(layer),
        {
          id: 'go-backwards',
          words: `it goes ${config.goBackwards === true ? 'forwards' : 'backwards'} through time`,
          layer: { ...layer, config: { ...config, goBackwards: config.goBackwards !== true } },
        },
        ...(config.returnSequences === true
          ? [
              {
                id: 'order-of-steps',
                words: 'its output has the time steps in the opposite order',
                layer,
                order: { read: same, give: turned },
              },
            ]
          : []),
        ...timeMajor(layer),
        ...storageVariants(layer),
      ];
    case 'bidirectional': {
      const { wrapped } = config;
      const exchanged = Object.fromEntries(
        Object.entries(layer.weights).map(([name, tensor]) => [
          name.startsWith('forward')
            ? name.replace('forward', 'backward')
            : name.replace('backward', 'forward'),
          tensor,
        ]),
      );
      return [
        ...['forward', 'backward'].flatMap((direction) =>
          recurrentVariants(layer, wrapped, direction, (changed) => ({
            ...layer,
            config: { ...config, wrapped: changed },
          })),
        ),
        ...maskVariants(layer),
        {
          id: 'directions',
          words: 'the weights of the two directions are exchanged',
          layer: { ...layer, weights: exchanged },
        },
        ...(['concat', 'sum', 'mul', 'ave'] as const).flatMap((mergeMode) =>
          mergeMode === (config.mergeMode ?? 'concat')
            ? []
            : [
                {
                  id: 'merge-mode',
                  words: `its merge mode is ${mergeMode}`,
                  layer: { ...layer, config: { ...config, mergeMode } },
                },
              ],
        ),
        ...timeMajor(layer),
        ...storageVariants(layer),
      ];
    }
    case 'dense':
    case 'timeDistributed': {
      const dense = config.layer === 'dense' ? config : config.wrapped;
      const kernels = transposed(layer.weights, 'kernel');
      return [
        ...activationVariants(dense.activation ?? 'linear', 'activation').map(({ name, words }) => ({
          id: 'activation',
          words,
          layer: {
            ...layer,
            config:
              config.layer === 'dense'
                ? { ...config, activation: name }
                : { ...config, wrapped: { ...dense, activation: name } },
          },
        })),
        ...(dense.useBias === false
          ? []
          : [
              {
                id: 'biases',
                words: 'its bias is left out',
                layer: { ...layer, weights: zeroed(layer.weights, ['bias']) },
              },
            ]),
        ...(kernels === undefined
          ? []
          : [
              {
                id: 'kernel-transposed',
                words: 'its kernel is read transposed',
                layer: { ...layer, weights: kernels },
              },
            ]),
        ...storageVariants(layer),
      ];
    }
    case 'activation':
      return [
        {
          id: 'activation',
          words: `its ${config.activation} is left out`,
          layer: { ...layer, config: { layer: 'identity' } },
        },
        ...(['softmax', 'sigmoid', 'tanh', 'relu', 'hardSigmoid', 'hardSigmoidKeras3'] as const).flatMap(
          (activation) =>
            activation === config.activation
              ? []
              : [
                  {
                    id: 'activation',
                    words: `its activation is ${activation}`,
                    layer: { ...layer, config: { layer: 'activation', activation } as const },
                  },
                ],
        ),
      ];
    case 'batchNormalization':
      return [1e-3, 1e-5].flatMap((epsilon) =>
        epsilon === config.epsilon
          ? []
          : [
              {
                id: 'epsilon',
                words: `its epsilon is ${epsilon}, not ${config.epsilon}`,
                layer: { ...layer, config: { ...config, epsilon } },
              },
            ],
      );
    case 'masking':
    case 'repeatVector':
    case 'flatten':
    case 'lastStep':
    case 'identity':
      return [];
    case 'embedding':
      return storageVariants(layer);
  }
}

const same = (tensor: Tensor): Tensor => tensor;
