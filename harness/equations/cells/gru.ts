import { defineCell, type Cell } from '../cell';

/** Cho et al. (2014), as Keras's GRU with reset_after=False and TensorFlow.js's GRU; blocks in Keras's order z r n. */
export function gru({ activation = 'tanh', recurrentActivation = 'σ' } = {}): Cell {
  const [f, s] = [activation, recurrentActivation];
  return defineCell({
    name: 'GRU',
    carries: ['h'],
    weights: { kernel: 'F, z r n', recurrentKernel: 'U, z r n', bias: 'z r n' },
    equations: `
      a_t[z r] = x_t · kernel[z r] + h_(t-1) · recurrentKernel[z r] + bias[z r]
      a_t[n] = x_t · kernel[n] + (${s}(a_t[r]) ∘ h_(t-1)) · recurrentKernel[n] + bias[n]
      h_t = ${s}(a_t[z]) ∘ h_(t-1) + (1 - ${s}(a_t[z])) ∘ ${f}(a_t[n])
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
      kernel: 'F, z r n',
      recurrentKernel: 'U, z r n',
      bias: 'z r n',
      recurrentBias: 'z r n',
    },
    equations: `
      a_t[z r] = x_t · kernel[z r] + bias[z r] + h_(t-1) · recurrentKernel[z r] + recurrentBias[z r]
      q_t = h_(t-1) · recurrentKernel[n] + recurrentBias[n]
      a_t[n] = x_t · kernel[n] + bias[n] + ${s}(a_t[r]) ∘ q_t
      h_t = ${s}(a_t[z]) ∘ h_(t-1) + (1 - ${s}(a_t[z])) ∘ ${f}(a_t[n])
    `,
  });
}
