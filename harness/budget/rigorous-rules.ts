import type { ErrorRules, HeadErrors, KernelName } from './error-rules';
import {
  absolute,
  addProduct,
  addProductTransposed,
  addRows,
  addTransposedProduct,
  type Matrix,
} from './matrix';
import { gamma, type PrecisionModel } from './precision-model';
import { squaredSech, type HeadValues, type Sizes } from './trace';
import type { ProblemWeights } from '../base/problem';

/** Beyond this a bound says nothing any more; a finite number keeps 0 * Infinity out of the sums. */
export const vacuous = 1e100;

/** Two states are never farther apart; 1 + |h| would hang on an h that is another one after a change of the last bit. */
const farthest = 2;

/**
 * Running error analysis (Wilkinson 1986; Higham 2002, chapter 3): bounds that hold for every order of summation, with
 * or without fused multiply-add, second-order terms included. docs/tolerance.md derives each line.
 *
 * @param floor what flushing one product to zero can cost (`eta` in the formulas)
 */
export function rigorousRules(
  weights: ProblemWeights,
  sizes: Sizes,
  model: PrecisionModel,
  floor: number,
): ErrorRules {
  const { batch, features, units, classes } = sizes;
  const { unit: u, kappa, forms } = model;
  const g = (n: number): number => gamma(n, u);
  const absKernels = {
    kernel: absolute(weights.kernel.data),
    recurrentKernel: absolute(weights.recurrentKernel.data),
    outputKernel: absolute(weights.outputKernel?.data ?? new Float64Array(0)),
  };
  const absBias = absolute(weights.bias.data);
  const innerSizes: Record<KernelName, readonly [inner: number, outer: number]> = {
    kernel: [units, features],
    recurrentKernel: [units, units],
    outputKernel: [classes, units],
  };
  /** error of v entering a dot product of n terms: E (1 + gamma_n) + gamma_n |v| */
  const first = (v: Matrix, e: Matrix, n: number): Matrix => {
    const gn = g(n);
    const out = new Float64Array(v.length);
    for (let i = 0; i < out.length; i++) out[i] = e[i] * (1 + gn) + gn * Math.abs(v[i]);
    return out;
  };

  return {
    activation(step, before) {
      const n = features + units + 1;
      const ez = addProduct(
        new Float64Array(batch * units),
        first(step.h, before, n),
        absKernels.recurrentKernel,
        batch,
        units,
        units,
      );
      const fromInput = addProduct(
        new Float64Array(batch * units),
        absolute(step.x),
        absKernels.kernel,
        batch,
        features,
        units,
      );
      const gn = g(n);
      return ez.map((carried, i) => {
        const e = carried + gn * (fromInput[i] + absBias[i % units]) + n * floor;
        const h = Math.abs(step.activation[i]);
        // mean value theorem: the largest slope of tanh in the interval z +- e
        const moved = Math.min(squaredSech(Math.max(Math.abs(step.z[i]) - e, 0)) * e, farthest);
        const ofTanh = Math.max(kappa.tanh * Math.min(1, h + moved), forms?.tanh ?? 0);
        return Math.min(moved + u * ofTanh + floor, farthest);
      });
    },

    logits(state, stateError) {
      const n = units + 1;
      const e = addProduct(
        new Float64Array(batch * classes),
        first(state, stateError, n),
        absKernels.outputKernel,
        batch,
        units,
        classes,
      );
      return e.map((x, i) =>
        cap(x + g(n) * Math.abs(weights.outputBias?.data[i % classes] ?? 0) + n * floor),
      );
    },

    head: (values, logitsError) => headErrors(values, logitsError, classes, model, floor),

    backThrough(weight, v, vError, _product, more) {
      const [inner, outer] = innerSizes[weight];
      const n = inner + more.length;
      const e = new Float64Array(batch * outer);
      addProductTransposed(e, first(v, vError, n), absKernels[weight], batch, inner, outer);
      const gn = g(n);
      return e.map((x, i) => cap(x + gn * sumOfAbsolutes(more, i) + n * floor));
    },

    sum(v, vError, more) {
      // where the mean divides last, what arrives was multiplied by B before
      const gn = g(more.length + (forms === undefined ? 0 : 1));
      return v.map((x, i) =>
        cap(vError[i] * (1 + gn) + gn * (Math.abs(x) + sumOfAbsolutes(more, i)) + floor),
      );
    },

    preActivation(step, activationError, dState, dStateError) {
      return dState.map((d, i) => {
        const h = Math.abs(step.activation[i]);
        const eh = activationError[i];
        const slope = Math.abs(step.slope[i]);
        const ofSlope = Math.max(1 + 4 * u, (forms?.slope ?? 0) * slope);
        const eg = Math.min(2 * h * eh + eh * eh + u * ofSlope, Math.max(1, slope));
        const upper = Math.abs(d) + dStateError[i];
        return cap(dStateError[i] * slope + upper * eg + u * upper * (slope + eg) + floor);
      });
    },

    addOuter(out, left, leftError, v, vError, terms) {
      const n = v.length / batch;
      const rows = left.length / batch;
      addTransposedProduct(out, absolute(left), first(v, vError, terms + 1), batch, rows, n);
      if (leftError === undefined) return;
      const gn = g(terms + 1);
      const full = v.map((x, i) => (Math.abs(x) + vError[i]) * (1 + gn));
      addTransposedProduct(out, leftError, full, batch, rows, n);
    },

    addRows(out, v, vError, terms) {
      addRows(out, first(v, vError, terms + 1), batch, v.length / batch);
    },

    finish: (out, _gradient, terms) => out.map((e) => cap(e + (terms + 1) * floor)),

    shown: (v, e) => (forms === undefined ? e : e.map((x, i) => x + u * (Math.abs(v[i]) + x))),

    ownActivation: (h) => h.map((x) => ownTanhError(x, model)),
  };
}

