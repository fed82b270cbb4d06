import type { LayerConfig, NetworkConfig } from '../../scratch/index';
import { recurrentLayers, withSequences } from './stack-problem';

const dense = { layer: 'dense', units: 3 } as const;

/** Networks that hold every layer, option, activation, direction and loss at least once. */
export const networkCases: readonly (NetworkConfig & { readonly masked?: boolean })[] = [
  // one recurrent layer each: its last state, and every step with a mask
  ...recurrentLayers(3).flatMap((layer, i) => [
    { features: 2, layers: [layer, dense], masked: i % 2 === 1 },
    { features: 2, layers: [withSequences(layer), dense], masked: i % 2 === 0 },
  ]),
  ...(['sigmoid', 'relu', 'linear', 'hardSigmoid', 'hardSigmoidKeras3'] as const).map(
    (activation): NetworkConfig => ({
      features: 2,
      layers: [
        { layer: 'lstm', units: 2, activation, returnSequences: true },
        { layer: 'simpleRNN', units: 3, activation },
        { layer: 'dense', units: 2, activation },
      ],
      loss: 'meanSquaredError',
    }),
  ),
  {
    layers: [
      { layer: 'embedding', inputDim: 4, outputDim: 2, maskZero: true },
      { layer: 'gru', units: 3, returnSequences: true, goBackwards: true },
      { layer: 'timeDistributed', wrapped: { layer: 'dense', units: 3, activation: 'tanh', useBias: false } },
    ],
    loss: 'softmaxCrossEntropy',
    masked: true,
  },
  {
    features: 3,
    layers: [
      { layer: 'dense', units: 2, activation: 'relu' },
      { layer: 'bidirectional', wrapped: { layer: 'gru', units: 2, returnSequences: true, useBias: false } },
      { layer: 'bidirectional', wrapped: { layer: 'lstm', units: 2, recurrentActivation: 'tanh' } },
      { layer: 'dense', units: 2 },
    ] as LayerConfig[],
    loss: 'sigmoidCrossEntropy',
    masked: true,
  },
];

/** A short name for a network. */
export function nameOf({ layers, loss, masked }: (typeof networkCases)[number]): string {
  const one = (layer: LayerConfig): string => {
    if ('wrapped' in layer) {
      const { wrapped, layer: kind, ...rest } = layer;
      return `${kind}(${one(wrapped)})${optionsOf(rest)}`;
    }
    const { layer: kind, ...rest } = layer;
    return kind + optionsOf(rest);
  };
  const optionsOf = (rest: object): string => {
    const words = Object.entries(rest).flatMap(([key, value]) =>
      key === 'units' ? [] : [value === true ? key : `${key} ${String(value)}`],
    );
    return words.length === 0 ? '' : `[${words.join(', ')}]`;
  };
  return [layers.map(one).join(' + '), ...(loss ? [loss] : []), ...(masked ? ['masked'] : [])].join(', ');
}
