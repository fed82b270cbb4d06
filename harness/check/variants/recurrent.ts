import type { ActivationName, RecurrentConfig, Tensor } from '../../../scratch/index';
import { gates as gatesOfCell, nameIn } from '../../base/model';
import type { ModelLayer } from '../../models/index';
import {
  blocksTransposed,
  permutations,
  readTransposed,
  reordered,
  withData,
  zeroed,
  type Weights,
} from './weights';

/** A known mistake of a program, or a known difference between programs: the layer as that program runs it. */
export interface Variant {
  /** `recurrent-activation`, `gate-order`, ... */ readonly id: string;
  /** completes "the layer looks as if ..." */ readonly words: string;
  readonly gates?: readonly string[];
  readonly layer: ModelLayer;
  /** how that program reads the input and gives the output, where it is another order */
  readonly order?: { readonly read: (input: Tensor) => Tensor; readonly give: (output: Tensor) => Tensor };
}

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

/** @param direction of a bidirectional layer: `forward`, `backward`, else '' */
export function recurrentVariants(
  layer: ModelLayer,
  config: RecurrentConfig,
  direction: 'forward' | 'backward' | '',
  withConfig: (changed: RecurrentConfig) => ModelLayer,
): Variant[] {
  const where = direction === '' ? '' : ` (direction ${direction})`;
  const out: Variant[] = [];
  const add = (id: string, words: string, changed: ModelLayer, gates?: readonly string[]): void => {
    out.push({ id, words: words + where, layer: changed, ...(gates && { gates }) });
  };
  const { weights } = layer;
  const withWeights = (changed: Weights): ModelLayer => ({ ...layer, weights: changed });
  const [kernel, recurrent, bias] = ['kernel', 'recurrentKernel', 'bias'].map((weight) =>
    direction === '' ? weight : nameIn(direction, weight),
  );
  // of the whole layer: asked once
  if (direction !== 'backward') {
    if (config.layer !== 'simpleRNN') {
      const gates = config.layer === 'lstm' ? ['i', 'f', 'o'] : ['z', 'r'];
      const now = config.recurrentActivation ?? 'sigmoid';
      for (const { name, words } of activationVariants(now, 'recurrent activation'))
        add('recurrent-activation', words, withConfig({ ...config, recurrentActivation: name }), gates);
    }
    for (const { name, words } of activationVariants(config.activation ?? 'tanh', 'activation'))
      add('activation', words, withConfig({ ...config, activation: name }));
  }
  const gates = gatesOfCell[config.layer] ?? ['h'];
  for (const order of permutations(gates.length)) {
    const text = order.map((i) => gates[i]).join(' ');
    add(
      'gate-order',
      `its weights are taken as gates in the order ${text}${text in knownOrders ? `, ${knownOrders[text]}` : ''}, not ${gates.join(' ')}`,
      withWeights(reordered(weights, [kernel, recurrent, bias], order)),
      order.flatMap((i, at) => (i === at ? [] : [gates[i]])),
    );
  }
  if (config.layer === 'gru')
    for (const changed of resetVariants(config, weights, bias))
      add('reset-after', changed.words, { ...withConfig(changed.config), weights: changed.weights }, ['r']);
  if (bias in weights) {
    add('biases', 'its bias is left out', withWeights(zeroed(weights, bias)));
    const { shape } = weights[bias];
    const biases = (change: (b: number, i: number) => number): ModelLayer =>
      withWeights(withData(weights, bias, change));
    if (shape.length === 2)
      for (const [row, words] of ['second bias (recurrent)', 'first bias (input)'].entries())
        add(
          'biases',
          `its ${words} is left out`,
          biases((b, i) => (Math.floor(i / shape[1]) === 1 - row ? 0 : b)),
        );
    if (config.layer === 'lstm')
      for (const [by, words] of [
        [1, 'unit_forget_bias is added twice: 1 more in the bias of the forget gate'],
        [-1, 'the 1 of unit_forget_bias is missing in the bias of the forget gate'],
      ] as const)
        add(
          'unit-forget-bias',
          words,
          biases((b, i) => (Math.floor(i / config.units) === 1 ? b + by : b)),
          ['f'],
        );
  }
  for (const [weight, words] of [
    [kernel, 'its kernel is read transposed'],
    [recurrent, 'its recurrent kernel is read transposed'],
  ]) {
    out.push(...transposedVariant(layer, weight, words + where));
    if (gates.length > 1 && weights[weight].shape[0] === config.units)
      add(
        'kernel-transposed',
        `every gate of ${words.slice(4)}`,
        withWeights({ ...weights, [weight]: blocksTransposed(weights[weight], gates.length) }),
      );
  }
  return out;
}

/** The bytes of the transposed matrix, read as the matrix; [] where that changes nothing. */
export function transposedVariant(layer: ModelLayer, name: string, words: string): Variant[] {
  if (layer.weights[name].shape.includes(1)) return [];
  const weights = { ...layer.weights, [name]: readTransposed(layer.weights[name]) };
  return [{ id: 'kernel-transposed', words, layer: { ...layer, weights } }];
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
  const words = `its reset gate acts ${after ? 'before' : 'after'} the product with the state (reset_after ${String(!after)}), not ${after ? 'after' : 'before'}`;
  const changed = (said: string, data?: Float64Array, shape: readonly number[] = []) => ({
    config: { ...config, resetAfter: !after },
    words: words + said,
    weights: data === undefined ? weights : { ...weights, [name]: { data, shape } },
  });
  if (!(name in weights)) return [changed('')];
  const { data, shape } = weights[name];
  const columns = shape[shape.length - 1];
  if (!after) {
    const two = new Float64Array(2 * columns);
    two.set(data);
    return [changed('', two, [2, columns])];
  }
  if (shape.length === 1) return [changed('')];
  const first = data.slice(0, columns);
  const sum = first.map((b, i) => b + data[columns + i]);
  return [
    changed(', with its two biases added', sum, [columns]),
    changed(', without its second bias', first, [columns]),
  ];
}
