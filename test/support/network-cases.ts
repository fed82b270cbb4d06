import { createRandom, StackPlan, zeros } from '../../scratch/index';
import type { LayerConfig, NetworkAnswer, NetworkConfig, NetworkQuestion, Tensor } from '../../scratch/index';
import { normalTensor } from './layer-problem';
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

/** A question to a network of a case: masks, states in, targets, and gradients that arrive everywhere. */
export function questionFor(
  network: { readonly config: NetworkConfig },
  seed: number,
  masked: boolean,
  { B = 3, T = 4 } = {},
) {
  const random = createRandom(seed);
  let nth = 0;
  const draw = (scale: number, ...shape: number[]): Tensor => {
    const tensor = normalTensor(seed * 64 + nth++, scale, ...shape);
    return { data: tensor.data.map(Math.fround), shape };
  };
  const plan = new StackPlan(network.config);
  const inputs = plan.vocabulary === undefined ? draw(1, B, T, plan.features) : zeros(B, T);
  if (plan.vocabulary !== undefined)
    inputs.data.forEach((_, i) => (inputs.data[i] = random.integer(plan.vocabulary!)));
  const shape = plan.outputShape({ batch: B, timeSteps: T });
  const labels = network.config.loss === 'softmaxCrossEntropy';
  const targets = zeros(...(labels ? shape.slice(0, -1) : shape));
  const width = shape[shape.length - 1];
  targets.data.forEach((_, i) => (targets.data[i] = labels ? random.integer(width) : random.integer(3) / 2));
  const mask = zeros(B, T);
  mask.data.forEach((_, i) => (mask.data[i] = random.integer(3) > 0 ? 1 : 0));
  const states = () => plan.layers.map((layer) => layer.states.map((width) => draw(0.5, B, width)));
  const sequences = plan.layers.map((layer) => layer.sequences.map((width) => draw(1, B, T, width)));
  const question: NetworkQuestion = {
    initialStates: states(),
    targets: targets.shape.length === 1 ? targets.data : targets,
    ...(masked && { mask }),
    upstream: { logits: draw(1, ...shape), finalStates: states(), sequences },
    sequences: true,
  };
  return { inputs, question };
}

/** Every tensor of an answer by its name. */
export function tensorsOf(answer: NetworkAnswer): Map<string, Tensor> {
  const named = new Map<string, Tensor>();
  const visit = (name: string, value: unknown): void => {
    if (typeof value === 'number') named.set(name, { data: Float64Array.of(value), shape: [] });
    else if (typeof value === 'object' && value !== null && 'data' in value) named.set(name, value as Tensor);
    else
      for (const [key, one] of Object.entries(value as object))
        visit(name === '' ? key : `${name}.${key}`, one);
  };
  visit('', answer);
  return named;
}
