import type { DenseConfig } from '../../../scratch/index';
import { activations } from '../cells/index';
import type { GraphLayer } from './layer';

/**
 * Rows by a matrix, every time step alike:
 *
 *     z = x kernel + bias      y  = φ(z)
 *     dz = dy ∘ φ'(z)          dKernel = xᵀ dz     dBias = Σ dz     dx = dz kernelᵀ
 */
export function denseLayer({ activation = 'linear', useBias = true }: DenseConfig): GraphLayer {
  const φ = activations[activation];
  return (g, { kernel, bias }) =>
    (input) => {
      const product = g.matMul(input.rows, kernel);
      const z = useBias ? g.biasAdd(product, bias) : product;
      const y = φ.forward(g, z);
      return {
        output: { rows: y, hasTime: input.hasTime, mask: input.mask },
        finalStates: [],
        sequences: () => [],
        backward: ({ output }) => {
          const dz = φ.backward(g, y, output ?? g.zerosLike(y), z);
          return {
            weights: {
              kernel: g.matMul(input.rows, dz, { transposeA: true }),
              ...(useBias && { bias: g.biasAddGrad(dz) }),
            },
            input: g.matMul(dz, kernel, { transposeB: true }),
            initialStates: [],
          };
        },
      };
    };
}
