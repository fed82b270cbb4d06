import { zeros, type Tensor } from '../../scratch/index';
import { sizesOf, type Evaluation, type Problem, type TensorName } from '../problem';

/** Worst errors of elementary functions in units u * |f|, over the backends (tanh, exp, log of TensorFlow's Eigen). */
const kappa = { tanh: 6.5, exp: 2.2, log: 4.6 } as const;

type Spreads = Partial<Record<TensorName, Float64Array>>;

/**
 * The spread that rounding gives each element of each tensor: a standard deviation, obtained by sending the variance of
 * every rounding through the equations, forward and backward in time (first order, errors taken as independent).
 *
 * Variance of one rounding of a result r: (u |r|)^2 / 3 = k r^2. A sum of n products p_i, whatever its order, is charged
 * k n (sum p_i^2) + k n s^2 / 3 with s its largest partial result (Higham & Mary 2019 give the sqrt(n) law).
 * Letters: V_x is the variance of x, sq() squares elementwise.
 *
 * @param u the unit roundoff: 2^-24 for float32, 2^-53 for float64
 */
export function roundingSpread(problem: Problem, reference: Evaluation, u: number): Spreads {
  const { batch: B, timeSteps: T, features: F, units: U } = sizesOf(problem);
  const k = (u * u) / 3;
  const n = F + U + 1;
  const { kernel, recurrentKernel, bias } = problem.weights;
  const h = reference.states as Tensor;
  const x = problem.inputs.data;
  const h0 = problem.initialState?.data ?? new Float64Array(B * U);
  const before = (b: number, t: number, j: number): number =>
    t === 0 ? h0[b * U + j] : h.data[(b * T + t - 1) * U + j];
  const kept = (b: number, t: number): number => problem.mask?.data[b * T + t] ?? 1;

  // Forward. V_z = V_h' sq(Wh) + k n (sq(x) sq(Wx) + sq(h') sq(Wh) + sq(b)) + k n M^2 / 3;  V_h = sq(1 - h^2) V_z + (kappa u h)^2 / 3
  const vStates = new Float64Array(B * T * U);
  const vBefore = (b: number, t: number, j: number): number =>
    t === 0 ? 0 : vStates[(b * T + t - 1) * U + j];
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < T; t++) {
      for (let j = 0; j < U; j++) {
        const at = (b * T + t) * U + j;
        if (kept(b, t) === 0) {
          vStates[at] = vBefore(b, t, j);
          continue;
        }
        let squares = bias.data[j] ** 2;
        let carried = 0;
        let largest = Math.abs(bias.data[j]);
        let partial = 0;
        for (let f = 0; f < F; f++) {
          const p = x[(b * T + t) * F + f] * kernel.data[f * U + j];
          squares += p * p;
          largest = Math.max(largest, Math.abs((partial += p)));
        }
        for (let i = 0; i < U; i++) {
          const w = recurrentKernel.data[i * U + j];
          const p = before(b, t, i) * w;
          squares += p * p;
          largest = Math.max(largest, Math.abs((partial += p)));
          carried += vBefore(b, t, i) * w * w;
        }
        const vz = carried + k * n * (squares + (largest * largest) / 3);
        // the slope at the nearest value that an error of three spreads could reach
        const z = Math.max(
          Math.abs(Math.atanh(Math.min(Math.abs(h.data[at]), 1 - 2 ** -53))) - 3 * Math.sqrt(vz),
          0,
        );
        const slope = 1 / Math.cosh(z) ** 2;
        vStates[at] = Math.min(slope * slope * vz, 1) + (kappa.tanh * u * h.data[at]) ** 2 / 3;
      }
    }
  }
  const vFinal = new Float64Array(B * U);
  for (let b = 0; b < B; b++) vFinal.set(vStates.subarray((b * T + T - 1) * U, (b * T + T) * U), b * U);

  const dFinal = new Float64Array(B * U);
  const vdFinal = new Float64Array(B * U);
  const output = spreadOfOutput(problem, reference, k, vFinal, dFinal, vdFinal);
  const spreads: Spreads = { states: vStates, finalState: vFinal, ...output };
  if (problem.labels !== undefined || problem.upstream !== undefined) {
    Object.assign(spreads, spreadOfBackward(problem, h, k, vStates, dFinal, vdFinal, before, kept));
  }
  for (const variance of Object.values(spreads)) variance.forEach((v, i) => (variance[i] = Math.sqrt(v)));
  return spreads;
}

