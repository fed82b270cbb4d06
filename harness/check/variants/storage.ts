import type { ModelLayer } from '../../models/index';
import type { Variant } from './variant';

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
