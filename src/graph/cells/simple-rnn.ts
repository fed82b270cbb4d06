import type { Activation } from './activations';
import { plus, sumOfProducts, times, timesTransposed, transposedOnce, type Cell } from './cell';

/**
 * The simple recurrent cell (Elman 1990), with any activation φ.
 *
 *     z_t = x_t kernel + bias + h_{t-1} recurrentKernel
 *     h_t = φ(z_t)
 *
 * backward (Werbos 1990):
 *
 *     dz_t             = dh_t ∘ φ'(z_t)
 *     dh_{t-1}         = dz_t recurrentKernelᵀ
 *     dRecurrentKernel = Σ_t h_{t-1}ᵀ dz_t
 */
export function simpleRnnCell(φ: Activation): Cell {
  return {
    states: ['h'],
    gateOrder: [0],
    parts: [1],
    keeps: φ.readsInput ? ['z'] : [],
    rows: { z: 1 },

    constants: (g, { recurrentKernel, large }) => ({
      forward: { recurrentKernel },
      backward: transposedOnce(g, 'recurrentKernel', recurrentKernel, large),
    }),

    forward(g, { x: [x], before: { h } }, { recurrentKernel }) {
      const z = plus(g, x, times(g, h, recurrentKernel));
      return { after: { h: φ.forward(g, z) }, kept: { z } };
    },

    backward(g, { h: dh }, { after: { h }, kept }, constants) {
      const z = φ.backward(g, h as NonNullable<typeof h>, dh, kept['z']);
      return { dBefore: { h: timesTransposed(g, z, constants, 'recurrentKernel') }, rows: { z } };
    },

    gradients: (g, { rows: { z }, before }) => ({
      parts: [z],
      recurrentKernel: sumOfProducts(g, before, z),
    }),
  };
}
