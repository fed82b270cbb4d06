import { defineCell, type Cell } from '../cell';

/** Elman's network (1990), as Keras's SimpleRNN. */
export function simpleRnn({ activation = 'tanh' } = {}): Cell {
  return defineCell({
    name: 'simple RNN',
    carries: ['h'],
    weights: { kernel: 'F, U', recurrentKernel: 'U, U', bias: 'U' },
    equations: `
      z_t = x_t · kernel + h_(t-1) · recurrentKernel + bias
      h_t = ${activation}(z_t)
    `,
  });
}
