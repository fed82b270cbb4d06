import { defineCell, type Cell } from '../../../harness/equations/cell';
import { gru, gruResetAfter, lstm, simpleRnn } from '../../../harness/equations/cells/index';

/** An LSTM whose gates see the cell state through a weight each (Gers & Schmidhuber 2000). */
export const peepholeLstm = defineCell({
  name: 'peephole LSTM',
  carries: ['h', 'c'],
  weights: {
    kernel: 'F, i f g o',
    recurrentKernel: 'U, i f g o',
    bias: 'i f g o',
    peepholes: 'i f o',
  },
  equations: `
    z_t = x_t · kernel + h_(t-1) · recurrentKernel + bias
    i_t = σ(z_t[i] + peepholes[i] ∘ c_(t-1))
    f_t = σ(z_t[f] + peepholes[f] ∘ c_(t-1))
    c_t = f_t ∘ c_(t-1) + i_t ∘ tanh(z_t[g])
    o_t = σ(z_t[o] + peepholes[o] ∘ c_t)
    h_t = o_t ∘ tanh(c_t)
  `,
});

/** Zhou et al. (2016), in the keyboard's spelling, with the weights' names of the paper. */
export const minimalGatedUnit = defineCell({
  name: 'minimal gated unit',
  carries: ['h'],
  weights: { W_f: 'F, U', U_f: 'U, U', b_f: 'U', W_h: 'F, U', U_h: 'U, U', b_h: 'U' },
  equations: `
    f_t = sigmoid(x_t @ W_f + h_{t-1} @ U_f + b_f)
    n_t = tanh(x_t @ W_h + (f_t * h_{t-1}) @ U_h + b_h)
    h_t = (1 - f_t) * h_{t-1} + f_t * n_t
  `,
});

/** A cell that nobody had in mind: a tied matrix read both ways, a leak, a momentum, a constant, a difference, a gated input. */
export const oddCell = defineCell({
  name: 'odd cell',
  carries: ['y', 'm'],
  weights: { G: 'F, F', W: 'F, U', R: 'U, U', leak: 'U', b: 'a b' },
  equations: `
    p_t = hardSigmoid(x_t · G) ∘ x_t          # the input gates itself
    s_t = p_t · W - y_(t-1) · R + b[a]
    m_t = 0.75 ∘ m_(t-1) - leak ∘ (s_t - y_(t-1)) ∘ σ(b[b] - s_t)
    y_t = y_(t-1) + σ(m_t · Rᵀ) ∘ (relu(m_t) - y_(t-1))
  `,
});

/** Every cell of the library, with its variants, and cells that only tests know. */
export const testedCells: Readonly<Record<string, Cell>> = {
  'simple RNN': simpleRnn(),
  'simple RNN, relu': simpleRnn({ activation: 'relu' }),
  'simple RNN, linear': simpleRnn({ activation: 'linear' }),
  LSTM: lstm(),
  'LSTM, hard sigmoid': lstm({ recurrentActivation: 'hardSigmoid' }),
  'LSTM, relu': lstm({ activation: 'relu' }),
  GRU: gru(),
  'GRU, hard sigmoid of Keras 3': gru({ recurrentActivation: 'hardSigmoid6' }),
  'GRU, reset after': gruResetAfter(),
  'peephole LSTM': peepholeLstm,
  'minimal gated unit': minimalGatedUnit,
  'odd cell': oddCell,
};
