import { tanhOf } from '../tanh';

/** A function of each element, and its derivative. */
export interface Activation {
  /** y[i] = f(z[i]) for from <= i < to; y may be the array z */
  readonly apply: (z: Float64Array, y: Float64Array, from: number, to: number) => void;
  /** f'(z), from y = f(z) where that suffices */
  readonly slope: (y: number, z: number) => number;
}

/**
 * The activations by their names.
 *
 *     tanh                 tanh(z)                              slope 1 - y²
 *     sigmoid              1 / (1 + exp(-z))                    slope y (1 - y)
 *     hardSigmoid          0.2 z + 0.5, cut to [0, 1]           slope 0.2 where 0.2 z + 0.5 lies in [0, 1], else 0
 *     hardSigmoidKeras3    z / 6 + 0.5, cut to [0, 1]           slope 1/6 where z / 6 + 0.5 lies in [0, 1], else 0
 *     relu                 max(z, 0)                            slope 1 where z > 0, else 0
 *     linear               z                                    slope 1
 *
 * `hard_sigmoid` is the first of the two in Keras 2 and TensorFlow.js, and the second in Keras 3. Both libraries count
 * the edges, where y is 0 or 1 exactly, as part of the slope, and so does this table. It is flat for relu at z = 0.
 */
export const activations = {
  tanh: { apply: tanhOf, slope: (y) => (1 - y) * (1 + y) },
  sigmoid: {
    apply: (z, y, from, to) => {
      for (let i = from; i < to; i++) y[i] = 1 / (1 + Math.exp(-z[i]));
    },
    slope: (y) => y * (1 - y),
  },
  hardSigmoid: {
    apply: (z, y, from, to) => {
      for (let i = from; i < to; i++) y[i] = Math.max(0, Math.min(1, 0.2 * z[i] + 0.5));
    },
    slope: (_, z) => (inUnitInterval(0.2 * z + 0.5) ? 0.2 : 0),
  },
  hardSigmoidKeras3: {
    apply: (z, y, from, to) => {
      for (let i = from; i < to; i++) y[i] = Math.max(0, Math.min(1, z[i] / 6 + 0.5));
    },
    slope: (_, z) => (inUnitInterval(z / 6 + 0.5) ? 1 / 6 : 0),
  },
  relu: {
    apply: (z, y, from, to) => {
      for (let i = from; i < to; i++) y[i] = Math.max(0, z[i]);
    },
    slope: (y) => (y > 0 ? 1 : 0),
  },
  linear: {
    apply: (z, y, from, to) => {
      for (let i = from; i < to; i++) y[i] = z[i];
    },
    slope: () => 1,
  },
} as const satisfies Record<string, Activation>;

export type ActivationName = keyof typeof activations;

function inUnitInterval(y: number): boolean {
  return y >= 0 && y <= 1;
}