/** Dense layer, softmax and cross-entropy, and the way back to the last state (adds into dFinal and vdFinal). */
function spreadOfOutput(
  problem: Problem,
  reference: Evaluation,
  k: number,
  vFinal: Float64Array,
  dFinal: Float64Array,
  vdFinal: Float64Array,
): Spreads {
  const { batch: B, units: U, classes: C = 0 } = sizesOf(problem);
  const { outputKernel: W, outputBias: c } = problem.weights;
  if (W === undefined || c === undefined) return {};
  const last = reference.finalState as Tensor;
  const y = reference.logits as Tensor;
  const vLogits = new Float64Array(B * C);
  const vProbabilities = new Float64Array(B * C);
  const vLoss = new Float64Array(1);
  const vKernel = new Float64Array(U * C);
  const vBias = new Float64Array(C);
  for (let b = 0; b < B; b++) {
    for (let j = 0; j < C; j++) {
      let squares = c.data[j] ** 2;
      let carried = 0;
      let largest = Math.abs(c.data[j]);
      let partial = 0;
      for (let i = 0; i < U; i++) {
        const w = W.data[i * C + j];
        const p = last.data[b * U + i] * w;
        squares += p * p;
        largest = Math.max(largest, Math.abs((partial += p)), Math.abs(partial + c.data[j]));
        carried += vFinal[b * U + i] * w * w;
      }
      vLogits[b * C + j] = carried + k * (U + 1) * (squares + largest * largest);
    }
    const row = Array.from({ length: C }, (_, j) => y.data[b * C + j]);
    const top = Math.max(...row);
    const sum = row.reduce((s, v) => s + Math.exp(v - top), 0);
    const p = row.map((v) => Math.exp(v - top) / sum);
    const mixed = p.reduce((s, q, j) => s + q * q * vLogits[b * C + j], 0);
    const label = problem.labels?.[b];
    for (let j = 0; j < C; j++) {
      // log p_j = y_j - m - log s: V = (1 - p_j)^2 V_y + sum p_k^2 V_y + roundings of the difference, the sum and the log
      const distance = Math.abs(row[j] - top) + Math.log(sum);
      const v =
        (1 - p[j]) ** 2 * vLogits[b * C + j] +
        mixed +
        k * (C + distance ** 2 + (kappa.exp ** 2 + kappa.log ** 2) * (1 + Math.log(sum) ** 2));
      const vp = Math.min(v > 1 ? 1 : p[j] ** 2 * v, 1);
      vProbabilities[b * C + j] = vp;
      const r = p[j] - (j === label ? 1 : 0);
      if (label === undefined) continue;
      if (j === label) vLoss[0] += v / B ** 2;
      // dy = (p - 1hot) / B;  dW = h_T^T dy;  dc = sum dy;  dh_T = dy W^T
      const dy = r / B;
      const vdy = (vp + 3 * k * r * r) / B ** 2;
      vBias[j] += vdy + k * B * dy * dy;
      for (let i = 0; i < U; i++) {
        const s = last.data[b * U + i];
        vKernel[i * C + j] += s * s * (vdy + k * B * dy * dy) + vFinal[b * U + i] * (dy * dy + vdy);
        const w = W.data[i * C + j];
        dFinal[b * U + i] += dy * w;
        vdFinal[b * U + i] += w * w * (vdy + k * C * dy * dy);
      }
    }
  }
  const loss = reference.loss?.data[0] ?? 0;
  vLoss[0] += k * (B + 3) * loss * loss;
  const forward = { logits: vLogits, probabilities: vProbabilities };
  if (problem.labels === undefined) return forward;
  return { ...forward, loss: vLoss, 'gradients.outputKernel': vKernel, 'gradients.outputBias': vBias };
}

