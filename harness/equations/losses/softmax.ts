import { type Matrix } from '../matrix';
import type { Block, Uncertain } from '../operations/operation';
import {
  capBound,
  capVariance,
  gamma,
  noCard,
  perSum,
  varianceOfRounding,
  type Charges,
  type RoundingModel,
} from '../rounding-model';
import { countRows, countsRow, type Loss, type LossErrors, type LossNumbers, type Target } from './loss';

/**
 * p = softmax(y), loss = -mean log p_label, dy = (p - onehot) / N; N is the number of rows that count.
 * The rules are those of docs/tolerance.md, section on the output layer (Blanchard, Higham & Higham 2021 for the log-sum-exp).
 */
export const softmax: Loss = {
  words: 'p = softmax(y), loss = -mean log p_label',
  targets: 'labels',

  value(logits, target) {
    const { p, residual, logP, rows } = parts(logits, target);
    const { labels = [] } = target;
    let loss = 0;
    for (let b = 0; b < logits.rows; b++)
      if (labels.length > 0 && countsRow(target, b)) loss -= logP[b * logits.columns + labels[b]] / rows;
    return { outputs: p, loss, dLogits: residual.map((r) => r / rows) };
  },

  // -log p_label = log Σ e^(y_k - y_label); its rate is Σ p_k (y_k' - y_label'), free of cancellation
  tangent(logits, target) {
    const { p, rows } = parts(logits, target);
    const { labels = [] } = target;
    let rate = 0;
    labels.forEach((label, b) => {
      if (!countsRow(target, b)) return;
      const row = b * logits.columns;
      for (let j = 0; j < logits.columns; j++)
        if (j !== label) rate += (p[row + j] * (logits.rate[row + j] - logits.rate[row + label])) / rows;
    });
    return rate;
  },

  errors,

  rounded(logits, target, kappa, rounding) {
    const { round, elementary, total } = rounding;
    const { rows, columns, value } = logits;
    const count = countRows(logits, target);
    const outputs = new Float64Array(value.length);
    const dLogits = new Float64Array(value.length);
    const losses: number[] = [];
    for (let b = 0; b < rows; b++) {
      const row = value.subarray(b * columns, (b + 1) * columns);
      const max = row.reduce((m, y) => Math.max(m, y), -Infinity);
      const shifted = row.map((y) => round(y - max));
      const exps = shifted.map((x) => elementary(Math.exp(x), kappa.exp));
      const sum = total(exps, columns);
      const label = target.labels?.[b];
      for (let j = 0; j < columns; j++) outputs[b * columns + j] = round(exps[j] / sum);
      if (label === undefined || !countsRow(target, b)) continue;
      for (let j = 0; j < columns; j++)
        dLogits[b * columns + j] = round(round(outputs[b * columns + j] - (j === label ? 1 : 0)) / count);
      losses.push(round(elementary(Math.log(sum), kappa.log) - shifted[label]));
    }
    return { outputs, loss: round(total(losses, losses.length) / count), dLogits };
  },
};

interface SoftmaxParts {
  /** p [rows, columns] */ readonly p: Matrix;
  /** log p */ readonly logP: Matrix;
  /** 1 - p = sum of the other p, without cancellation */ readonly others: Matrix;
  /** p - onehot(label); 0 in rows that do not count or have no label */ readonly residual: Matrix;
  /** largest logit of each row */ readonly max: Matrix;
  /** log of the sum of e^(y - max) of each row */ readonly logSum: Matrix;
  /** rows that count */ readonly rows: number;
}

