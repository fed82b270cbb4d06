import * as fc from 'fast-check';
import { createRandom, Stack, type LayerConfig, type StackConfig, type Tensor } from '../../scratch/index';
import { normalTensor } from './layer-problem';

/** A stack with weights, a batch for it, and loss gradients that arrive at everything it gives. */
export interface StackProblem {
  readonly stack: Stack;
  /** [B, T, F] */ readonly inputs: Tensor;
  readonly initialStates: readonly (readonly Tensor[])[];
  /** [B, T] */ readonly mask: Tensor | undefined;
  readonly upstream: { readonly outputs: Tensor; readonly finalStates: readonly (readonly Tensor[])[] };
}

/** The problem that a seed stands for: weights of standard deviation `scale`, states that are not zero. */
export function stackProblem(
  seed: number,
  config: StackConfig,
  { B, T }: { readonly B: number; readonly T: number },
  masked: boolean,
  scale = 0.7,
): StackProblem {
  let nth = 0;
  const draw = (deviation: number, ...shape: number[]) =>
    normalTensor(seed * 64 + nth++, deviation, ...shape);
  const shapes = new Stack(config).layers.map((layer) => layer.shapes);
  const weights = shapes.map((layer) =>
    Object.fromEntries(Object.entries(layer).map(([key, shape]) => [key, draw(scale, ...shape)])),
  );
  const stack = new Stack({ ...config, weights });
  const random = createRandom(seed);
  const states = () => stack.layers.map((layer) => layer.states.map((units) => draw(0.5, B, units)));
  const data = Float64Array.from({ length: B * T }, () => (random.integer(3) > 0 ? 1 : 0));
  const { width, hasTime } = stack.layers[stack.layers.length - 1].output;
  return {
    stack,
    inputs: draw(1, B, T, stack.features),
    initialStates: states(),
    mask: masked ? { data, shape: [B, T] } : undefined,
    upstream: { outputs: draw(1, ...(hasTime ? [B, T, width] : [B, width])), finalStates: states() },
  };
}

/** Every cell and option as one layer of these units. */
export const recurrentLayers = (units: number): LayerConfig[] => [
  { layer: 'simpleRNN', units },
  { layer: 'simpleRNN', units, activation: 'sigmoid', goBackwards: true },
  { layer: 'lstm', units },
  { layer: 'lstm', units, activation: 'linear', recurrentActivation: 'hardSigmoid', useBias: false },
  { layer: 'gru', units },
  { layer: 'gru', units, resetAfter: false },
  { layer: 'gru', units, biases: 1, recurrentActivation: 'hardSigmoidKeras3', goBackwards: true },
  { layer: 'bidirectional', wrapped: { layer: 'lstm', units } },
  { layer: 'bidirectional', wrapped: { layer: 'gru', units, resetAfter: false }, mergeMode: 'sum' },
  { layer: 'bidirectional', wrapped: { layer: 'gru', units }, mergeMode: 'mul' },
  { layer: 'bidirectional', wrapped: { layer: 'simpleRNN', units }, mergeMode: 'ave' },
];

/** The same layer, giving every time step. */
export function withSequences(layer: LayerConfig): LayerConfig {
  if (layer.layer === 'bidirectional') {
    return { ...layer, wrapped: { ...layer.wrapped, returnSequences: true } };
  }
  return { ...layer, returnSequences: true } as LayerConfig;
}

const size = fc.integer({ min: 1, max: 4 });

/** One or two recurrent layers, some with a dense layer on top, and a batch of any small size, masked or not. */
export const stackProblems: fc.Arbitrary<StackProblem> = fc
  .record({
    seed: fc.nat(1_000_000),
    sizes: fc.record({ B: size, T: size }),
    features: size,
    layers: fc.array(
      size.chain((units) => fc.constantFrom(...recurrentLayers(units))),
      { minLength: 1, maxLength: 2 },
    ),
    dense: fc.boolean(),
    sequences: fc.boolean(),
    masked: fc.boolean(),
  })
  .map(({ seed, sizes, features, layers, dense, sequences, masked }) => {
    const recurrent = layers.map((layer, i) =>
      sequences || i < layers.length - 1 ? withSequences(layer) : layer,
    );
    const top: LayerConfig[] = dense ? [{ layer: 'dense', units: 2, activation: 'tanh' }] : [];
    return stackProblem(seed, { features, layers: [...recurrent, ...top] }, sizes, masked);
  });

/** Forward and backward of a problem. */
export function solve({ stack, inputs, initialStates, mask, upstream }: StackProblem) {
  const { cache, ...forward } = stack.forward(inputs, { initialStates, ...(mask && { mask }) });
  return { ...forward, gradients: stack.backward(cache, upstream) };
}

/** Everything that can be differentiated by, with its gradient in `solve`. */
export function variablesOf(p: StackProblem, { gradients }: Pick<ReturnType<typeof solve>, 'gradients'>) {
  const named: { name: string; value: Tensor; gradient: Tensor }[] = [];
  p.stack
    .getWeights()
    .forEach((layer, i) =>
      Object.entries(layer).forEach(([key, value]) =>
        named.push({ name: `${key}[${i}]`, value, gradient: gradients.weights[i][key] }),
      ),
    );
  p.initialStates.forEach((layer, i) =>
    layer.forEach((value, k) =>
      named.push({ name: `initialStates[${i}][${k}]`, value, gradient: gradients.initialStates[i][k] }),
    ),
  );
  return [...named, { name: 'inputs', value: p.inputs, gradient: gradients.inputs! }];
}
