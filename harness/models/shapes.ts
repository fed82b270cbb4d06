import { isLayerConfig, partsOfLayers } from '../base/model';
import { mapRecord } from '../base/process/index';
import type { ModelDescription, ModelLayerConfig, Size } from './description';

/** Weights that a layer needs, with their shapes by name in Keras's order; null where any size does. */
export type WeightShapes = Readonly<Record<string, readonly Size[]>>;

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
  const needs = (axes: number, text: string, fix: string): void => {
    if (input.length === axes) return;
    const shape = `[B, ${input.map((n, i) => n ?? (i === 0 ? 'T' : 'N')).join(', ')}]`;
    throw refuse(`reads ${text}, but what comes before it gives ${shape}; ${fix}`);
  };
  if (config.layer === 'embedding') needs(1, 'integers [B, T]', 'let it read an input');
  else if (config.layer === 'repeatVector')
    needs(1, '[B, N]', 'set return_sequences=False in the recurrent layer before it');
  else if (!['dense', 'flatten', 'batchNormalization', 'activation', 'identity'].includes(config.layer))
    needs(
      2,
      '[B, T, N]',
      'set return_sequences=True in the recurrent layer before it, or add a RepeatVector',
    );
  if (isLayerConfig(config)) {
    const [{ weights, output }] = partsOfLayers({ layers: [config] });
    const steps = config.layer === 'embedding' ? input : input.slice(0, -1);
    return {
      output: output.hasTime ? [...steps, output.width] : [output.width],
      weights: mapRecord(weights, (axes) =>
        axes.map(({ counts, size }) => (counts === 'feature' ? width : size)),
      ),
    };
  }
  switch (config.layer) {
    case 'repeatVector':
      return { output: [config.times, width], weights: {} };
    case 'flatten': {
      const whole = input.reduce<Size>((all, n) => (all === null || n === null ? null : all * n), 1);
      return { output: [whole], weights: {} };
    }
    case 'lastStep':
      return { output: [width], weights: {} };
    case 'batchNormalization': {
      const { scale, center } = config;
      const names = [
        ...(scale ? ['gamma'] : []),
        ...(center ? ['beta'] : []),
        'movingMean',
        'movingVariance',
      ];
      return { output: input, weights: Object.fromEntries(names.map((name) => [name, [width]])) };
    }
    default:
      return { output: input, weights: {} };
  }
}

/** The states that a layer carries, with their units: h, or h and c; of both directions. */
export function statesOf(config: ModelLayerConfig): Readonly<Record<string, number>> {
  return isLayerConfig(config) ? partsOfLayers({ layers: [config] })[0].states : {};
}

/** How many states a layer carries. */
export const stateCount = (config: ModelLayerConfig): number => Object.keys(statesOf(config)).length;

/** Units of each state. */
export const stateWidth = (config: ModelLayerConfig): number => Object.values(statesOf(config))[0] ?? 0;

/** Whether a recurrent layer gives every step. */
export function givesSteps(config: ModelLayerConfig): boolean {
  const own = 'wrapped' in config ? config.wrapped : config;
  return 'returnSequences' in own && own.returnSequences;
}

/** Whether a mask that reaches a layer reaches the next one as well. */
export function passesMask(config: ModelLayerConfig): boolean {
  if (stateCount(config) > 0) return givesSteps(config);
  return !['repeatVector', 'flatten', 'lastStep'].includes(config.layer);
}

type Reader = Pick<ModelDescription['layers'][number], 'name' | 'config' | 'reads'>;

/** The recurrent layers that a mask reaches, whether they go by it or not. */
export function maskedLayers(model: { readonly layers: readonly Reader[] }): ReadonlySet<string> {
  const makers = maskMakers(model);
  const reached = model.layers.filter(({ name, config }) => makers.has(name) && stateCount(config) > 0);
  return new Set(reached.map(({ name }) => name));
}

/** Of every layer that a mask reaches the layer that makes it. */
export function maskMakers({ layers }: { readonly layers: readonly Reader[] }): ReadonlyMap<string, string> {
  const makers = new Map<string, string>();
  /** the maker of the mask that a layer passes on */ const passed = new Map<string, string>();
  for (const { name, config, reads } of layers) {
    const maker = reads.state === undefined ? passed.get(reads.of) : undefined;
    if (maker !== undefined) makers.set(name, maker);
    if (config.layer === 'masking' || (config.layer === 'embedding' && config.maskZero === true))
      passed.set(name, name);
    else if (maker !== undefined && passesMask(config)) passed.set(name, maker);
  }
  return makers;
}
