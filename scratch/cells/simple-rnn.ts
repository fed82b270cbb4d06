import { multiply, multiplyByTranspose, transposedMultiplyAccumulate } from '../kernels';
import type { Activation } from './activations';
import type { Cell } from './cell';

/**
 * The simple recurrent cell (Elman 1990), with any activation φ.
 *
 *     z_t = x_t · kernel + bias + h_{t-1} · recurrentKernel
 *     h_t = φ(z_t)
 *
 * backward:
 *
 *     dz_t             = dh_t ∘ φ'(z_t)
 *     dh_{t-1}        += dz_t · recurrentKernelᵀ
 *     dRecurrentKernel = Σ_t h_{t-1}ᵀ · dz_t
 */
export function simpleRnnCell(activation: Activation): Cell {
  return {
    gates: ['h'],
    carries: ['h'],
    keeps: {},

    forward({ rows, units, z, hBefore, h }, { recurrentKernel }, fromZeros) {
      // z_t += h_{t-1} · recurrentKernel
      if (!fromZeros) multiply(hBefore, 0, recurrentKernel, z, 0, rows, units, units);
      // h_t = φ(z_t)
      activation.apply(z, h, 0, h.length);
    },

    backward({ rows, units, z, dz, h, dh, dhBefore }, { recurrentKernel }, toBefore) {
      // dz_t = dh_t ∘ φ'(z_t)
      for (let n = 0; n < dz.length; n++) dz[n] = dh[n] * activation.slope(h[n], z[n]);
      // dh_{t-1} += dz_t · recurrentKernelᵀ
      if (toBefore) multiplyByTranspose(dz, 0, recurrentKernel, dhBefore, 0, rows, units, units);
    },

    recurrentGradients({ rows, units, dz, hBefore }, { recurrentKernel: dRecurrentKernel }) {
      // dRecurrentKernel += Σ_t h_{t-1}ᵀ · dz_t
      transposedMultiplyAccumulate(hBefore, 0, dz, 0, dRecurrentKernel, units, rows, units);
    },
  };
}
