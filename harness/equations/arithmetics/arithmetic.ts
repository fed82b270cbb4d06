import type { ElementwiseName } from '../expression';
import type { LossName, Target } from '../losses/index';
import type { Matrix } from '../matrix';
import type { Block } from '../operations/operation';
import type { Share } from '../operations/outer';
import type { SumTerm } from '../operations/sum-terms';

/** The outcome of a loss: `outputs` and `dLogits` [rows, columns], the loss [1, 1]. */
export interface LossOutcome<V> {
  readonly outputs: V;
  readonly loss: V;
  readonly dLogits: V;
}

/**
 * What a number is while the runner walks through a network: a float64 value; a value with its possible error; a value in rounded
 * arithmetic; a dual number. Each method works on blocks [rows, columns].
 */
export interface Arithmetic<V extends Block> {
  /** A number of the problem, exact: inputs, weights, initial states, upstream gradients. `path` says which: `rnn.kernel` */
  given(path: string, value: Matrix, rows: number): V;
  sum(terms: readonly SumTerm<V>[], factor: boolean): V;
  apply(operation: ElementwiseName, operands: readonly V[], f: string): V;
  /** Σ leftᵀ · right, the gradient of a weight */
  outer(shares: readonly Share<V>[]): V;
  loss(name: LossName, logits: V, target: Target): LossOutcome<V>;
  /** columns from..to */
  columns(of: V, from: number, to: number): V;
  sideBySide(parts: readonly V[]): V;
  /** rows from..to */
  rows(of: V, from: number, to: number): V;
  below(parts: readonly V[]): V;
  /** row i of `real` where live[i] is 1, else row i of `kept` */
  select(live: Uint8Array, real: V, kept: V): V;
}
