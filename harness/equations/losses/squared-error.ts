import type { Matrix } from '../matrix';
import { capBound, capVariance, gamma, perSum, perTerm, varianceOfRounding } from '../rounding-model';
import { countRows, countsRow, type Loss, type Target } from './loss';
import type { Block } from '../operations/operation';

/** d = y - target; loss = mean d², dy = 2 d / N. The mean is over all N numbers of the rows that count. */
export const meanSquaredError: Loss = {
  words: 'loss = mean (y - target)²',
  targets: 'values',

  value(logits, target) {
    const d = differences(logits, target);
    const n = countRows(logits, target) * logits.columns;
    return {
      outputs: logits.value,
      loss: d.reduce((sum, x) => sum + (x * x) / n, 0),
      dLogits: d.map((x) => (2 * x) / n),
    };
  },

  tangent(logits, target) {
    const n = countRows(logits, target) * logits.columns;
    return differences(logits, target).reduce((sum, x, i) => sum + (2 * x * logits.rate[i]) / n, 0);
  },

  // E_d = E + u (|d| + E); each term d² / N carries 2 |d| E_d + E_d², and γ_(N+2) of what is summed
  errors(logits, target, { model, floor }) {
    const { unit: u } = model;
    const k = varianceOfRounding(model);
    const d = differences(logits, target);
    const n = countRows(logits, target) * logits.columns;
    const counts = (i: number): boolean => countsRow(target, Math.floor(i / logits.columns));
    let bound = 0;
    let variance = 0;
    let loss = 0;
    const dBound = new Float64Array(d.length);
    const dVariance = new Float64Array(d.length);
    d.forEach((x, i) => {
      if (!counts(i)) return;
      const size = Math.abs(x);
      const e = logits.bound[i] + u * (size + logits.bound[i]);
      const v = logits.variance[i] + k * x * x;
      const square = (size + e) ** 2;
      bound += (2 * size * e + e * e + gamma(n + 2, u) * square) / n;
      variance += (4 * x * x * v + 3 * v * v + k * (perTerm(n) + 1) * x ** 4) / n ** 2;
      loss += (x * x) / n;
      dBound[i] = (2 * (e + gamma(3, u) * (size + e))) / n + floor;
      dVariance[i] = (4 * (v + 3 * k * x * x)) / n ** 2 + floor * floor;
    });
    return {
      bound: { outputs: logits.bound, loss: capBound(bound + floor), dLogits: dBound.map(capBound) },
      variance: {
        outputs: logits.variance,
        loss: capVariance(variance + k * (perSum(n) + 3) * loss * loss + floor * floor),
        dLogits: dVariance.map(capVariance),
      },
    };
  },

  rounded(logits, target, _, { round, total }) {
    const n = countRows(logits, target) * logits.columns;
    const values = target.values ?? new Float64Array(0);
    const d = logits.value.map((y, i) =>
      countsRow(target, Math.floor(i / logits.columns)) ? round(y - values[i]) : 0,
    );
    const squares = d.map((x) => round(x * x));
    return {
      outputs: logits.value,
      loss: round(total(squares, squares.length) / n),
      dLogits: d.map((x) => round(round(2 * x) / n)),
    };
  },
};

/** y - target, 0 in rows that do not count */
function differences({ value, columns }: Block, target: Target): Matrix {
  const { values = value } = target;
  return value.map((y, i) => (countsRow(target, Math.floor(i / columns)) ? y - values[i] : 0));
}
