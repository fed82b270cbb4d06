import {
  addRows,
  multiply,
  multiplyBlock,
  multiplyBlockByTranspose,
  multiplyByTranspose,
  repeatRow,
  transposedMultiplyAccumulate,
  transposedMultiplyBlock,
} from '../kernels';
import type { Activation } from './activations';
import type { Cell, Step } from './cell';

/**
 * The GRU cell (Cho et al. 2014): the reset gate acts before the matrix. φ is the activation, σ the recurrent one.
 *
 *     z_t = x_t · kernel + bias                                       three blocks: z r h
 *     z_t[z] += h_{t-1} · recurrentKernel[z]        z = σ(z_t[z])     how much of the old state stays
 *     z_t[r] += h_{t-1} · recurrentKernel[r]        r = σ(z_t[r])     how much of it the candidate sees
 *     z_t[h] += (r ∘ h_{t-1}) · recurrentKernel[h]  h~ = φ(z_t[h])    the candidate
 *     h_t = z ∘ h_{t-1} + (1 - z) ∘ h~
 *
 * backward:
 *
 *     dz_t[h]   = dh_t ∘ (1 - z) ∘ φ'(z_t[h])
 *     dreset    = dz_t[h] · recurrentKernel[h]ᵀ                       what reaches r ∘ h_{t-1}
 *     dz_t[z]   = dh_t ∘ (h_{t-1} - h~) ∘ σ'(z_t[z])
 *     dz_t[r]   = dreset ∘ h_{t-1} ∘ σ'(z_t[r])
 *     dh_{t-1} += dh_t ∘ z + dreset ∘ r + dz_t[z r] · recurrentKernel[z r]ᵀ        h_{t-1} is used four times
 *     dRecurrentKernel[z r] = Σ_t h_{t-1}ᵀ       · dz_t[z r]
 *     dRecurrentKernel[h]   = Σ_t (r ∘ h_{t-1})ᵀ · dz_t[h]
 */
export function gruCell(φ: Activation, σ: Activation): Cell<'gates' | 'reset' | 'dreset'> {
  return {
    gates: ['z', 'r', 'h'],
    carries: ['h'],
    keeps: { gates: 3, reset: 1, dreset: 1 },

    forward({ rows, units: U, z: zs, gates, reset, hBefore, h }, { recurrentKernel }, fromZeros) {
      const row = 3 * U;
      // z_t[z r] += h_{t-1} · recurrentKernel[z r],  z and r
      if (!fromZeros) multiplyBlock(hBefore, recurrentKernel, zs, 0, 2 * U, row, rows, U);
      for (let at = 0; at < gates.length; at += row) σ.apply(zs, gates, at, at + 2 * U);
      // r ∘ h_{t-1}
      for (let b = 0, n = 0; b < rows; b++) {
        for (let r = b * row + U; r < b * row + 2 * U; r++, n++) reset[n] = gates[r] * hBefore[n];
      }
      // z_t[h] += (r ∘ h_{t-1}) · recurrentKernel[h]
      if (!fromZeros) multiplyBlock(reset, recurrentKernel, zs, 2 * U, U, row, rows, U);
      // h~ = φ(z_t[h]),  h_t = z ∘ h_{t-1} + (1 - z) ∘ h~
      blend(U, φ, zs, gates, hBefore, h);
    },

    backward(step, { recurrentKernel }, toBefore) {
      const { rows, units: U, z: zs, dz: dzs, gates, dreset, hBefore, dhBefore } = step;
      const row = 3 * U;
      // dz_t[h], dz_t[z], and dh_{t-1} += dh_t ∘ z
      blendBackward(U, φ, σ, step);
      // dreset = dz_t[h] · recurrentKernel[h]ᵀ
      dreset.fill(0);
      multiplyBlockByTranspose(dzs, recurrentKernel, dreset, 2 * U, U, row, rows, U);
      for (let b = 0, n = 0; b < rows; b++) {
        for (let r = b * row + U; r < b * row + 2 * U; r++, n++) {
          // dz_t[r] = dreset ∘ h_{t-1} ∘ σ'(z_t[r])
          dzs[r] = dreset[n] * hBefore[n] * σ.slope(gates[r], zs[r]);
          // dh_{t-1} += dreset ∘ r
          dhBefore[n] += dreset[n] * gates[r];
        }
      }
      // dh_{t-1} += dz_t[z r] · recurrentKernel[z r]ᵀ
      if (toBefore) multiplyBlockByTranspose(dzs, recurrentKernel, dhBefore, 0, 2 * U, row, rows, U);
    },

    recurrentGradients({ rows, units: U, dz, hBefore, reset }, { recurrentKernel: dRecurrentKernel }) {
      // dRecurrentKernel[z r] += Σ_t h_{t-1}ᵀ · dz_t[z r],  dRecurrentKernel[h] += Σ_t (r ∘ h_{t-1})ᵀ · dz_t[h]
      transposedMultiplyBlock(hBefore, dz, dRecurrentKernel, 0, 2 * U, 3 * U, U, rows);
      transposedMultiplyBlock(reset, dz, dRecurrentKernel, 2 * U, U, 3 * U, U, rows);
    },
  };
}

