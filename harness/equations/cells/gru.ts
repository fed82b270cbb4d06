import { defineCell, type Cell } from '../cell';

/** Cho et al. (2014), as Keras's GRU with reset_after=False and TensorFlow.js's GRU; blocks in Keras's order z r h. */
export function gru({ activation = 'tanh', recurrentActivation = 'σ' } = {}): Cell {
  const [f, s] = [activation, recurrentActivation];
  return defineCell({
    name: 'GRU',
    carries: ['h'],
    weights: { kernel: 'F, z r h', recurrentKernel: 'U, z r h', bias: 'z r h' },
    equations: `
      z_t[z r] = x_t · kernel[z r] + h_(t-1) · recurrentKernel[z r] + bias[z r]
      z_t[h] = x_t · kernel[h] + (${s}(z_t[r]) ∘ h_(t-1)) · recurrentKernel[h] + bias[h]
      h_t = ${s}(z_t[z]) ∘ h_(t-1) + (1 - ${s}(z_t[z])) ∘ ${f}(z_t[h])
    `,
  });
}

/** The GRU of cuDNN, PyTorch and Keras with reset_after=True: the reset gate acts on the product with the state, with a bias of its own. */
export function gruResetAfter({ activation = 'tanh', recurrentActivation = 'σ' } = {}): Cell {
  const [f, s] = [activation, recurrentActivation];
  return defineCell({
    name: 'GRU, reset after',
    carries: ['h'],
    weights: {
      kernel: 'F, z r h',
      recurrentKernel: 'U, z r h',
      bias: 'z r h',
      recurrentBias: 'z r h',
    },
    equations: `
      z_t[z r] = x_t · kernel[z r] + bias[z r] + h_(t-1) · recurrentKernel[z r] + recurrentBias[z r]
      m_t = h_(t-1) · recurrentKernel[h] + recurrentBias[h]
      z_t[h] = x_t · kernel[h] + bias[h] + ${s}(z_t[r]) ∘ m_t
      h_t = ${s}(z_t[z]) ∘ h_(t-1) + (1 - ${s}(z_t[z])) ∘ ${f}(z_t[h])
    `,
  });
}
