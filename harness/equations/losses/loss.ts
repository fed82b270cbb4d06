import type { Kappa } from '../activations/activation';
import type { Matrix } from '../matrix';
import type { Block, Moving, Uncertain } from '../operations/operation';
import type { Charges } from '../rounding-model';
import type { Rounding } from '../rounding';

/** What the logits are compared with: one class index a row, or numbers [rows, columns]. */
export interface Target {
  readonly labels?: readonly number[];
  readonly values?: Matrix;
  /** 1 where a row counts [rows]; every row counts when absent */ readonly live?: Uint8Array;
}

/** Numbers of a loss: `outputs` [rows, columns] are probabilities, or the logits themselves; the loss is a mean. */
export interface LossNumbers {
  readonly outputs: Matrix;
  readonly loss: number;
  /** gradient with respect to the logits [rows, columns] */ readonly dLogits: Matrix;
}

export interface LossErrors {
  readonly bound: LossNumbers;
  readonly variance: LossNumbers;
}

/** A loss with every rule that the judge derives from it. `value` in `errors` is the exact result. */
export interface Loss {
  /** how reports write it */ readonly words: string;
  /** whether targets are class indices, or numbers */ readonly targets: 'labels' | 'values';
  readonly value: (logits: Block, target: Target) => LossNumbers;
  /** rate of the loss */
  readonly tangent: (logits: Moving, target: Target) => number;
  readonly errors: (logits: Uncertain, target: Target, charges: Charges) => LossErrors;
  readonly rounded: (logits: Block, target: Target, kappa: Kappa, rounding: Rounding) => LossNumbers;
}

/** How many rows count. */
export function countRows(logits: Block, { live }: Target): number {
  return live === undefined ? logits.rows : live.reduce((sum, alive) => sum + alive, 0);
}

export function countsRow({ live }: Target, row: number): boolean {
  return live === undefined || live[row] === 1;
}
