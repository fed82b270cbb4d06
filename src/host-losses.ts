import type { LossName, Targets, Tensor } from '../scratch/index';

// What happens to the logits concerns B · C numbers, which are read for the accuracy anyway: it is computed here, in float64.

/** The loss of a batch from its logits, and what follows from it. */
export interface HostLoss {
  /** mean over the rows that exist; nats where there is a logarithm */ readonly loss: number;
  /** share of right answers; NaN for numbers */ readonly accuracy: number;
  /** dLoss/dlogits, in their shape; zero in rows that do not exist */ readonly gradient: () => Float32Array;
}

/** One row of logits, `width` numbers from `at`. */
interface Row {
  readonly z: ArrayLike<number>;
  readonly at: number;
  readonly width: number;
  /** of the whole batch */ readonly targets: Targets;
  /** which row: the place of its label */ readonly row: number;
}

interface RowRule {
  /** outputs from logits */ outputs(row: Pick<Row, 'z' | 'at' | 'width'>, to: Float64Array): void;
  loss(row: Row): number;
  right(row: Row): number;
  /** dloss/dz_k of this row alone */ gradient(row: Row, outputs: Float64Array, k: number): number;
}

/**
 *     softmaxCrossEntropy   p_k = exp(z_k - max) / Σ exp(z_j - max)    log Σ exp(z_j - max) - (z_label - max)     p_k - [k = label]
 *     sigmoidCrossEntropy   p_k = 1 / (1 + exp(-z_k))                  mean_k max(z, 0) - t z + log(1 + exp(-|z|))  (p_k - t_k) / C
 *     meanSquaredError      y_k = z_k                                  mean_k (z - t)²                            2 (z_k - t_k) / C
 */
const rules: Readonly<Record<LossName, RowRule>> = {
  softmaxCrossEntropy: {
    outputs({ z, at, width }, to) {
      const max = largest(z, at, width);
      let sum = 0;
      for (let k = at; k < at + width; k++) sum += to[k] = Math.exp(z[k] - max);
      for (let k = at; k < at + width; k++) to[k] /= sum;
    },
    loss({ z, at, width, targets, row }) {
      const max = largest(z, at, width);
      let sum = 0;
      for (let k = at; k < at + width; k++) sum += Math.exp(z[k] - max);
      return Math.log(sum) - (z[at + targets[row]] - max);
    },
    right: ({ z, at, width, targets, row }) => Number(argmaxOfRow(z, at, width) === targets[row]),
    gradient: ({ at, targets, row }, p, k) => p[k] - Number(k - at === targets[row]),
  },
  sigmoidCrossEntropy: {
    outputs({ z, at, width }, to) {
      for (let k = at; k < at + width; k++) to[k] = 1 / (1 + Math.exp(-z[k]));
    },
    loss: ({ z, at, width, targets }) =>
      meanOf(at, width, (k) => Math.max(z[k], 0) - targets[k] * z[k] + Math.log1p(Math.exp(-Math.abs(z[k])))),
    right: ({ z, at, width, targets }) => meanOf(at, width, (k) => Number(z[k] > 0 === targets[k] > 0.5)),
    gradient: ({ width, targets }, p, k) => (p[k] - targets[k]) / width,
  },
  meanSquaredError: {
    outputs({ z, at, width }, to) {
      for (let k = at; k < at + width; k++) to[k] = z[k];
    },
    loss: ({ z, at, width, targets }) => meanOf(at, width, (k) => (z[k] - targets[k]) ** 2),
    right: () => NaN,
    gradient: ({ z, width, targets }, _, k) => (2 * (z[k] - targets[k])) / width,
  },
};

/** Probabilities, or the numbers themselves for meanSquaredError. @param logits [rows, width] */
export function outputsOf(loss: LossName, logits: ArrayLike<number>, width: number): Float64Array {
  const outputs = new Float64Array(logits.length);
  for (let at = 0; at < outputs.length; at += width) rules[loss].outputs({ z: logits, at, width }, outputs);
  return outputs;
}

/**
 * @param logits [B, C] or [B, T, C]
 * @param targets checked for them
 * @param mask [B, T]: a time step with 0 has no part in the mean
 */
export function lossOf(
  name: LossName,
  logits: ArrayLike<number>,
  width: number,
  targets: Targets,
  mask: Tensor | undefined,
): HostLoss {
  const rule = rules[name];
  const rows = logits.length / width;
  const exists = (row: number): boolean => mask?.data[row] !== 0;
  let [loss, right, count] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    if (!exists(row)) continue;
    const one = { z: logits, at: row * width, width, targets, row };
    loss += rule.loss(one);
    right += rule.right(one);
    count++;
  }
  return {
    loss: loss / count,
    accuracy: right / count,
    gradient: () => {
      const outputs = outputsOf(name, logits, width);
      const gradient = new Float32Array(logits.length);
      for (let row = 0; row < rows; row++) {
        if (!exists(row)) continue;
        const one = { z: logits, at: row * width, width, targets, row };
        for (let k = one.at; k < one.at + width; k++) gradient[k] = rule.gradient(one, outputs, k) / count;
      }
      return gradient;
    },
  };
}

/** The share of right answers among the rows that exist; NaN for numbers. Arguments as those of `lossOf`. */
export function accuracyOf(
  name: LossName,
  logits: ArrayLike<number>,
  width: number,
  targets: Targets,
  mask: Tensor | undefined,
): number {
  let [right, count] = [0, 0];
  for (let row = 0; row < logits.length / width; row++) {
    if (mask?.data[row] === 0) continue;
    right += rules[name].right({ z: logits, at: row * width, width, targets, row });
    count++;
  }
  return right / count;
}

/** Which of the `width` numbers from `at` is the largest, the first of them on a tie. */
export function argmaxOfRow(z: ArrayLike<number>, at: number, width: number): number {
  let best = 0;
  for (let k = 1; k < width; k++) if (z[at + k] > z[at + best]) best = k;
  return best;
}

function largest(z: ArrayLike<number>, at: number, width: number): number {
  let max = -Infinity;
  for (let k = at; k < at + width; k++) max = Math.max(max, z[k]);
  return max;
}

function meanOf(at: number, width: number, term: (k: number) => number): number {
  let sum = 0;
  for (let k = at; k < at + width; k++) sum += term(k);
  return sum / width;
}
