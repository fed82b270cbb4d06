import type { Matrix } from './matrix';
import type { ForwardStep, HeadValues, Slope } from './trace';

export type KernelName = 'kernel' | 'recurrentKernel' | 'outputKernel';

export interface HeadErrors {
  /** [B, C] */ readonly probabilities: Matrix;
  /** one number */ readonly loss?: number;
  /** [B, C] */ readonly dLogits?: Matrix;
}

/**
 * How an error travels through one equation of the network. Two implementations share this interface:
 * `rigorousRules` (an error is the largest possible |error|) and `varianceRules` (an error is a variance).
 * The first argument pair of each method is a value and the error it already carries; the result adds what this
 * equation's own roundings contribute.
 */
export interface ErrorRules {
  /** h = tanh(x kernel + h_before recurrentKernel + bias) */
  activation(step: ForwardStep, beforeError: Matrix): Matrix;
  /** y = h outputKernel + outputBias */
  logits(state: Matrix, stateError: Matrix, logits: Matrix): Matrix;
  /** p = softmax y, loss = -mean log p_label, dy = (p - onehot) / B */
  head(values: HeadValues, logitsError: Matrix): HeadErrors;
  /** v W^T + more_1 + more_2 ..., where `product` = v W^T */
  backThrough(
    weight: KernelName,
    v: Matrix,
    vError: Matrix,
    product: Matrix,
    more: readonly Matrix[],
  ): Matrix;
  /** v + more_1 + more_2 ... */
  sum(v: Matrix, vError: Matrix, more: readonly Matrix[]): Matrix;
  /** dz = dh (1 - h^2) */
  preActivation(step: Slope, activationError: Matrix, dState: Matrix, dStateError: Matrix): Matrix;
  /** adds the error of left^T v to `out`; `terms` is the number of terms of the whole sum */
  addOuter(
    out: Matrix,
    left: Matrix,
    leftError: Matrix | undefined,
    v: Matrix,
    vError: Matrix,
    terms: number,
  ): void;
  /** adds the error of the sum over the rows of v to `out` */
  addRows(out: Matrix, v: Matrix, vError: Matrix, terms: number): void;
  /** a gradient v that a side shows: where the form is unknown, the mean may divide only here */
  shown(v: Matrix, vError: Matrix): Matrix;
  /** how far tanh z may be from the h of the side itself, where its slope may be computed from z */
  ownActivation(h: Matrix): Matrix;
  /** closes a sum of `terms` terms whose value is `gradient` */
  finish(out: Matrix, gradient: Matrix, terms: number): Matrix;
}
