import type { Activation } from './activations';
import { blocks, plus, sumOfProducts, times, timesTransposed, transposedOnce, type Cell } from './cell';

/**
 * The LSTM cell (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000). The columns lie in the order
 * i f o | g, so that one σ serves the three gates; Keras's order is i f g o, and calls g, the candidate, c.
 *
 *     z_t   = x_t kernel + bias + h_{t-1} recurrentKernel
 *     i f o = σ(z_t[i f o])     g = φ(z_t[g])
 *     c_t   = f ∘ c_{t-1} + i ∘ g
 *     h_t   = o ∘ φ(c_t)
 *
 * backward:
 *
 *     dc_t        += dh_t ∘ o ∘ φ'(c_t)
 *     dz_t[i f o]  = [dc_t ∘ g, dc_t ∘ c_{t-1}, dh_t ∘ φ(c_t)] ∘ σ'(z_t[i f o])
 *     dz_t[g]      = dc_t ∘ i ∘ φ'(z_t[g])
 *     dc_{t-1}     = dc_t ∘ f
 *     dh_{t-1}     = dz_t recurrentKernelᵀ
 *     dRecurrentKernel = Σ_t h_{t-1}ᵀ dz_t
 */
export function lstmCell(φ: Activation, σ: Activation): Cell {
  return {
    states: ['h', 'c'],
    gateOrder: [0, 1, 3, 2],
    parts: [4],
    keeps: [
      ...['gates', 'candidate', 'activatedC'],
      ...(φ.readsInput ? ['candidateZ'] : []),
      ...(σ.readsInput ? ['gatesZ'] : []),
    ],
    rows: { z: 4 },

    constants: (g, { recurrentKernel, large }) => ({
      forward: { recurrentKernel },
      backward: transposedOnce(g, 'recurrentKernel', recurrentKernel, large),
    }),

    forward(g, { x: [x], before: { h, c: cBefore }, units }, { recurrentKernel }) {
      const z = plus(g, x, times(g, h, recurrentKernel));
      const [gatesZ, candidateZ] = blocks(g, z, [3, 1], units);
      const gates = σ.forward(g, gatesZ);
      const candidate = φ.forward(g, candidateZ);
      const [i, f, o] = g.split(gates, 3, 1);
      const c = plus(g, g.mul(i, candidate), cBefore && g.mul(f, cBefore));
      const activatedC = φ.forward(g, c);
      return {
        after: { h: g.mul(o, activatedC), c },
        kept: { gates, candidate, activatedC, gatesZ, candidateZ },
      };
    },

    backward(g, { h: dh, c: dcAfter }, { before, after, kept }, constants) {
      const { gates, candidate, activatedC } = kept;
      const [i, f, o] = g.split(gates, 3, 1);
      const dc = plus(g, φ.backward(g, activatedC, g.mul(dh, o), after.c), dcAfter);
      const dForget = before.c ? g.mul(dc, before.c) : g.zerosLike(dc);
      const dGates = g.concat([g.mul(dc, candidate), dForget, g.mul(dh, activatedC)], 1);
      const z = g.concat(
        [
          σ.backward(g, gates, dGates, kept['gatesZ']),
          φ.backward(g, candidate, g.mul(dc, i), kept['candidateZ']),
        ],
        1,
      );
      return {
        dBefore: { h: timesTransposed(g, z, constants, 'recurrentKernel'), c: g.mul(dc, f) },
        rows: { z },
      };
    },

    gradients: (g, { rows: { z }, before }) => ({
      parts: [z],
      recurrentKernel: sumOfProducts(g, before, z),
    }),
  };
}
