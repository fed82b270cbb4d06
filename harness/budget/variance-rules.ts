import type { ErrorRules, HeadErrors, KernelName } from './error-rules';
import {
  addProduct,
  addProductTransposed,
  addRows,
  addTransposedProduct,
  squared,
  type Matrix,
} from './matrix';
import type { PrecisionModel } from './precision-model';
import { argumentOfLog, ownTanhError, shiftRounding } from './rigorous-rules';
import { squaredSech, type HeadValues, type Sizes } from './trace';
import type { ProblemWeights } from '../base/problem';

/** Largest variance carried on: the square of `vacuous`. */
const vacuous = 1e200;

/**
 * Rounding errors as independent random numbers, uniform in +- u |result|: variance k result^2 with k = u^2 / 3.
 * A dot product of n terms p_i in random order then has variance k (ce(n) sum p_i^2 + cs(n) (sum p_i)^2), because
 * E[(partial sum of j terms)^2] = (j/n) S2 + j (j-1) / (n (n-1)) (s^2 - S2); in the spirit of Higham & Mary 2019.
 *
 * @param floor what flushing one product to zero can cost (`eta` in the formulas)
 */
export function varianceRules(
  weights: ProblemWeights,
  sizes: Sizes,
  model: PrecisionModel,
  floor: number,
): ErrorRules {
  const { batch, features, units, classes } = sizes;
  const { unit: u, kappa, forms } = model;
  const k = (u * u) / 3;
  const tiny = floor * floor;
  const squares = {
    kernel: squared(weights.kernel.data),
    recurrentKernel: squared(weights.recurrentKernel.data),
    outputKernel: squared(weights.outputKernel?.data ?? new Float64Array(0)),
  };
  const bias = weights.bias.data;
  const outputBias = weights.outputBias?.data;
  const innerSizes: Record<KernelName, readonly [inner: number, outer: number]> = {
    kernel: [units, features],
    recurrentKernel: [units, units],
    outputKernel: [classes, units],
  };
  /** variance of v entering a dot product of n terms */
  const entering = (v: Matrix, variance: Matrix, n: number): Matrix => {
    const kn = k * perTerm(n);
    const out = new Float64Array(v.length);
    for (let i = 0; i < out.length; i++) out[i] = variance[i] + kn * v[i] * v[i];
    return out;
  };

  return {
    activation(step, before) {
      const n = features + units + 1;
      const vz = addProduct(
        new Float64Array(batch * units),
        entering(step.h, before, n),
        squares.recurrentKernel,
        batch,
        units,
        units,
      );
      const fromInput = addProduct(
        new Float64Array(batch * units),
        squared(step.x),
        squares.kernel,
        batch,
        features,
        units,
      );
      return vz.map((carried, i) => {
        const a = step.fromInput[i];
        const q = step.fromState[i];
        const c = bias[i % units];
        // any order of a, q and the bias: the largest partial sum is charged
        const m = Math.max(
          Math.max(Math.abs(a), Math.abs(q), Math.abs(c)),
          Math.max(Math.abs(a + c), Math.abs(a + q), Math.abs(q + c)),
          Math.abs(step.z[i]),
        );
        const v =
          carried +
          k * perTerm(n) * (fromInput[i] + c * c) +
          k * (perSum(n) + 2) * m * m +
          (features + units) ** 2 * tiny;
        const slope = squaredSech(Math.max(Math.abs(step.z[i]) - 3 * Math.sqrt(v), 0));
        const ofTanh = Math.max(kappa.tanh * Math.abs(step.activation[i]), forms?.tanh ?? 0);
        return Math.min(slope * slope * v + (u * ofTanh) ** 2 / 3 + tiny, 1);
      });
    },

    logits(state, stateVariance, logits) {
      const n = units + 1;
      const v = addProduct(
        new Float64Array(batch * classes),
        entering(state, stateVariance, n),
        squares.outputKernel,
        batch,
        units,
        classes,
      );
      return v.map((x, i) => {
        const c = outputBias?.[i % classes] ?? 0;
        // (U + 1) c^2: the bias may be the accumulator's first value
        const own = perSum(n) * (logits[i] - c) ** 2 + n * c * c + logits[i] ** 2;
        return cap(x + k * own + units ** 2 * tiny);
      });
    },

    head: (values, logitsVariance) => headVariances(values, logitsVariance, classes, model, tiny),

    backThrough(weight, v, variance, product, more) {
      const [inner, outer] = innerSizes[weight];
      const n = inner + more.length;
      const out = new Float64Array(batch * outer);
      addProductTransposed(out, entering(v, variance, n), squares[weight], batch, inner, outer);
      return out.map((x, i) => {
        const m = largestPartial(product[i], more, i);
        const arriving = more.length * (forms === undefined ? 1 : 2);
        return cap(x + k * (perSum(n) + arriving) * m * m + n ** 2 * tiny);
      });
    },

    sum(v, variance, more) {
      return v.map((x, i) => {
        const m = largestPartial(x, more, i);
        // where the mean divides last, what arrives was multiplied by B before
        const roundings = more.length * (forms === undefined ? 1 : 2);
        return cap(variance[i] + k * roundings * m * m + tiny);
      });
    },

    preActivation(step, activationVariance, dState, dStateVariance) {
      return dState.map((d, i) => {
        const h2 = step.activation[i] ** 2;
        const vh = activationVariance[i];
        const g = step.slope[i];
        const ofSlope = Math.max(h2 * h2 + g * g, ((forms?.slope ?? 0) * g) ** 2);
        const vg = Math.min(4 * h2 * vh + 3 * vh * vh + k * ofSlope, Math.max(1, g * g));
        const dz = d * g;
        return cap(g * g * dStateVariance[i] + (d * d + dStateVariance[i]) * vg + k * dz * dz + tiny);
      });
    },

    addOuter(out, left, leftVariance, v, variance, terms) {
      const n = v.length / batch;
      const rows = left.length / batch;
      addTransposedProduct(out, squared(left), entering(v, variance, terms), batch, rows, n);
      if (leftVariance === undefined) return;
      addTransposedProduct(
        out,
        leftVariance,
        v.map((x, i) => x * x + variance[i]),
        batch,
        rows,
        n,
      );
    },

    addRows(out, v, variance, terms) {
      addRows(out, entering(v, variance, terms), batch, v.length / batch);
    },

    finish: (out, gradient, terms) =>
      out.map((v, i) => cap(v + k * perSum(terms) * gradient[i] ** 2 + terms ** 2 * tiny)),

    shown: (v, e) => (forms === undefined ? e : e.map((x, i) => x + k * v[i] * v[i])),

    ownActivation: (h) => h.map((x) => ownTanhError(x, model) ** 2 / 3),
  };
}

