import type { GraphTensor, Ops } from '../builder/index';
import type { Activation } from './activations';
import { blocks, plus, sumOfProducts, times, timesTransposed, transposedOnce, type Cell } from './cell';

// Both cells have Keras's columns z r | h: one σ serves the two gates. φ is the activation, σ the recurrent one, and g the
// candidate. x_t kernel + bias arrives as two products, so that no step cuts it.

/**
 * The GRU cell (Cho et al. 2014): the reset gate acts before the matrix.
 *
 *     z r = σ(x_t[z r] + h_{t-1} recurrentKernel[z r])
 *     q_t = r ∘ h_{t-1}
 *     g   = φ(x_t[h] + q_t recurrentKernel[h])
 *     h_t = z ∘ h_{t-1} + (1 - z) ∘ g
 *
 * backward:
 *
 *     dz_t[h]   = dh_t ∘ (1 - z) ∘ φ'
 *     dq_t      = dz_t[h] recurrentKernel[h]ᵀ
 *     dz_t[z r] = [dh_t ∘ (h_{t-1} - g), dq_t ∘ h_{t-1}] ∘ σ'
 *     dh_{t-1}  = dh_t ∘ z + dq_t ∘ r + dz_t[z r] recurrentKernel[z r]ᵀ
 *     dRecurrentKernel[z r] = Σ_t h_{t-1}ᵀ dz_t[z r]     dRecurrentKernel[h] = Σ_t q_tᵀ dz_t[h]
 */
export function gruCell(φ: Activation, σ: Activation): Cell {
  return {
    states: ['h'],
    gateOrder: [0, 1, 2],
    parts: [2, 1],
    keeps: keeps(φ, σ, 'q'),
    rows: { gates: 2, candidate: 1, q: 1 },

    constants(g, { recurrentKernel, units, large }) {
      const [gates, candidate] = blocks(g, recurrentKernel, [2, 1], units);
      return {
        forward: { gatesKernel: gates, candidateKernel: candidate },
        backward: {
          ...transposedOnce(g, 'gatesKernel', gates, large),
          ...transposedOnce(g, 'candidateKernel', candidate, large),
        },
      };
    },

    forward(g, { x: [xGates, xCandidate], before: { h } }, { gatesKernel, candidateKernel }) {
      const gatesZ = plus(g, xGates, times(g, h, gatesKernel));
      const gates = σ.forward(g, gatesZ);
      const [z, r] = g.split(gates, 2, 1);
      const q = h && g.mul(r, h);
      const candidateZ = plus(g, xCandidate, times(g, q, candidateKernel));
      const candidate = φ.forward(g, candidateZ);
      return {
        after: { h: blend(g, z, h, candidate) },
        kept: { gates, candidate, q: q ?? g.zerosLike(candidate), gatesZ, candidateZ },
      };
    },

    backward(g, { h: dh }, { before: { h }, kept }, constants) {
      const { gates, candidate, q } = kept;
      const [z, r] = g.split(gates, 2, 1);
      const dCandidate = φ.backward(g, candidate, g.mul(dh, rest(g, z)), kept['candidateZ']);
      const dq = timesTransposed(g, dCandidate, constants, 'candidateKernel');
      const dGates = σ.backward(
        g,
        gates,
        g.concat([dUpdateGate(g, dh, h, candidate), h ? g.mul(dq, h) : g.zerosLike(dq)], 1),
        kept['gatesZ'],
      );
      const direct = g.add(g.mul(dh, z), g.mul(dq, r));
      return {
        dBefore: { h: g.add(direct, timesTransposed(g, dGates, constants, 'gatesKernel')) },
        rows: { gates: dGates, candidate: dCandidate, q },
      };
    },

    gradients: (g, { rows: { gates, candidate, q }, before }) => ({
      parts: [gates, candidate],
      recurrentKernel: g.concat([sumOfProducts(g, before, gates), sumOfProducts(g, q, candidate)], 1),
    }),
  };
}

/**
 * The GRU cell whose reset gate acts after the matrix, with a bias of its own there or without (cuDNN, PyTorch, Keras's
 * default). The two biases of z and r are added up once, with those of the projection.
 *
 *     m_t = h_{t-1} recurrentKernel (+ recurrentBias[h] in the columns of h)
 *     z r = σ(x_t[z r] + m_t[z r])
 *     g   = φ(x_t[h] + r ∘ m_t[h])
 *     h_t = z ∘ h_{t-1} + (1 - z) ∘ g
 *
 * backward:
 *
 *     dz_t[h]   = dh_t ∘ (1 - z) ∘ φ'
 *     dm_t[h]   = dz_t[h] ∘ r
 *     dz_t[z r] = [dh_t ∘ (h_{t-1} - g), dz_t[h] ∘ m_t[h]] ∘ σ' = dm_t[z r]
 *     dh_{t-1}  = dh_t ∘ z + dm_t recurrentKernelᵀ
 *     dRecurrentKernel = Σ_t h_{t-1}ᵀ dm_t     dRecurrentBias = Σ_t Σ_b dm_t
 */