/**
 * The GRU cell whose reset gate acts after the matrix, with a bias of its own there (cuDNN, PyTorch, Keras's default):
 * one matrix product a step serves all three gates.
 *
 *     a_t = x_t · kernel + bias                                        three blocks: z r h
 *     m_t = h_{t-1} · recurrentKernel + recurrentBias
 *     z_t[z] = a_t[z] + m_t[z]          z = σ(z_t[z])
 *     z_t[r] = a_t[r] + m_t[r]          r = σ(z_t[r])
 *     z_t[h] = a_t[h] + r ∘ m_t[h]      h~ = φ(z_t[h])
 *     h_t = z ∘ h_{t-1} + (1 - z) ∘ h~
 *
 * backward:
 *
 *     dz_t[h]   = dh_t ∘ (1 - z) ∘ φ'(z_t[h])
 *     dz_t[z]   = dh_t ∘ (h_{t-1} - h~) ∘ σ'(z_t[z])
 *     dz_t[r]   = dz_t[h] ∘ m_t[h] ∘ σ'(z_t[r])
 *     dm_t      = dz_t, but dm_t[h] = dz_t[h] ∘ r
 *     dh_{t-1} += dh_t ∘ z + dm_t · recurrentKernelᵀ
 *     dRecurrentKernel = Σ_t h_{t-1}ᵀ · dm_t
 *     dRecurrentBias   = Σ_t Σ_b dm_t
 */
export function gruResetAfterCell(φ: Activation, σ: Activation): Cell<'gates' | 'm' | 'dm'> {
  return {
    gates: ['z', 'r', 'h'],
    carries: ['h'],
    keeps: { gates: 3, m: 3, dm: 3 },

    forward({ rows, units: U, z: zs, gates, m, hBefore, h }, { recurrentKernel, recurrentBias }, fromZeros) {
      // m_t = h_{t-1} · recurrentKernel + recurrentBias
      repeatRow(recurrentBias, rows, m, 0);
      if (!fromZeros) multiply(hBefore, 0, recurrentKernel, m, 0, rows, U, 3 * U);
      for (let at = 0; at < gates.length; at += 3 * U) {
        // z_t[z r] = a_t[z r] + m_t[z r],  z and r
        for (let i = at; i < at + 2 * U; i++) zs[i] += m[i];
        σ.apply(zs, gates, at, at + 2 * U);
        // z_t[h] = a_t[h] + r ∘ m_t[h]
        for (let i = at + 2 * U; i < at + 3 * U; i++) zs[i] += gates[i - U] * m[i];
      }
      // h~ = φ(z_t[h]),  h_t = z ∘ h_{t-1} + (1 - z) ∘ h~
      blend(U, φ, zs, gates, hBefore, h);
    },

    backward(step, { recurrentKernel }, toBefore) {
      const { rows, units: U, z: zs, dz: dzs, gates, m, dm, dhBefore } = step;
      // dz_t[h], dz_t[z], and dh_{t-1} += dh_t ∘ z
      blendBackward(U, φ, σ, step);
      for (let at = 0; at < gates.length; at += 3 * U) {
        for (let z = at; z < at + U; z++) {
          const [r, c] = [z + U, z + 2 * U]; // c: the candidate h~
          // dz_t[r] = dz_t[h] ∘ m_t[h] ∘ σ'(z_t[r])
          dzs[r] = dzs[c] * m[c] * σ.slope(gates[r], zs[r]);
          // dm_t = dz_t, but dm_t[h] = dz_t[h] ∘ r
          dm[z] = dzs[z];
          dm[r] = dzs[r];
          dm[c] = dzs[c] * gates[r];
        }
      }
      // dh_{t-1} += dm_t · recurrentKernelᵀ
      if (toBefore) multiplyByTranspose(dm, 0, recurrentKernel, dhBefore, 0, rows, 3 * U, U);
    },

    recurrentGradients({ rows, units: U, hBefore, dm }, gradients) {
      // dRecurrentKernel += Σ_t h_{t-1}ᵀ · dm_t,  dRecurrentBias += Σ_t Σ_b dm_t
      transposedMultiplyAccumulate(hBefore, 0, dm, 0, gradients.recurrentKernel, U, rows, 3 * U);
      addRows(dm, rows, gradients.recurrentBias);
    },
  };
}

/** h~ = φ(z_t[h]),  h_t = z ∘ h_{t-1} + (1 - z) ∘ h~: the end of a step of both cells; `gates` gets h~. */
function blend(
  U: number,
  φ: Activation,
  zs: Float64Array,
  gates: Float64Array,
  hBefore: Float64Array,
  h: Float64Array,
): void {
  for (let at = 0, n = 0; at < gates.length; at += 3 * U) {
    φ.apply(zs, gates, at + 2 * U, at + 3 * U);
    for (let z = at; z < at + U; z++, n++) {
      const c = z + 2 * U;
      h[n] = gates[z] * hBefore[n] + (1 - gates[z]) * gates[c];
    }
  }
}

/** The way back through `blend`: dz_t[h], dz_t[z], and what h_{t-1} gets by being kept. */
function blendBackward(
  U: number,
  φ: Activation,
  σ: Activation,
  { z: zs, dz: dzs, gates, hBefore, dh, dhBefore }: Step<'gates'>,
): void {
  for (let at = 0, n = 0; at < gates.length; at += 3 * U) {
    for (let z = at; z < at + U; z++, n++) {
      const c = z + 2 * U; // the candidate h~
      // dz_t[h] = dh_t ∘ (1 - z) ∘ φ'(z_t[h])
      dzs[c] = dh[n] * (1 - gates[z]) * φ.slope(gates[c], zs[c]);
      // dz_t[z] = dh_t ∘ (h_{t-1} - h~) ∘ σ'(z_t[z])
      dzs[z] = dh[n] * (hBefore[n] - gates[c]) * σ.slope(gates[z], zs[z]);
      // dh_{t-1} += dh_t ∘ z
      dhBefore[n] += dh[n] * gates[z];
    }
  }
}
