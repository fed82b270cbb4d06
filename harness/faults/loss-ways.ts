import type { Arithmetic, Block } from '../equations/index';
import type { Given, Way } from './faulty';

export type Row = readonly number[];
export type Rows = readonly Row[];

/** A loss as it should be, to be changed. */
interface RightLoss {
  /** y [B][C] */ readonly logits: Rows;
  /** empty where there are none */ readonly labels: readonly number[];
  /** p = softmax(y) */ readonly p: Rows;
  /** dy = (p - onehot) / B */ readonly dLogits: Rows;
  /** the mean over the batch of -log softmax(y)_label */ readonly loss: number;
  /** loss and probabilities of other logits, or with other labels */
  readonly of: (logits: Rows, labels?: readonly number[]) => { readonly loss: number; readonly p: Rows };
  /** (p - onehot) / B of other probabilities, or with other labels */
  readonly residual: (p: Rows, labels?: readonly number[]) => Rows;
}

interface WrongLoss {
  readonly p?: Rows;
  readonly loss?: number;
  /** made of `p` unless it is given */ readonly dLogits?: Rows;
}

export const sumOf = (numbers: Row): number => numbers.reduce((sum, x) => sum + x, 0);

/** The softmax cross-entropy, changed. */
export function lossChanged(change: (right: RightLoss, given: Given) => WrongLoss): Way {
  return (given) => ({
    around: <V extends Block>(arithmetic: Arithmetic<V>): Arithmetic<V> => ({
      ...arithmetic,
      loss(name, logits, target) {
        const right = arithmetic.loss(name, logits, target);
        const rowsOf = (data: Float64Array): Rows =>
          Array.from({ length: logits.rows }, (_, b) =>
            Array.from(data.subarray(b * logits.columns, (b + 1) * logits.columns)),
          );
        const { labels = [] } = target;
        const residual = (p: Rows, of = labels): Rows =>
          p.map((row, b) => row.map((x, c) => (x - Number(c === of[b])) / logits.rows));
        const of = (rows: Rows, other = labels): { loss: number; p: Rows } => {
          const block = { ...logits, value: Float64Array.from(rows.flat()) };
          const made = arithmetic.loss(name, block, {
            ...target,
            ...(other.length > 0 && { labels: other }),
          });
          return { loss: made.loss.value[0], p: rowsOf(made.outputs.value) };
        };
        const own: RightLoss = {
          ...{ labels, of, residual, logits: rowsOf(logits.value), p: rowsOf(right.outputs.value) },
          ...{ dLogits: rowsOf(right.dLogits.value), loss: right.loss.value[0] },
        };
        const { p, loss = own.loss, dLogits = p && residual(p) } = change(own, given);
        const put = (block: V, data: Rows | undefined): V =>
          data === undefined ? block : { ...block, value: Float64Array.from(data.flat()) };
        return {
          outputs: put(right.outputs, p),
          loss: { ...right.loss, value: Float64Array.of(loss) },
          dLogits: put(right.dLogits, dLogits),
        };
      },
    }),
  });
}
