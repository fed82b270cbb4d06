import type { Cell } from './cell';

/**
 * The simple recurrent cell (Elman 1990), φ the activation:
 *
 *     z_t = [x_t, 1] · [kernel; bias] + h_{t-1} · recurrentKernel
 *     h_t = φ(z_t)
 *
 * backward:
 *
 *     dz_t     = dh_t ∘ φ'(z_t)
 *     dh_{t-1} = dz_t · recurrentKernelᵀ              dRecurrentKernel = Σ_t h_{t-1}ᵀ · dz_t
 */
export const simpleRnnCell: Cell = {
  gates: 1,
  carries: 1,
  atWork({ kernel, recurrentKernel }, { kernels, activation: φ }, backward) {
    const { add, matMul, transpose } = kernels;
    const transposed = backward ? transpose(recurrentKernel) : undefined;
    return {
      forward(x, [h], fromZero) {
        const fromInput = matMul(x, kernel);
        const z = fromZero ? fromInput : add(fromInput, matMul(h, recurrentKernel));
        const activated = φ.forward(z);
        return { after: [activated.y], kept: { activated: [activated], tensors: [] } };
      },
      backward({ activated: [activated] }, [hBefore], [dh], toBefore) {
        const dz = φ.backward(dh, activated);
        return {
          dz,
          dBefore: toBefore ? [matMul(dz, transposed!)] : undefined,
          recurrent: [[hBefore, dz]],
        };
      },
    };
  },
};