function parts(logits: Block, target: Target): SoftmaxParts {
  const { rows, columns, value } = logits;
  const logP = new Float64Array(value.length);
  const others = new Float64Array(value.length);
  const residual = new Float64Array(value.length);
  const max = new Float64Array(rows);
  const logSum = new Float64Array(rows);
  for (let b = 0; b < rows; b++) {
    const row = value.subarray(b * columns, (b + 1) * columns);
    max[b] = row.reduce((m, y) => Math.max(m, y), -Infinity);
    logSum[b] = Math.log(row.reduce((s, y) => s + Math.exp(y - max[b]), 0));
    for (let j = 0; j < columns; j++) logP[b * columns + j] = row[j] - max[b] - logSum[b];
  }
  const p = logP.map(Math.exp);
  for (let b = 0; b < rows; b++) {
    const label = target.labels?.[b];
    for (let j = 0; j < columns; j++) {
      const i = b * columns + j;
      for (let l = 0; l < columns; l++) if (l !== j) others[i] += p[b * columns + l];
      if (label !== undefined && countsRow(target, b)) residual[i] = j === label ? -others[i] : p[i];
    }
  }
  return { p, logP, others, residual, max, logSum, rows: countRows(logits, target) };
}

function errors(logits: Uncertain, target: Target, charges: Charges): LossErrors {
  const made = parts(logits, target);
  return { bound: bounds(logits, target, made, charges), variance: variances(logits, target, made, charges) };
}

function bounds(
  { value: y, bound: ey, rows, columns }: Uncertain,
  target: Target,
  made: SoftmaxParts,
  { model, floor }: Charges,
): LossNumbers {
  const { p, logP, others, residual, max, logSum, rows: count } = made;
  const { unit: u, kappa, card = noCard } = model;
  const el = new Float64Array(y.length);
  for (let b = 0; b < rows; b++) {
    const row = b * columns;
    let em = 0;
    let weighted = 0; // sum of p_k |y_k - m|
    let carried = 0; // sum of p_k E_k
    for (let i = row; i < row + columns; i++) {
      em = Math.max(em, ey[i]);
      weighted += p[i] * Math.abs(y[i] - max[b]);
      carried += p[i] * ey[i];
    }
    for (let i = row; i < row + columns; i++) {
      const distance = Math.abs(y[i] - max[b]);
      const rest = Math.max(carried - p[i] * ey[i], 0);
      const plain = ey[i] + em;
      const moved = em > 20 ? plain : Math.min((others[i] * ey[i] + rest) * Math.exp(2 * em), plain);
      const shift = shiftRounding(max[b], logSum[b], em, (1 + card.exponent) * weighted + columns - 1, model);
      const rounding =
        (1 + card.exponent) * weighted +
        kappa.exp +
        card.log +
        (columns - 1) +
        kappa.log * argumentOfLog(made, b, i, model) +
        Math.max(shift, distance) +
        em +
        Math.abs(logP[i]) +
        moved;
      el[i] = capBound(moved + u * rounding + columns * floor);
    }
  }
  const outputs = el.map((e, i) =>
    e > 40 ? 1 : Math.min(p[i] * (Math.expm1(e) + exponential(logP[i], model) * u * Math.exp(e)) + floor, 1),
  );
  const n = gamma(count + 2, u);
  let loss = floor;
  forLabels(target, columns, (i) => {
    loss += (el[i] + n * (Math.abs(logP[i]) + el[i])) / count;
  });
  const dLogits = residual.map((r, i) => {
    const er = outputs[i] + u * (Math.abs(r) + outputs[i]);
    return (er + (gamma(3, u) + card.quotient * u) * (Math.abs(r) + er)) / count + floor;
  });
  return { outputs, loss, dLogits: onlyLive(dLogits, target, columns) };
}

