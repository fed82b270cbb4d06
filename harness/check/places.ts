import type { Tensor } from '../../scratch/index';
import type { ModelLayerConfig } from '../models/index';

/** Of a layer that moves numbers and computes none: its output, and the place in the input that each of its numbers is from. */
export interface Places {
  readonly shape: readonly number[];
  readonly from: (i: number) => number;
}

/** @returns undefined for a layer that computes */
export function placesOf(config: ModelLayerConfig, [batch, ...sizes]: readonly number[]): Places | undefined {
  const width = sizes[sizes.length - 1];
  const row = sizes.reduce((a, b) => a * b, 1);
  switch (config.layer) {
    case 'masking': // `masked` sets the numbers of masked steps to zero
    case 'identity':
      return { shape: [batch, ...sizes], from: (i) => i };
    case 'flatten':
      return { shape: [batch, row], from: (i) => i };
    case 'lastStep':
      return {
        shape: [batch, width],
        from: (i) => (Math.floor(i / width) + 1) * row - width + (i % width),
      };
    case 'repeatVector': {
      const { times } = config;
      return {
        shape: [batch, times, width],
        from: (i) => Math.floor(i / (times * width)) * width + (i % width),
      };
    }
    default:
      return undefined;
  }
}

/** What the layer gives. */
export const taken = (data: Float64Array, { shape, from }: Places): Tensor => ({
  shape,
  data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => data[from(i)]),
});

/** What it sends back: the sum at every place of the input. */
export function sentTo(gradient: Float64Array, { from }: Places, { data, shape }: Tensor): Tensor {
  const out = new Float64Array(data.length);
  gradient.forEach((d, i) => (out[from(i)] += d));
  return { data: out, shape };
}