/** ce(n) = 1 + (n + 1) / 6: one rounding of each product, and the partial sums' share of sum p_i^2. */
function perTerm(n: number): number {
  return n <= 1 ? 1 : 1 + (n + 1) / 6;
}

/** cs(n) = (n + 1) / 3: the partial sums' share of (sum p_i)^2. */
function perSum(n: number): number {
  return n <= 1 ? 0 : (n + 1) / 3;
}

function headVariances(
  values: HeadValues,
  vy: Matrix,
  classes: number,
  model: PrecisionModel,
  tiny: number,
): HeadErrors {
  const { unit: u, kappa, forms } = model;
  const { logits, probabilities: p, others, logProbabilities, max, logSum, residual } = values;
  const batch = max.length;
  const k = (u * u) / 3;
  const vl = new Float64Array(vy.length);
  for (let b = 0; b < batch; b++) {
    const row = b * classes;
    let carried = 0; // sum of p_k^2 V_k
    let shifted = 0; // sum of (p_k (y_k - m))^2
    let squares = 0; // sum of p_k^2
    let weighted = 0; // sum of p_k |y_k - m|
    let largestVariance = 0;
    for (let i = row; i < row + classes; i++) {
      carried += p[i] ** 2 * vy[i];
      shifted += (p[i] * (logits[i] - max[b])) ** 2;
      squares += p[i] ** 2;
      weighted += p[i] * Math.abs(logits[i] - max[b]);
      largestVariance = Math.max(largestVariance, vy[i]);
    }
    const reach = 10 * Math.sqrt(largestVariance);
    for (let i = row; i < row + classes; i++) {
      const rest = Math.max(carried - p[i] ** 2 * vy[i], 0);
      const shift = shiftRounding(max[b], logSum[b], reach, weighted + classes - 1, model);
      const largestTerm = Math.max(shift, Math.abs(logits[i] - max[b]));
      const own = shifted + (classes - 1) + largestTerm ** 2 + logProbabilities[i] ** 2;
      vl[i] = cap(
        others[i] ** 2 * vy[i] +
          rest +
          k * own +
          ((kappa.exp * u) ** 2 / 3) * squares +
          (kappa.log * u * argumentOfLog(values, b, i, forms)) ** 2 / 3,
      );
    }
  }
  const probabilities = vl.map((v, i) =>
    v > 1 ? 1 : p[i] ** 2 * (Math.expm1(v) + (kappa.exp * u) ** 2 / 3 + k) + tiny,
  );
  if (residual === undefined || values.loss === undefined) return { probabilities };
  const rounding = k * (perSum(batch) + 3);
  let loss = rounding * values.loss ** 2 + tiny;
  const dLogits = residual.map((r, i) => {
    if (r < 0 || Object.is(r, -0)) loss += vl[i] / batch ** 2;
    return (probabilities[i] + 3 * k * r * r) / batch ** 2 + tiny;
  });
  return { probabilities, loss, dLogits };
}

const cap = (v: number): number => (v < vacuous ? v : vacuous);

function largestPartial(v: number, more: readonly Matrix[], i: number): number {
  let sum = v;
  let max = Math.abs(v);
  for (const term of more) {
    sum += term[i];
    max = Math.max(max, Math.abs(term[i]), Math.abs(sum));
  }
  return max;
}