/** Backward through time: dz = dh (1 - h^2), dx = dz Wx^T, dh' = dz Wh^T + upstream, and the sums over batch and time. */
function spreadOfBackward(
  problem: Problem,
  h: Tensor,
  k: number,
  vStates: Float64Array,
  dFinal: Float64Array,
  vdFinal: Float64Array,
  before: (b: number, t: number, j: number) => number,
  kept: (b: number, t: number) => number,
): Spreads {
  const { batch: B, timeSteps: T, features: F, units: U } = sizesOf(problem);
  const { kernel, recurrentKernel } = problem.weights;
  const vInputs = new Float64Array(B * T * F);
  const vInitial = new Float64Array(B * U);
  const vKernel = new Float64Array(F * U);
  const vRecurrent = new Float64Array(U * U);
  const vBias = new Float64Array(U);
  const dKernel = zeros(F, U).data;
  const dRecurrent = zeros(U, U).data;
  const dBias = zeros(U).data;
  const N = B * T;
  for (let b = 0; b < B; b++) {
    const dh = new Float64Array(U);
    const vdh = new Float64Array(U);
    for (let j = 0; j < U; j++) {
      const upstream = problem.upstream?.finalState?.data[b * U + j] ?? 0;
      dh[j] = dFinal[b * U + j] + upstream;
      vdh[j] = vdFinal[b * U + j] + 2 * k * dh[j] ** 2;
    }
    for (let t = T - 1; t >= 0; t--) {
      const dz = new Float64Array(U);
      const vdz = new Float64Array(U);
      for (let j = 0; j < U; j++) {
        const at = (b * T + t) * U + j;
        dh[j] += problem.upstream?.states?.data[at] ?? 0;
        vdh[j] += k * dh[j] ** 2;
        if (kept(b, t) === 0) continue;
        const s = h.data[at];
        const g = (1 - s) * (1 + s);
        const vg = Math.min(4 * s * s * vStates[at] + 3 * vStates[at] ** 2 + k * (s ** 4 + g * g), 1);
        dz[j] = g * dh[j];
        vdz[j] = g * g * vdh[j] + (dh[j] ** 2 + vdh[j]) * vg + k * dz[j] ** 2;
        const charge = vdz[j] + k * N * dz[j] ** 2;
        vBias[j] += charge;
        dBias[j] += dz[j];
        for (let f = 0; f < F; f++) {
          const xf = problem.inputs.data[(b * T + t) * F + f];
          vKernel[f * U + j] += xf * xf * charge;
          dKernel[f * U + j] += xf * dz[j];
        }
        for (let i = 0; i < U; i++) {
          const p = before(b, t, i);
          const vp = t === 0 ? 0 : vStates[(b * T + t - 1) * U + i];
          vRecurrent[i * U + j] += p * p * charge + vp * (dz[j] ** 2 + vdz[j]);
          dRecurrent[i * U + j] += p * dz[j];
        }
      }
      for (let f = 0; f < F; f++) {
        for (let j = 0; j < U; j++) {
          const w = kernel.data[f * U + j];
          vInputs[(b * T + t) * F + f] += w * w * (vdz[j] + k * U * dz[j] ** 2);
        }
      }
      const keep = kept(b, t) === 0;
      const next = new Float64Array(U);
      const vNext = new Float64Array(U);
      for (let i = 0; i < U; i++) {
        for (let j = 0; j < U; j++) {
          const w = recurrentKernel.data[i * U + j];
          next[i] += w * dz[j];
          vNext[i] += w * w * (vdz[j] + k * U * dz[j] ** 2);
        }
        if (keep) {
          next[i] += dh[i];
          vNext[i] += vdh[i];
        }
      }
      dh.set(next);
      vdh.set(vNext);
    }
    vInitial.set(vdh, b * U);
  }
  const sums: [Float64Array, Float64Array][] = [
    [vKernel, dKernel],
    [vRecurrent, dRecurrent],
    [vBias, dBias],
  ];
  for (const [variance, total] of sums) total.forEach((d, i) => (variance[i] += (k * N * d * d) / 3));
  return {
    'gradients.inputs': vInputs,
    'gradients.initialState': vInitial,
    'gradients.kernel': vKernel,
    'gradients.recurrentKernel': vRecurrent,
    'gradients.bias': vBias,
  };
}
