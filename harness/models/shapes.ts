import type { RecurrentConfig } from '../../scratch/index';
import type { ModelDescription, ModelLayerConfig, Size } from './description';

/** Weights that a layer needs, with their shapes by name in Keras's order; null where any size does. */
export type WeightShapes = Readonly<Record<string, readonly Size[]>>;

const gates = { simpleRNN: 1, lstm: 4, gru: 3 } as const;

/**
 * What a layer gives for one example, and the weights that it needs.
 *
 * @param input what it reads for one example: [T, N] or [N]; [T] of an embedding
 * @param refuse makes the error about an input that the layer cannot read
 */
export function shapesOf(
  config: ModelLayerConfig,
  input: readonly Size[],
  refuse: (what: string) => Error,
): { readonly output: readonly Size[]; readonly weights: WeightShapes } {
  const width = input[input.length - 1];
  const withTime = (): Size => {
    if (input.length === 2) return input[0];
    throw refuse(
      `reads [B, T, N], but what comes before it gives ${text(input)}; set return_sequences=True in the recurrent layer before it, or add a RepeatVector`,
    );
  };
  switch (config.layer) {
    case 'simpleRNN':
    case 'lstm':
    case 'gru': {
      const { units, returnSequences = false } = config;
      const steps = withTime();
      return { output: returnSequences ? [steps, units] : [units], weights: recurrentShapes(config, width) };
    }
    case 'bidirectional': {
      const { wrapped, mergeMode = 'concat' } = config;
      const steps = withTime();
      const columns = wrapped.units * (mergeMode === 'concat' ? 2 : 1);
      const one = Object.entries(recurrentShapes(wrapped, width));
      const both = (direction: string) =>
        one.map(([name, shape]) => [inDirection(direction, name), shape] as const);
      return {
        output: wrapped.returnSequences === true ? [steps, columns] : [columns],
        weights: Object.fromEntries([...both('forward'), ...both('backward')]),
      };
    }
    case 'timeDistributed':
      return shapesOf(config.wrapped, [withTime(), width], refuse);
    case 'dense': {
      const { units, useBias = true } = config;
      return {
        output: [...input.slice(0, -1), units],
        weights: { kernel: [width, units], ...(useBias && { bias: [units] }) },
      };
    }
    case 'embedding': {
      if (input.length !== 1)
        throw refuse(
          `reads integers [B, T], but what comes before it gives ${text(input)}; let it read an input`,
        );
      return {
        output: [width, config.outputDim],
        weights: { embeddings: [config.inputDim, config.outputDim] },
      };
    }
    case 'repeatVector':
      if (input.length !== 1)
        throw refuse(
          `reads [B, N], but what comes before it gives ${text(input)}; set return_sequences=False in the recurrent layer before it`,
        );
      return { output: [config.times, width], weights: {} };
    case 'flatten': {
      const [steps] = input;
      const whole = input.length === 1 ? width : steps === null || width === null ? null : steps * width;
      return { output: [whole], weights: {} };
    }
    case 'lastStep':
      withTime();
      return { output: [width], weights: {} };
    case 'batchNormalization':
      return {
        output: input,
        weights: {
          ...(config.scale && { gamma: [width] }),
          ...(config.center && { beta: [width] }),
          movingMean: [width],
          movingVariance: [width],
        },
      };
    case 'masking':
      withTime();
      return { output: input, weights: {} };
    case 'activation':
    case 'identity':
      return { output: input, weights: {} };
  }
}

/** forward, kernel -> forwardKernel */
export const inDirection = (direction: string, name: string): string =>
  direction + name[0].toUpperCase() + name.slice(1);

function recurrentShapes(config: RecurrentConfig, width: Size): WeightShapes {
  const { units, useBias = true } = config;
  const columns = gates[config.layer] * units;
  const isTwo = config.layer === 'gru' && config.resetAfter !== false && config.biases !== 1;
  return {
    kernel: [width, columns],
    recurrentKernel: [units, columns],
    ...(useBias && { bias: isTwo ? [2, columns] : [columns] }),
  };
}

const text = (shape: readonly Size[]): string =>
  `[B, ${shape.map((n, i) => n ?? (i === 0 ? 'T' : 'N')).join(', ')}]`;

/** How many states a layer carries: h, or h and c; of both directions. */
export function statesOf(config: ModelLayerConfig): number {
  if (config.layer === 'bidirectional') return 2 * statesOf(config.wrapped);
  return config.layer === 'lstm' ? 2 : config.layer === 'gru' || config.layer === 'simpleRNN' ? 1 : 0;
}

/** Units of a state. */
export function stateWidth(config: ModelLayerConfig): number {
  if (config.layer === 'bidirectional') return config.wrapped.units;
  return 'units' in config ? config.units : 0;
}

type Reader = Pick<ModelDescription['layers'][number], 'name' | 'config' | 'reads'>;

/** The recurrent layers that a mask reaches, whether they go by it or not. */
export function maskedLayers(model: { readonly layers: readonly Reader[] }): ReadonlySet<string> {
  const makers = maskMakers(model);
  return new Set(
    model.layers.flatMap(({ name, config }) => (makers.has(name) && statesOf(config) > 0 ? [name] : [])),
  );
}

/** Of every layer that a mask reaches the layer that makes it. */
export function maskMakers({ layers }: { readonly layers: readonly Reader[] }): ReadonlyMap<string, string> {
  const makers = new Map<string, string>();
  /** the maker of the mask that a layer passes on */ const passed = new Map<string, string>();
  for (const { name, config, reads } of layers) {
    const maker = reads.state === undefined ? passed.get(reads.of) : undefined;
    if (maker !== undefined) makers.set(name, maker);
    const ends = config.layer === 'repeatVector' || config.layer === 'flatten' || config.layer === 'lastStep';
    const steps =
      config.layer === 'bidirectional'
        ? config.wrapped.returnSequences
        : 'returnSequences' in config && config.returnSequences;
    if (config.layer === 'masking' || (config.layer === 'embedding' && config.maskZero === true))
      passed.set(name, name);
    else if (maker !== undefined && !ends && (statesOf(config) === 0 || steps === true))
      passed.set(name, maker);
  }
  return makers;
}
