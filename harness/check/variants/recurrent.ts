import type { ActivationName, RecurrentConfig } from '../../../scratch/index';
import { gates as gatesOfCell } from '../../base/model';
import type { ModelLayer } from '../../models/index';
import type { Variant } from './variant';
import { gatesTransposed, permutations, reordered, transposed, zeroed } from './weights';

type Weights = ModelLayer['weights'];

/** The gates whose blocks lie side by side in a layer's weights; [] where there is one block. */
export function gatesOf({ config }: ModelLayer): readonly string[] {
  const recurrent = config.layer === 'bidirectional' ? config.wrapped : config;
  return recurrent.layer === 'lstm' || recurrent.layer === 'gru' ? gatesOfCell[recurrent.layer] : [];
}

/** Orders of gates that programs have. */
const knownOrders: Readonly<Record<string, string>> = {
  'i o f c': 'the order of ONNX',
  'i c f o': 'the order of TensorFlow 1',
  'r z h': 'the order of PyTorch',
};

export function recurrentVariants(
  layer: ModelLayer,
  config: RecurrentConfig,
  direction: string,
  withConfig: (changed: RecurrentConfig) => ModelLayer,
): Variant[] {
  const name = (weight: string): string =>
    direction === '' ? weight : direction + weight[0].toUpperCase() + weight.slice(1);
  const where = direction === '' ? '' : ` (direction ${direction})`;
  const out: Variant[] = [];
  const add = (
    id: string,
    words: string,
    changed: ModelLayer | undefined,
    gates?: readonly string[],
  ): void => {
    if (changed !== undefined)
      out.push({ id, words: words + where, layer: changed, ...(gates && { gates }) });
  };
  const own = { kernel: name('kernel'), recurrent: name('recurrentKernel'), bias: name('bias') };
  const weights = layer.weights;
  // of the whole layer: asked once
  if (direction !== 'backward') {
    if (config.layer !== 'simpleRNN') {
      const gates = config.layer === 'lstm' ? ['i', 'f', 'o'] : ['z', 'r'];
      for (const { name: activation, words } of activationVariants(
        config.recurrentActivation ?? 'sigmoid',
        'recurrent activation',
      ))
        add('recurrent-activation', words, withConfig({ ...config, recurrentActivation: activation }), gates);
    }
    for (const { name: activation, words } of activationVariants(config.activation ?? 'tanh', 'activation'))
      add('activation', words, withConfig({ ...config, activation }));
  }
  const gates = gatesOfCell[config.layer] ?? ['h'];
  for (const order of permutations(gates.length)) {
    const text = order.map((i) => gates[i]).join(' ');
    add(
      'gate-order',
      `its weights are taken as gates in the order ${text}${text in knownOrders ? `, ${knownOrders[text]}` : ''}, not ${gates.join(' ')}`,
      { ...layer, weights: reordered(weights, Object.values(own), order) },
      order.flatMap((i, at) => (i === at ? [] : [gates[i]])),
    );
  }
  if (config.layer === 'gru')
    for (const changed of resetVariants(config, weights, own.bias))
      add('reset-after', changed.words, { ...withConfig(changed.config), weights: changed.weights }, ['r']);
  if (own.bias in weights) {
    add('biases', 'its bias is left out', { ...layer, weights: zeroed(weights, [own.bias]) });
    const { data, shape } = weights[own.bias];
    if (shape.length === 2)
      for (const [row, words] of [
        [1, 'its second bias (recurrent) is left out'],
        [0, 'its first bias (input) is left out'],
      ] as const)
        add('biases', words, {
          ...layer,
          weights: {
            ...weights,
            [own.bias]: { shape, data: data.map((b, i) => (Math.floor(i / shape[1]) === row ? 0 : b)) },
          },
        });
    if (config.layer === 'lstm')
      for (const [by, words] of [
        [1, 'unit_forget_bias is added twice: 1 more in the bias of the forget gate'],
        [-1, 'the 1 of unit_forget_bias is missing in the bias of the forget gate'],
      ] as const)
        add(
          'unit-forget-bias',
          words,
          {
            ...layer,
            weights: {
              ...weights,
              [own.bias]: {
                shape,
                data: data.map((b, i) => (Math.floor(i / config.units) === 1 ? b + by : b)),
              },
            },
          },
          ['f'],
        );
  }
  for (const [weight, words] of [
    [own.kernel, 'its kernel is read transposed'],
    [own.recurrent, 'its recurrent kernel is read transposed'],
  ] as const) {
    const changed = transposed(weights, weight);
    add('kernel-transposed', words, changed && { ...layer, weights: changed });
    const { shape } = weights[weight];
    if (gates.length > 1 && shape[0] === config.units)
      add('kernel-transposed', `every gate of ${words.slice(4)}`, {
        ...layer,
        weights: { ...weights, [weight]: gatesTransposed(weights[weight], gates.length) },
      });
  }
  return out;
}

export function activationVariants(
  now: ActivationName,
  what: string,
): { readonly name: ActivationName; readonly words: string }[] {
  const all =
    what === 'recurrent activation'
      ? (['sigmoid', 'hardSigmoid', 'hardSigmoidKeras3'] as const)
      : (['tanh', 'relu', 'linear', 'sigmoid', 'hardSigmoid', 'hardSigmoidKeras3'] as const);
  return all.flatMap((name) =>
    name === now
      ? []
      : [{ name, words: `its ${what} is ${inFull[name] ?? name}, not ${inFull[now] ?? now}` }],
  );
}

const inFull: Readonly<Partial<Record<ActivationName, string>>> = {
  hardSigmoid: 'hard_sigmoid of Keras 2 and TensorFlow.js (0.2 x + 0.5)',
  hardSigmoidKeras3: 'hard_sigmoid of Keras 3 (x / 6 + 0.5)',
};

/** What a program makes of a GRU of the other kind. */
function resetVariants(config: Extract<RecurrentConfig, { layer: 'gru' }>, weights: Weights, name: string) {
  const after = config.resetAfter !== false;
  const changed = { ...config, resetAfter: !after };
  const words = `its reset gate acts ${after ? 'before' : 'after'} the product with the state (reset_after ${String(!after)}), not ${after ? 'after' : 'before'}`;
  if (!(name in weights)) return [{ config: changed, weights, words }];
  const { data, shape } = weights[name];
  const columns = shape[shape.length - 1];
  const bias = (values: Float64Array, to: readonly number[]): Weights => ({
    ...weights,
    [name]: { data: values, shape: to },
  });
  if (!after) {
    const two = new Float64Array(2 * columns);
    two.set(data);
    return [{ config: changed, weights: bias(two, [2, columns]), words }];
  }
  const first = data.slice(0, columns);
  if (shape.length === 1) return [{ config: changed, weights, words }];
  return [
    {
      config: changed,
      weights: bias(
        first.map((b, i) => b + data[columns + i]),
        [columns],
      ),
      words: `${words}, with its two biases added`,
    },
    { config: changed, weights: bias(first, [columns]), words: `${words}, without its second bias` },
  ];
}
