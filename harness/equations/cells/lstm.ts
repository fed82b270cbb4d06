import { defineCell, type Cell } from '../cell';

/** Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000), as Keras's LSTM; blocks in Keras's order i f c o. */
export function lstm({ activation = 'tanh', recurrentActivation = 'σ' } = {}): Cell {
  const [f, s] = [activation, recurrentActivation];
  return defineCell({
    name: 'LSTM',
    carries: ['h', 'c'],
    weights: { kernel: 'F, i f c o', recurrentKernel: 'U, i f c o', bias: 'i f c o' },
    equations: `
      z_t = x_t · kernel + h_(t-1) · recurrentKernel + bias
      c_t = ${s}(z_t[f]) ∘ c_(t-1) + ${s}(z_t[i]) ∘ ${f}(z_t[c])
      h_t = ${s}(z_t[o]) ∘ ${f}(c_t)
    `,
  });
}
