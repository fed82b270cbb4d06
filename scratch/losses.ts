import { checkLabels } from './labels';
import { argmaxOfRow, crossEntropyGradient, crossEntropyLoss, softmaxInto } from './softmax-cross-entropy';
import { borrowTensor, formatShape, indexOf, type Tensor, type TensorLike } from './tensor';

export type LossName = 'softmaxCrossEntropy' | 'sigmoidCrossEntropy' | 'meanSquaredError';

/** Class indices [rows], or numbers [rows, C]. */
export type Targets = Int32Array | Float64Array;

/**
 * The end of a network: from z, what its last layer gives, to the outputs that a user sees, and to one number.
 * A row is an example, or a time step of an example where the last layer gives all of them.
 */
interface Loss {
  /** outputs from z, both [rows, C] */
  outputs(z: Float64Array, rows: number, width: number, outputs: Float64Array): void;
  /** the mean over the rows */
  value(z: Float64Array, outputs: Float64Array, targets: Targets, width: number): number;
  /** dLoss/dz [rows, C], the mean's 1/rows included; dz may be the array of the outputs */
  gradient(outputs: Float64Array, targets: Targets, width: number, dz: Float64Array): void;
  /** the share of right answers */
  accuracy(outputs: Float64Array, targets: Targets, width: number): number;
}

/**
 * The losses by their names.
 *
 *     softmaxCrossEntropy   p = softmax(z)   -log p_label                        dz_k = (p_k - [k = label]) / rows
 *     sigmoidCrossEntropy   p = σ(z)         mean_k -(t log p + (1-t) log(1-p))  dz_k = (p_k - t_k) / (rows · C)
 *     meanSquaredError      y = z            mean_k (y - t)²                     dz_k = 2 (y_k - t_k) / (rows · C)
 *
 * Each is the mean over the rows, in nats where there is a logarithm. The logarithms are taken of z, not of p, so that
 * no z is too large: -(t log σ(z) + (1-t) log(1-σ(z))) = max(z, 0) - t z + log(1 + exp(-|z|)).
 */
export const losses: Readonly<Record<LossName, Loss>> = {
  softmaxCrossEntropy: {
    outputs: softmaxInto,
    value: (z, p, labels: Int32Array, classes) => crossEntropyLoss(z, p, labels, classes),
    gradient: crossEntropyGradient,
    accuracy: (p, labels, classes) =>
      share(labels.length, (row) => argmaxOfRow(p, row * classes, classes) === labels[row]),
  },
  sigmoidCrossEntropy: {
    outputs(z, _rows, _width, p) {
      for (let i = 0; i < p.length; i++) p[i] = 1 / (1 + Math.exp(-z[i]));
    },
    value(z, _, targets) {
      let sum = 0;
      for (let i = 0; i < targets.length; i++) {
        sum += Math.max(z[i], 0) - targets[i] * z[i] + Math.log1p(Math.exp(-Math.abs(z[i])));
      }
      return sum / targets.length;
    },
    gradient(p, targets, _, dz) {
      for (let i = 0; i < targets.length; i++) dz[i] = (p[i] - targets[i]) / targets.length;
    },
    // an answer counts as yes above one half
    accuracy: (p, targets) => share(targets.length, (i) => p[i] > 0.5 === targets[i] > 0.5),
  },
  meanSquaredError: {
    outputs: (z, _rows, _width, y) => y.set(z),
    value(_, y, targets) {
      let sum = 0;
      for (let i = 0; i < targets.length; i++) sum += (y[i] - targets[i]) ** 2;
      return sum / targets.length;
    },
    gradient(y, targets, _, dz) {
      for (let i = 0; i < targets.length; i++) dz[i] = (2 * (y[i] - targets[i])) / targets.length;
    },
    accuracy: () => NaN,
  },
};

/**
 * The loss of z [B, C] or [B, T, C] and what follows from it. Masked steps have no part in it: not in the mean, and their
 * gradient is zero. At least one step exists.
 */
export function judge(name: LossName, { data, shape }: Tensor, targets: Targets, mask: Tensor | undefined) {
  const loss = losses[name];
  const width = shape[shape.length - 1];
  const kept = mask && Int32Array.from(mask.data.keys()).filter((row) => mask.data[row] !== 0);
  const z = kept ? rowsOf(data, kept, width) : data;
  const t = kept ? rowsOf(targets, kept, (targets.length * width) / data.length) : targets;
  const outputs = new Float64Array(z.length);
  loss.outputs(z, z.length / width, width, outputs);
  return {
    loss: loss.value(z, outputs, t, width),
    accuracy: loss.accuracy(outputs, t, width),
    /** dLoss/dz, in the shape of z; call it once: it is written over the outputs */
    gradient: (): Float64Array => {
      const dz = outputs;
      loss.gradient(outputs, t, width, dz);
      if (kept === undefined) return dz;
      const all = new Float64Array(data.length);
      kept.forEach((row, i) => all.set(dz.subarray(i * width, (i + 1) * width), row * width));
      return all;
    },
  };
}

/** Some rows of a matrix, below each other. */
function rowsOf<T extends Targets>(data: T, rows: Int32Array, width: number): T {
  const some = data.slice(0, rows.length * width) as T;
  rows.forEach((row, i) => some.set(data.subarray(row * width, (row + 1) * width), i * width));
  return some;
}

function share(count: number, isRight: (i: number) => boolean): number {
  let hits = 0;
  for (let i = 0; i < count; i++) if (isRight(i)) hits++;
  return hits / count;
}

/**
 * The boundary check of targets.
 *
 * @param targets softmaxCrossEntropy: class indices, [B], or [B, T] when the network gives every time step; otherwise numbers
 * in the shape of the outputs, for sigmoidCrossEntropy in [0, 1]
 * @param shape of the outputs: [B, C] or [B, T, C]
 * @throws RangeError when the shape does not fit or a number is out of range
 */
export function checkTargets(
  loss: LossName,
  targets: TensorLike | ArrayLike<number>,
  shape: readonly number[],
  name: string,
): Targets {
  const classes = shape[shape.length - 1];
  if (loss === 'softmaxCrossEntropy') {
    if (shape.length === 2) return checkLabels(targets as ArrayLike<number>, name, shape[0], classes);
    const labels = borrowTensor(targets as TensorLike, name, shape.slice(0, 2));
    refuse(labels.data, labels.shape, name, (x) => Number.isInteger(x) && x >= 0 && x < classes, {
      expected: `a label is an integer from 0 to ${classes - 1}`,
      fix: 'number the classes from 0 and build the network with enough of them',
    });
    return Int32Array.from(labels.data);
  }
  const numbers = borrowTensor(targets as TensorLike, name, shape);
  if (loss === 'sigmoidCrossEntropy') {
    refuse(numbers.data, numbers.shape, name, (x) => x >= 0 && x <= 1, {
      expected: 'a target of sigmoidCrossEntropy is a probability from 0 to 1',
      fix: 'pass 0 for no and 1 for yes, or take meanSquaredError',
    });
  }
  return numbers.data;
}

function refuse(
  data: Float64Array,
  shape: readonly number[],
  name: string,
  fits: (x: number) => boolean,
  { expected, fix }: { readonly expected: string; readonly fix: string },
): void {
  const bad = data.findIndex((x) => !fits(x));
  if (bad < 0) return;
  throw new RangeError(
    `${name} holds ${String(data[bad])} at ${formatShape(indexOf(bad, shape))}; ${expected}, so ${fix}.`,
  );
}
