import type * as Tf from '@tensorflow/tfjs';
import type { Activated } from './activations';
import type { Cell, CellTools } from './cell';

/**
 * The GRU cell (Cho et al. 2014), the reset before the matrix, φ the activation, σ the recurrent one, blocks z r h:
 *
 *     a_t = [x_t, 1] · [kernel; bias]
 *     z = σ(a_t[z] + h_{t-1} · recurrentKernel[z])          r = σ(a_t[r] + h_{t-1} · recurrentKernel[r])
 *     g = φ(a_t[h] + (r ∘ h_{t-1}) · recurrentKernel[h])
 *     h_t = z ∘ h_{t-1} + (1 - z) ∘ g
 *
 * backward, da for the gradient of what φ and σ are taken of:
 *
 *     da[h]    = (dh_t ∘ (1 - z)) ∘ φ'                      da[z] = (dh_t ∘ (h_{t-1} - g)) ∘ σ'
 *     dq       = da[h] · recurrentKernel[h]ᵀ                da[r] = (dq ∘ h_{t-1}) ∘ σ'          q = r ∘ h_{t-1}
 *     dh_{t-1} = dh_t ∘ z + dq ∘ r + da[z r] · recurrentKernel[z r]ᵀ
 *     dRecurrentKernel[z r] = Σ_t h_{t-1}ᵀ · da[z r]        dRecurrentKernel[h] = Σ_t qᵀ · da[h]
 */
export const gruCell: Cell = {
  gates: 3,
  carries: 1,
  atWork({ kernel, recurrentKernel }, tools, backward) {
    const { kernels, products, activation: φ, recurrentActivation: σ } = tools;
    const { add, matMul, multiply, sideBySide, split, transpose } = kernels;
    const units = recurrentKernel.shape[0];
    const [ofGates, ofCandidate] = split(recurrentKernel, [2 * units, units]);
    const [K, R] = [products.weights(kernel, 3), products.weights(ofGates, 2)];
    const backGates = backward ? transpose(ofGates) : undefined;
    const backCandidate = backward ? transpose(ofCandidate) : undefined;
    const blend = blending(tools);
    return {
      forward(x, [hBefore]) {
        const a = products.gates(K.product(x), 3);
        const fromState = products.gates(R.product(hBefore), 2);
        const z = σ.forward(add(a[0], fromState[0]));
        const r = σ.forward(add(a[1], fromState[1]));
        const q = multiply(r.y, hBefore);
        const g = φ.forward(add(a[2], matMul(q, ofCandidate)));
        const { h, keep } = blend.forward(z, g, hBefore);
        return { after: [h], kept: { activated: [z, r, g], tensors: [keep, q] } };
      },
      backward({ activated: [z, r, g], tensors: [keep, q] }, [hBefore], [dh], toBefore) {
        const { dz, dg, dBefore } = blend.backward(dh, z, g, keep, hBefore);
        const dq = matMul(dg, backCandidate!);
        const dGates = sideBySide([dz, σ.backward(multiply(dq, hBefore), r)]);
        return {
          dz: sideBySide([dGates, dg]),
          dBefore: toBefore ? [add(add(dBefore, multiply(dq, r.y)), matMul(dGates, backGates!))] : undefined,
          recurrent: [
            [hBefore, dGates],
            [q, dg],
          ],
        };
      },
    };
  },
};

/**
 * The GRU cell whose reset acts after the matrix (cuDNN, PyTorch, Keras's default), with or without a second bias:
 *
 *     a_t = [x_t, 1] · [kernel; bias]                       m_t = h_{t-1} · recurrentKernel (+ recurrentBias)
 *     z = σ(a_t[z] + m_t[z])                                r = σ(a_t[r] + m_t[r])
 *     g = φ(a_t[h] + r ∘ m_t[h])
 *     h_t = z ∘ h_{t-1} + (1 - z) ∘ g
 *
 * backward:
 *
 *     da[h]    = (dh_t ∘ (1 - z)) ∘ φ'                      da[z] = (dh_t ∘ (h_{t-1} - g)) ∘ σ'
 *     da[r]    = (da[h] ∘ m_t[h]) ∘ σ'                      dm = da, but dm[h] = da[h] ∘ r
 *     dh_{t-1} = dh_t ∘ z + dm · recurrentKernelᵀ
 *     dRecurrentKernel = Σ_t h_{t-1}ᵀ · dm                  dRecurrentBias = Σ_t Σ_b dm
 */
export const gruResetAfterCell: Cell = {
  gates: 3,
  carries: 1,
  atWork({ kernel, recurrentKernel, recurrentBias }, tools, backward) {
    const { kernels, products, activation: φ, recurrentActivation: σ } = tools;
    const { add, matMul, multiply, sideBySide, split, transpose } = kernels;
    const units = recurrentKernel.shape[0];
    const [K, R] = [products.weights(kernel, 3), products.weights(recurrentKernel, 3)];
    const biases = recurrentBias && split(recurrentBias, [units, units, units]);
    const transposed = backward ? transpose(recurrentKernel) : undefined;
    const blend = blending(tools);
    return {
      forward(x, [hBefore]) {
        const a = products.gates(K.product(x), 3);
        const product = products.gates(R.product(hBefore), 3);
        const m = biases ? product.map((block, i) => add(block, biases[i])) : product;
        const z = σ.forward(add(a[0], m[0]));
        const r = σ.forward(add(a[1], m[1]));
        const g = φ.forward(add(a[2], multiply(r.y, m[2])));
        const { h, keep } = blend.forward(z, g, hBefore);
        return { after: [h], kept: { activated: [z, r, g], tensors: [keep, m[2]] } };
      },
      backward({ activated: [z, r, g], tensors: [keep, m] }, [hBefore], [dh], toBefore) {
        const { dz, dg, dBefore } = blend.backward(dh, z, g, keep, hBefore);
        const dGates = sideBySide([dz, σ.backward(multiply(dg, m), r)]);
        const dm = sideBySide([dGates, multiply(dg, r.y)]);
        return {
          dz: sideBySide([dGates, dg]),
          dBefore: toBefore ? [add(dBefore, matMul(dm, transposed!))] : undefined,
          recurrent: [[hBefore, dm]],
        };
      },
    };
  },
};

/** h_t = z ∘ h_{t-1} + (1 - z) ∘ g, the end of a step of both cells, and the way back through it. */
function blending({ tf, kernels, activation: φ, recurrentActivation: σ }: CellTools) {
  const { add, multiply, subtract } = kernels;
  const one = tf.scalar(1);
  return {
    forward(z: Activated, g: Activated, hBefore: Tf.Tensor) {
      const keep = subtract(one, z.y);
      return { h: add(multiply(z.y, hBefore), multiply(keep, g.y)), keep };
    },
    /** dz and dg: of what σ and φ are taken of; dBefore: what h_{t-1} gets by being kept */
    backward(dh: Tf.Tensor, z: Activated, g: Activated, keep: Tf.Tensor, hBefore: Tf.Tensor) {
      return {
        dg: φ.backward(multiply(dh, keep), g),
        dz: σ.backward(multiply(dh, subtract(hBefore, g.y)), z),
        dBefore: multiply(dh, z.y),
      };
    },
  };
}
