import type { ActivationName, RecurrentConfig, Tensor } from '../../scratch/index';
import type { MaskedRows, ModelLayer } from '../models/index';

/** A known mistake of a program, or a known difference between programs: the layer as that program runs it. */
export interface Variant {
  /** `recurrent-activation`, `gate-order`, ... */ readonly id: string;
  /** completes "the layer looks as if ..." */ readonly words: string;
  readonly gates?: readonly string[];
  readonly layer: ModelLayer;
  /** how that program reads the input and gives the output, where it is another order */
  readonly order?: { readonly read: (input: Tensor) => Tensor; readonly give: (output: Tensor) => Tensor };
}

type Weights = ModelLayer['weights'];

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

/** Gates in Keras's order. */
const gateNames = { simpleRNN: ['h'], lstm: ['i', 'f', 'c', 'o'], gru: ['z', 'r', 'h'] } as const;

/** Orders of gates that programs have. */
const knownOrders: Readonly<Record<string, string>> = {
  'i o f c': 'the order of ONNX',
  'i c f o': 'the order of TensorFlow 1',
  'r z h': 'the order of PyTorch',
};

function recurrentVariants(
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
  const gates = gateNames[config.layer];
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
      add('kernel-transposed', `every gate of ${words.slice(4).replace(' is read', ' is read')}`, {
        ...layer,
        weights: { ...weights, [weight]: gatesTransposed(weights[weight], gates.length) },
      });
  }
  return out;
}

function activationVariants(
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

function maskVariants(layer: ModelLayer): Variant[] {
  const now = layer.maskedRows ?? 'state';
  const all: Readonly<Record<MaskedRows, string>> = {
    state: 'a masked step repeats the state (TensorFlow.js)',
    output: 'a masked step repeats the output before it, zeros before the first real step (Keras)',
    zero: 'a masked step gives zeros (zero_output_for_mask)',
    unmasked: 'the mask is ignored',
  };
  return (Object.keys(all) as MaskedRows[]).flatMap((maskedRows) =>
    maskedRows === now
      ? []
      : [
          {
            id: 'masked-rows',
            words: `${all[maskedRows]}; by the model's file, ${all[now]}`,
            layer: { ...layer, maskedRows },
          },
        ],
  );
}

/** Batch and time exchanged. */
function timeMajor(layer: ModelLayer): Variant[] {
  return [
    {
      id: 'time-major',
      words: 'the first axis of its input is taken as time (time-major)',
      layer,
      order: { read: axesExchanged, give: axesExchanged },
    },
  ];
}

function axesExchanged(tensor: Tensor): Tensor {
  const { data, shape } = tensor;
  if (shape.length !== 3) return tensor;
  const [rows, columns, width] = shape;
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      out.set(
        data.subarray((i * columns + j) * width, (i * columns + j + 1) * width),
        (j * rows + i) * width,
      );
  return { data: out, shape: [columns, rows, width] };
}

function turned({ data, shape }: Tensor): Tensor {
  const [batch, steps, width] = shape;
  const out = new Float64Array(data.length);
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < steps; t++)
      out.set(
        data.subarray((b * steps + t) * width, (b * steps + t + 1) * width),
        (b * steps + steps - 1 - t) * width,
      );
  return { data: out, shape };
}

/** Weights that were rounded to fewer bits. */
export function storageVariants(layer: ModelLayer): Variant[] {
  const rounded = (round: (data: Float64Array) => Float64Array): ModelLayer => ({
    ...layer,
    weights: Object.fromEntries(
      Object.entries(layer.weights).map(([name, { data, shape }]) => [name, { data: round(data), shape }]),
    ),
  });
  return [
    {
      id: 'weights-8-bit',
      words: 'its weights are rounded to 8 bits',
      layer: rounded((data) => quantised(data, 255)),
    },
    {
      id: 'weights-16-bit',
      words: 'its weights are rounded to 16 bits',
      layer: rounded((data) => quantised(data, 65_535)),
    },
    {
      id: 'weights-half',
      words: 'its weights are rounded to half precision (float16)',
      layer: rounded((data) => data.map((x) => toPrecision(x, 11))),
    },
    {
      id: 'weights-bfloat16',
      words: 'its weights are rounded to bfloat16',
      layer: rounded((data) => data.map((x) => toPrecision(x, 8))),
    },
  ];
}

/** As tensorflowjs_converter does: steps of (max - min) / levels, zero exact. */
export function quantised(data: Float64Array, levels: number): Float64Array {
  const [low, high] = data.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity]);
  const scale = (high - low) / levels;
  if (!(scale > 0)) return data;
  const start = low > 0 || high < 0 ? low : Math.round(low / scale) * scale;
  return data.map((x) => Math.fround(Math.round((x - start) / scale) * scale + start));
}

/** Rounded to so many significant bits. */
export function toPrecision(x: number, bits: number): number {
  if (x === 0) return 0;
  const step = 2 ** (Math.floor(Math.log2(Math.abs(x))) - bits + 1);
  return Math.round(x / step) * step;
}

function zeroed(weights: Weights, names: readonly string[]): Weights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, tensor]) => [
      name,
      names.includes(name) ? { ...tensor, data: new Float64Array(tensor.data.length) } : tensor,
    ]),
  );
}

/** The bytes of the transposed matrix, read as the matrix; undefined where that changes nothing. */
function transposed(weights: Weights, name: string): Weights | undefined {
  const { data, shape } = weights[name];
  const [rows, columns] = shape;
  if (rows === 1 || columns === 1) return undefined;
  return {
    ...weights,
    [name]: { shape, data: data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)]) },
  };
}

function gatesTransposed({ data, shape: [rows, columns] }: Tensor, gates: number): Tensor {
  const width = columns / gates;
  return {
    shape: [rows, columns],
    data: data.map((_, n) => {
      const [i, j] = [Math.floor(n / columns), n % columns];
      const gate = Math.floor(j / width);
      return data[(j % width) * columns + gate * width + i];
    }),
  };
}

function reordered(weights: Weights, names: readonly string[], order: readonly number[]): Weights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, { data, shape }]) => {
      if (!names.includes(name)) return [name, { data, shape }];
      const columns = shape[shape.length - 1];
      const width = columns / order.length;
      return [
        name,
        {
          shape,
          data: data.map(
            (_, n) =>
              data[n - (n % columns) + order[Math.floor((n % columns) / width)] * width + (n % width)],
          ),
        },
      ];
    }),
  );
}

/** Every order of n things but the one that they are in. */
function permutations(n: number): number[][] {
  const all = (rest: readonly number[]): number[][] =>
    rest.length === 0
      ? [[]]
      : rest.flatMap((one) => all(rest.filter((other) => other !== one)).map((tail) => [one, ...tail]));
  return all(Array.from({ length: n }, (_, i) => i)).filter((order) => order.some((one, i) => one !== i));
}
