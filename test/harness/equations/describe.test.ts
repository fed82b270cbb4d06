import { expect } from 'chai';
import { describeCell, gru, lstm } from '../../../harness/equations/index';
import { oddCell } from './cells';

describe('a cell in words', () => {
  it('shows the LSTM: forward, and the backward step that every textbook has', () => {
    const text = describeCell(lstm());
    for (const line of [
      'z_t = x_t · kernel + h_(t-1) · recurrentKernel + bias',
      'c_t = σ(z_t[f]) ∘ c_(t-1) + σ(z_t[i]) ∘ tanh(z_t[c])',
      'h_t = σ(z_t[o]) ∘ tanh(c_t)',
      'dc_t = in_c_t + dh_t ∘ σ(z_t[o]) ∘ tanh′[tanh(c_t)]',
      'dz_t[o] = dh_t ∘ tanh(c_t) ∘ σ′[σ(z_t[o])]',
      'dz_t[f] = dc_t ∘ c_(t-1) ∘ σ′[σ(z_t[f])]',
      'dz_t[i] = dc_t ∘ tanh(z_t[c]) ∘ σ′[σ(z_t[i])]',
      'dz_t[c] = dc_t ∘ σ(z_t[i]) ∘ tanh′[tanh(z_t[c])]',
      'to h_(t-1): dz_t · recurrentKernelᵀ',
      'to c_(t-1): dc_t ∘ σ(z_t[f])',
      'to x_t: dz_t · kernelᵀ',
      'dkernel += Σ_t x_tᵀ · dz_t',
      'drecurrentKernel += Σ_t h_(t-1)ᵀ · dz_t',
      'dbias += Σ_t dz_t',
      'tanh′[y] = 1 - y², where y = tanh(z)',
      'kernel           [F, 4 x U (i f c o)]',
      'c_T: the final state; c_t: the final state of the first t steps alone',
    ])
      expect(text.split('\n').map((one) => one.trim())).to.include(line);
    expect(text).to.match(/dz_t at every step: dL\/dx of additional inputs/);
  });

  it('shows what of a cell can be seen: gates by parts, or no inner gradient where x_t is used otherwise', () => {
    expect(describeCell(gru())).to.match(
      /dz_t\[h\], dz_t\[z r\] at every step: .* rows of kernel that are the identity/,
    );
    expect(describeCell(oddCell)).to.match(/no inner gradient: x_t is used otherwise/);
  });
});
