import { multiply, multiplyByTranspose, transposedMultiplyAccumulate } from '../kernels';
import type { Activation } from './activations';
import type { Cell } from './cell';

/**
 * The LSTM cell (Hochreiter & Schmidhuber 1997; the forget gate: Gers, Schmidhuber & Cummins 2000).
 * φ is the activation, σ the recurrent activation; z_t[f] is the block of columns of gate f.
 *
 *     z_t = x_t · kernel + bias + h_{t-1} · recurrentKernel          four blocks: i f c o
 *     i = σ(z_t[i])    f = σ(z_t[f])    c~ = φ(z_t[c])    o = σ(z_t[o])
 *     c_t = f ∘ c_{t-1} + i ∘ c~
 *     h_t = o ∘ φ(c_t)
 *
 * backward:
 *
 *     dc_t     += dh_t ∘ o ∘ φ'(c_t)                 c_t is used twice: by h_t, and by step t + 1 (already in dc_t)
 *     dz_t[i]   = dc_t ∘ c~      ∘ σ'(z_t[i])
 *     dz_t[f]   = dc_t ∘ c_{t-1} ∘ σ'(z_t[f])
 *     dz_t[c]   = dc_t ∘ i       ∘ φ'(z_t[c])
 *     dz_t[o]   = dh_t ∘ φ(c_t)  ∘ σ'(z_t[o])
 *     dc_{t-1} += dc_t ∘ f                           the carry that neither a matrix nor a slope touches
 *     dh_{t-1} += dz_t · recurrentKernelᵀ
 *     dRecurrentKernel = Σ_t h_{t-1}ᵀ · dz_t
 */
export function lstmCell(φ: Activation, σ: Activation): Cell<'gates' | 'activatedC'> {
  return {
    gates: ['i', 'f', 'c', 'o'],
    carries: ['h', 'c'],
    keeps: { gates: 4, activatedC: 1 },

    forward(
      { rows, units: U, z, gates, hBefore, h, cBefore, c, activatedC },
      { recurrentKernel },
      fromZeros,
    ) {
      // z_t += h_{t-1} · recurrentKernel
      if (!fromZeros) multiply(hBefore, 0, recurrentKernel, z, 0, rows, U, 4 * U);
      // i, f, c~, o
      for (let row = 0; row < gates.length; row += 4 * U) {
        σ.apply(z, gates, row, row + 2 * U);
        φ.apply(z, gates, row + 2 * U, row + 3 * U);
        σ.apply(z, gates, row + 3 * U, row + 4 * U);
      }
      // c_t = f ∘ c_{t-1} + i ∘ c~
      for (let b = 0, n = 0; b < rows; b++) {
        for (let i = b * 4 * U; i < b * 4 * U + U; i++, n++) {
          const f = i + U;
          const g = i + 2 * U; // the candidate c~
          c[n] = gates[f] * cBefore[n] + gates[i] * gates[g];
        }
      }
      // h_t = o ∘ φ(c_t)
      φ.apply(c, activatedC, 0, c.length);
      for (let b = 0, n = 0; b < rows; b++) {
        for (let o = b * 4 * U + 3 * U; o < (b + 1) * 4 * U; o++, n++) h[n] = gates[o] * activatedC[n];
      }
    },

    backward(step, { recurrentKernel }, toBefore) {
      const { rows, units: U, z, dz, gates, dh, dhBefore, cBefore, c, dc, dcBefore, activatedC } = step;
      for (let b = 0, n = 0; b < rows; b++) {
        for (let i = b * 4 * U; i < b * 4 * U + U; i++, n++) {
          const f = i + U;
          const g = i + 2 * U; // the candidate c~
          const o = i + 3 * U;
          // dc_t += dh_t ∘ o ∘ φ'(c_t)
          dc[n] += dh[n] * gates[o] * φ.slope(activatedC[n], c[n]);
          // dz_t
          dz[i] = dc[n] * gates[g] * σ.slope(gates[i], z[i]);
          dz[f] = dc[n] * cBefore[n] * σ.slope(gates[f], z[f]);
          dz[g] = dc[n] * gates[i] * φ.slope(gates[g], z[g]);
          dz[o] = dh[n] * activatedC[n] * σ.slope(gates[o], z[o]);
          // dc_{t-1} += dc_t ∘ f
          dcBefore[n] += dc[n] * gates[f];
        }
      }
      // dh_{t-1} += dz_t · recurrentKernelᵀ
      if (toBefore) multiplyByTranspose(dz, 0, recurrentKernel, dhBefore, 0, rows, 4 * U, U);
    },

    recurrentGradients({ rows, units: U, dz, hBefore }, { recurrentKernel: dRecurrentKernel }) {
      // dRecurrentKernel += Σ_t h_{t-1}ᵀ · dz_t
      transposedMultiplyAccumulate(hBefore, 0, dz, 0, dRecurrentKernel, U, rows, 4 * U);
    },
  };
}