/** Softmax, log and cross-entropy, row by row (Blanchard, Higham & Higham 2021 for the shifted log-sum-exp). */
function headErrors(
  values: HeadValues,
  ey: Matrix,
  classes: number,
  model: PrecisionModel,
  floor: number,
): HeadErrors {
  const { unit: u, kappa, forms } = model;
  const { logits, probabilities: p, others, logProbabilities, max, logSum, residual } = values;
  const batch = max.length;
  const el = new Float64Array(ey.length);
  for (let b = 0; b < batch; b++) {
    const row = b * classes;
    let em = 0;
    let weighted = 0; // sum of p_k |y_k - m|
    let carried = 0; // sum of p_k E_k
    for (let i = row; i < row + classes; i++) {
      em = Math.max(em, ey[i]);
      weighted += p[i] * Math.abs(logits[i] - max[b]);
      carried += p[i] * ey[i];
    }
    for (let i = row; i < row + classes; i++) {
      const distance = Math.abs(logits[i] - max[b]);
      const rest = Math.max(carried - p[i] * ey[i], 0);
      const plain = ey[i] + em;
      const moved = em > 20 ? plain : Math.min((others[i] * ey[i] + rest) * Math.exp(2 * em), plain);
      const rounding =
        weighted +
        kappa.exp +
        (classes - 1) +
        kappa.log * argumentOfLog(values, b, i, forms) +
        Math.max(shiftRounding(max[b], logSum[b], em, weighted + classes - 1, model), distance) +
        em +
        Math.abs(logProbabilities[i]) +
        moved;
      el[i] = cap(moved + u * rounding + classes * floor);
    }
  }
  const probabilities = el.map((e, i) =>
    e > 40 ? 1 : Math.min(p[i] * (Math.expm1(e) + (kappa.exp + 1) * u * Math.exp(e)) + floor, 1),
  );
  if (residual === undefined) return { probabilities };
  let loss = 0;
  const n = gamma(batch + 2, u);
  const dLogits = residual.map((r, i) => {
    // -others at the label, p elsewhere: the label is where the residual is negative
    if (r < 0 || Object.is(r, -0)) loss += (el[i] + n * (Math.abs(logProbabilities[i]) + el[i])) / batch;
    const er = probabilities[i] + u * (Math.abs(r) + probabilities[i]);
    return (er + gamma(3, u) * (Math.abs(r) + er)) / batch + floor;
  });
  return { probabilities, loss: loss + floor, dLogits };
}

/**
 * What rounding m + log s can cost, in units of u: |m + log s|, and never more than log s itself as it was computed, because m is a
 * number of the format and the nearest one to the sum is at least as near. So logits of a million cost nothing where one class has won.
 * Logits that are off by at most `reach` change s - 1 by a factor of at most e^(2 reach), also where another class becomes the largest.
 *
 * @param sum relative error of s in units of u, without that of exp
 */
export function shiftRounding(
  max: number,
  logSum: number,
  reach: number,
  sum: number,
  { unit: u, kappa }: PrecisionModel,
): number {
  if (!(reach <= 20)) return Math.abs(max + logSum);
  const exact = Math.log1p(Math.expm1(logSum) * Math.exp(2 * reach));
  const computed = exact + u * (sum + kappa.exp + kappa.log * exact);
  return Math.min(Math.abs(max + logSum), computed / u);
}

/**
 * |log s|, the size that an error of the logarithm is relative to; in other customary forms also |m + log s| of a sum without a shift, and
 * |log p| of a logarithm of the probability.
 */
export function argumentOfLog(
  { max, logSum, logProbabilities }: HeadValues,
  row: number,
  at: number,
  forms: PrecisionModel['forms'],
): number {
  if (forms === undefined) return logSum[row];
  const unshifted = Math.abs(max[row]) <= forms.unshifted ? Math.abs(max[row] + logSum[row]) : 0;
  return Math.max(logSum[row], unshifted, Math.abs(logProbabilities[at]));
}

/** How far tanh z may be from the h that a side shows, where its slope may be computed from z; 0 where it is computed from h. */
export function ownTanhError(h: number, { unit, kappa, forms }: PrecisionModel): number {
  return forms === undefined ? 0 : unit * Math.max(kappa.tanh * Math.abs(h), forms.tanh);
}

const cap = (e: number): number => (e < vacuous ? e : vacuous);

function sumOfAbsolutes(more: readonly Matrix[], i: number): number {
  let sum = 0;
  for (const term of more) sum += Math.abs(term[i]);
  return sum;
}
