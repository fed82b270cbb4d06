import type { Cell } from './cell';

/**
 * The LSTM cell (Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000), φ the activation,
 * σ the recurrent one, blocks i f c o:
 *
 *     z_t = [x_t, 1] · [kernel; bias] + h_{t-1} · recurrentKernel
 *     i = σ(z_t[i])      f = σ(z_t[f])      g = φ(z_t[c])      o = σ(z_t[o])
 *     c_t = f ∘ c_{t-1} + i ∘ g
 *     h_t = o ∘ φ(c_t)
 *
 * backward, where dc_t stands for all that arrives at c_t:
 *
 *     dc_t    += (dh_t ∘ o) ∘ φ'(c_t)
 *     dz_t[i]  = (dc_t ∘ g) ∘ σ'(z_t[i])              dz_t[f] = (dc_t ∘ c_{t-1}) ∘ σ'(z_t[f])
 *     dz_t[c]  = (dc_t ∘ i) ∘ φ'(z_t[c])              dz_t[o] = (dh_t ∘ φ(c_t)) ∘ σ'(z_t[o])
 *     dc_{t-1} = dc_t ∘ f
 *     dh_{t-1} = dz_t · recurrentKernelᵀ              dRecurrentKernel = Σ_t h_{t-1}ᵀ · dz_t
 */
export const lstmCell: Cell = {
  gates: 4,
  carries: 2,
  atWork({ kernel, recurrentKernel }, tools, backward) {
    const { kernels, products, activation: φ, recurrentActivation: σ } = tools;
    const { add, matMul, multiply, sideBySide, transpose } = kernels;
    const [K, R] = [products.weights(kernel, 4), products.weights(recurrentKernel, 4)];
    const transposed = backward ? transpose(recurrentKernel) : undefined;
    return {
      forward(x, [hBefore, cBefore], fromZero) {
        const fromInput = K.product(x);
        const z = products.gates(fromZero ? fromInput : products.add(fromInput, R.product(hBefore)), 4);
        const [i, f, g, o] = [σ.forward(z[0]), σ.forward(z[1]), φ.forward(z[2]), σ.forward(z[3])];
        const taken = multiply(i.y, g.y);
        const c = fromZero ? taken : add(multiply(f.y, cBefore), taken);
        const shown = φ.forward(c);
        return { after: [multiply(o.y, shown.y), c], kept: { activated: [i, f, g, o, shown], tensors: [] } };
      },
      backward({ activated: [i, f, g, o, shown] }, [hBefore, cBefore], [dh, dcAfter], toBefore) {
        const dcShown = φ.backward(multiply(dh, o.y), shown);
        const dc = dcAfter === undefined ? dcShown : add(dcAfter, dcShown);
        const dz = sideBySide([
          σ.backward(multiply(dc, g.y), i),
          σ.backward(multiply(dc, cBefore), f),
          φ.backward(multiply(dc, i.y), g),
          σ.backward(multiply(dh, shown.y), o),
        ]);
        return {
          dz,
          dBefore: toBefore ? [matMul(dz, transposed!), multiply(dc, f.y)] : undefined,
          recurrent: [[hBefore, dz]],
        };
      },
    };
  },
};