export function gruResetAfterCell(φ: Activation, σ: Activation): Cell {
  return {
    states: ['h'],
    gateOrder: [0, 1, 2],
    parts: [2, 1],
    keeps: keeps(φ, σ, 'm'),
    rows: { m: 3, candidate: 1 },

    constants: (g, { recurrentKernel, recurrentBias, units, large }) => ({
      forward: {
        recurrentKernel,
        ...(recurrentBias && { candidateBias: blocks(g, recurrentBias, [2, 1], units, 0)[1] }),
      },
      backward: transposedOnce(g, 'recurrentKernel', recurrentKernel, large),
    }),

    biasOfProjection(g, recurrentBias, units) {
      const [gates, candidate] = blocks(g, recurrentBias, [2, 1], units, 0);
      return g.concat([gates, g.zerosLike(candidate)], 0);
    },

    forward(g, { x: [xGates, xCandidate], before: { h }, units }, constants) {
      const { recurrentKernel } = constants;
      const candidateBias = constants['candidateBias'] as GraphTensor | undefined;
      const products = h && blocks(g, g.matMul(h, recurrentKernel), [2, 1], units);
      const gatesZ = plus(g, xGates, products?.[0]);
      const gates = σ.forward(g, gatesZ);
      const [z, r] = g.split(gates, 2, 1);
      const zero = (): GraphTensor => g.zerosLike(xCandidate);
      const product = products?.[1] ?? zero();
      const m = candidateBias ? g.biasAdd(product, candidateBias) : product;
      const candidateZ = (h ?? candidateBias) ? g.add(xCandidate, g.mul(r, m)) : xCandidate;
      const candidate = φ.forward(g, candidateZ);
      return {
        after: { h: blend(g, z, h, candidate) },
        kept: { gates, candidate, m, gatesZ, candidateZ },
      };
    },

    backward(g, { h: dh }, { before: { h }, kept }, constants) {
      const { gates, candidate, m } = kept;
      const [z, r] = g.split(gates, 2, 1);
      const dCandidate = φ.backward(g, candidate, g.mul(dh, rest(g, z)), kept['candidateZ']);
      const dGates = σ.backward(
        g,
        gates,
        g.concat([dUpdateGate(g, dh, h, candidate), g.mul(dCandidate, m)], 1),
        kept['gatesZ'],
      );
      const dm = g.concat([dGates, g.mul(dCandidate, r)], 1);
      return {
        dBefore: { h: g.add(g.mul(dh, z), timesTransposed(g, dm, constants, 'recurrentKernel')) },
        rows: { m: dm, candidate: dCandidate },
      };
    },

    gradients: (g, { rows: { m, candidate }, before }, { recurrentBias, units }) => ({
      // dz_t[z r] are the first columns of dm_t
      parts: [blocks(g, m, [2, 1], units)[0], candidate],
      recurrentKernel: sumOfProducts(g, before, m),
      ...(recurrentBias && { recurrentBias: g.biasAddGrad(m) }),
    }),
  };
}

function keeps(φ: Activation, σ: Activation, more: string): string[] {
  const inputs = [...(φ.readsInput ? ['candidateZ'] : []), ...(σ.readsInput ? ['gatesZ'] : [])];
  return ['gates', 'candidate', more, ...inputs];
}

/** 1 - z */
function rest(g: Ops, z: GraphTensor): GraphTensor {
  return g.sub(g.float(1), z);
}

/** z ∘ h_{t-1} + (1 - z) ∘ g */
function blend(g: Ops, z: GraphTensor, h: GraphTensor | undefined, candidate: GraphTensor): GraphTensor {
  return plus(g, g.mul(rest(g, z), candidate), h && g.mul(z, h));
}

/** dh_t ∘ (h_{t-1} - g): what reaches z. */
function dUpdateGate(
  g: Ops,
  dh: GraphTensor,
  h: GraphTensor | undefined,
  candidate: GraphTensor,
): GraphTensor {
  return h ? g.mul(dh, g.sub(h, candidate)) : g.neg(g.mul(dh, candidate));
}