function variances(
  { value: y, variance: vy, rows, columns }: Uncertain,
  target: Target,
  made: SoftmaxParts,
  { model, floor }: Charges,
): LossNumbers {
  const { p, logP, others, residual, max, logSum, rows: count } = made;
  const { unit: u, kappa, card = noCard } = model;
  const k = varianceOfRounding(model);
  const tiny = floor * floor;
  const vl = new Float64Array(y.length);
  for (let b = 0; b < rows; b++) {
    const row = b * columns;
    let carried = 0; // sum of p_k^2 V_k
    let shifted = 0; // sum of (p_k (y_k - m))^2
    let squares = 0; // sum of (p_k (kappa + what |y_k - m| adds))^2
    let weighted = 0; // sum of p_k |y_k - m|
    let most = 0;
    for (let i = row; i < row + columns; i++) {
      carried += p[i] ** 2 * vy[i];
      shifted += (p[i] * (y[i] - max[b])) ** 2;
      squares += (p[i] * (kappa.exp + card.exponent * Math.abs(y[i] - max[b]))) ** 2;
      weighted += p[i] * Math.abs(y[i] - max[b]);
      most = Math.max(most, vy[i]);
    }
    const shift = shiftRounding(
      max[b],
      logSum[b],
      10 * Math.sqrt(most),
      (1 + card.exponent) * weighted + columns - 1,
      model,
    );
    for (let i = row; i < row + columns; i++) {
      const rest = Math.max(carried - p[i] ** 2 * vy[i], 0);
      const largestTerm = Math.max(shift, Math.abs(y[i] - max[b]));
      const own = shifted + (columns - 1) + largestTerm ** 2 + logP[i] ** 2;
      vl[i] = capVariance(
        others[i] ** 2 * vy[i] +
          rest +
          k * own +
          (u ** 2 / 3) * squares +
          ((kappa.log * argumentOfLog(made, b, i, model) + card.log) * u) ** 2 / 3,
      );
    }
  }
  const outputs = vl.map((v, i) =>
    v > 1 ? 1 : p[i] ** 2 * (Math.expm1(v) + ((exponential(logP[i], model) - 1) * u) ** 2 / 3 + k) + tiny,
  );
  let loss = tiny;
  let mean = 0;
  forLabels(target, columns, (i) => {
    loss += vl[i] / count ** 2;
    mean -= logP[i] / count;
  });
  loss += k * (perSum(count) + 3) * mean ** 2;
  const dLogits = residual.map(
    (r, i) => (outputs[i] + (3 + card.quotient ** 2) * k * r * r) / count ** 2 + tiny,
  );
  return { outputs, loss, dLogits: onlyLive(dLogits, target, columns) };
}

/** What e^x, and the quotient by the sum after it, may be off by, in units of u e^x. */
function exponential(x: number, { kappa, card = noCard }: RoundingModel): number {
  return kappa.exp + 1 + card.exponent * Math.abs(x) + card.quotient;
}

/** Calls `visit` with the flat index of the label of every row that counts. */
function forLabels(target: Target, columns: number, visit: (i: number) => void): void {
  target.labels?.forEach((label, b) => {
    if (countsRow(target, b)) visit(b * columns + label);
  });
}

function onlyLive(errors: Matrix, target: Target, columns: number): Matrix {
  return errors.map((e, i) => (countsRow(target, Math.floor(i / columns)) ? e : 0));
}

/**
 * |log s|, the size that an error of the logarithm is relative to; in other customary forms also |m + log s| of a sum without a shift, and
 * |log p| of a logarithm of the probability.
 */
function argumentOfLog(
  { max, logSum, logP }: SoftmaxParts,
  row: number,
  at: number,
  { forms }: RoundingModel,
): number {
  if (forms === undefined) return logSum[row];
  const unshifted = Math.abs(max[row]) <= forms.unshifted ? Math.abs(max[row] + logSum[row]) : 0;
  return Math.max(logSum[row], unshifted, Math.abs(logP[at]));
}

/**
 * What rounding m + log s can cost, in units of u: |m + log s|, and never more than log s itself as it was computed, because m is a
 * number of the format and the nearest one to the sum is at least as near. So logits of a million cost nothing where one class has won.
 * Logits that are off by at most `reach` change s - 1 by a factor of at most e^(2 reach), also where another class becomes the largest.
 *
 * @param sum relative error of s in units of u, without that of exp
 */
function shiftRounding(
  max: number,
  logSum: number,
  reach: number,
  sum: number,
  { unit: u, kappa, card = noCard }: RoundingModel,
): number {
  if (!(reach <= 20)) return Math.abs(max + logSum);
  const exact = Math.log1p(Math.expm1(logSum) * Math.exp(2 * reach));
  const computed = exact + u * (sum + kappa.exp + kappa.log * exact + card.log);
  return Math.min(Math.abs(max + logSum), computed / u);
}
