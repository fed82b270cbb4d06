import { sigmoid } from '../activations/sigmoid';
import type { Matrix } from '../matrix';
import type { Block } from '../operations/operation';
import { capBound, capVariance, gamma, perSum, varianceOfRounding } from '../rounding-model';
import { countRows, countsRow, type Loss, type Target } from './loss';

/**
 * p = σ(y), loss = mean of log(1 + e^y) - target · y, dy = (p - target) / N; targets from 0 to 1.
 * The mean is over all N numbers of the rows that count. Customary form: max(y, 0) - target · y + log1p(e^-|y|).
 */
export const sigmoidCrossEntropy: Loss = {
  words: 'p = σ(y), loss = mean (log(1 + e^y) - target · y)',
  targets: 'values',

  value(logits, target) {
    const n = countRows(logits, target) * logits.columns;
    let loss = 0;
    logits.value.forEach((y, i) => {
      if (counts(logits, target, i)) loss += lossOf(y, targetAt(target, i)) / n;
    });
    return {
      outputs: logits.value.map(sigmoid.value),
      loss,
      dLogits: residuals(logits, target).map((r) => r / n),
    };
  },

  tangent(logits, target) {
    const n = countRows(logits, target) * logits.columns;
    return residuals(logits, target).reduce((sum, r, i) => sum + (r * logits.rate[i]) / n, 0);
  },

  // the loss moves by at most |p - target| E + E²/8; its three terms, exp and log1p are rounded
  errors(logits, target, charges) {
    const { model, floor } = charges;
    const { unit: u, kappa } = model;
    const k = varianceOfRounding(model);
    const n = countRows(logits, target) * logits.columns;
    const p = logits.value.map(sigmoid.value);
    const r = residuals(logits, target);
    const outputBound = p.map((x, i) => {
      const e = logits.bound[i];
      const moved = e === 0 ? 0 : Math.min(sigmoid.steepest(logits.value[i], e) * e, 1);
      return Math.min(moved + sigmoid.bound(logits.value[i], x + moved, charges), 1);
    });
    const outputVariance = p.map((x, i) => {
      const v = logits.variance[i];
      return Math.min((x * (1 - x)) ** 2 * v + v * v + sigmoid.variance(logits.value[i], x, charges), 1);
    });
    let bound = floor;
    let variance = floor * floor;
    let loss = 0;
    const dBound = new Float64Array(r.length);
    const dVariance = new Float64Array(r.length);
    r.forEach((residual, i) => {
      if (!counts(logits, target, i)) return;
      const y = Math.abs(logits.value[i]);
      const e = logits.bound[i];
      const v = logits.variance[i];
      const one = lossOf(logits.value[i], targetAt(target, i));
      const tail = Math.log1p(Math.exp(-y));
      const units = [targetAt(target, i) * y, 2 * (y + tail), (kappa.exp + kappa.log + 1 + y) * tail, one];
      const moved = Math.min(Math.abs(residual) * e + (e * e) / 8, e);
      const own = u * (1 + 8 * u) * (units.reduce((sum, x) => sum + x, 0) + 4 * e);
      bound += (moved + own + gamma(n + 2, u) * (one + moved + own)) / n;
      variance += (residual ** 2 * v + v * v + k * units.reduce((sum, x) => sum + x * x, 0)) / n ** 2;
      loss += one / n;
      const size = Math.abs(residual);
      const er = outputBound[i] + u * (size + outputBound[i]);
      dBound[i] = (er + gamma(3, u) * (size + er)) / n + floor;
      dVariance[i] = (outputVariance[i] + 3 * k * residual ** 2) / n ** 2 + floor * floor;
    });
    return {
      bound: { outputs: outputBound, loss: capBound(bound), dLogits: dBound },
      variance: {
        outputs: outputVariance,
        loss: capVariance(variance + k * (perSum(n) + 3) * loss * loss),
        dLogits: dVariance,
      },
    };
  },

  rounded(logits, target, kappa, rounding) {
    const { round, elementary, total } = rounding;
    const n = countRows(logits, target) * logits.columns;
    const outputs = logits.value.map((y) => sigmoid.rounded(y, kappa, rounding));
    const losses = logits.value.map((y, i) => {
      if (!counts(logits, target, i)) return 0;
      const e = elementary(Math.exp(-Math.abs(y)), kappa.exp);
      const tail = elementary(Math.log1p(e), kappa.log);
      return round(round(Math.max(y, 0) - round(targetAt(target, i) * y)) + tail);
    });
    return {
      outputs,
      loss: round(total(losses, losses.length) / n),
      dLogits: outputs.map((p, i) =>
        counts(logits, target, i) ? round(round(p - targetAt(target, i)) / n) : 0,
      ),
    };
  },
};

function counts({ columns }: Block, target: Target, i: number): boolean {
  return countsRow(target, Math.floor(i / columns));
}

function targetAt({ values }: Target, i: number): number {
  return values?.[i] ?? 0;
}

/** log(1 + e^y) - target · y, without overflow or cancellation: (1 - target) log(1 + e^y) + target log(1 + e^-y) */
function lossOf(y: number, target: number): number {
  const tail = Math.log1p(Math.exp(-Math.abs(y)));
  return (1 - target) * (Math.max(y, 0) + tail) + target * (Math.max(-y, 0) + tail);
}

/** p - target = (1 - target) σ(y) - target σ(-y), 0 in rows that do not count */
function residuals(logits: Block, target: Target): Matrix {
  return logits.value.map((y, i) =>
    counts(logits, target, i)
      ? (1 - targetAt(target, i)) * sigmoid.value(y) - targetAt(target, i) * sigmoid.value(-y)
      : 0,
  );
}
