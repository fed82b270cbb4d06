import type { Expression } from '../expression';
import type { Matrix } from '../matrix';
import type { Charges } from '../rounding-model';
import type { Kappa } from '../activations/activation';
import type { Rounding } from '../rounding';

/** Numbers [rows, columns]. */
export interface Block {
  readonly value: Matrix;
  readonly rows: number;
  readonly columns: number;
  /** what a function was called with, where this is its result: from it the slope is exact where the result has rounded to 1 */
  readonly argument?: Matrix;
}

/** A block and what rounding may have done to it. */
export interface Uncertain extends Block {
  /** largest possible |error| */ readonly bound: Matrix;
  readonly variance: Matrix;
}

/** Whether a number is certainly zero: whatever it is multiplied by is zero too, in any arithmetic, and adding it is exact. */
export function isZero({ value, bound }: Uncertain, i: number): boolean {
  return value[i] === 0 && bound[i] === 0;
}

/** A block and how fast it moves: a dual number a + a′ε with ε² = 0. */
export interface Moving extends Block {
  readonly rate: Matrix;
}

/**
 * An operation that works element by element, with every rule that the judge derives from it. `f` names the activation of `call`
 * and `slope`. `value` in the rules of error is the exact result.
 */
export interface Operation {
  /** formula text of the operation from that of its operands */
  readonly words: (operands: readonly string[], f: string) => string;
  /** gradient expressions for every operand, `d` being the gradient with respect to the result */
  readonly adjoint?: (
    operation: Expression,
    operands: readonly Expression[],
    d: Expression,
  ) => readonly Expression[];
  readonly value: (operands: readonly Block[], f: string) => Matrix;
  /** rate of the result; only for operations of forward equations */
  readonly tangent?: (operands: readonly Moving[], f: string) => Matrix;
  /** largest possible error of the result: inherited, and its own roundings */
  readonly bound: (operands: readonly Uncertain[], value: Matrix, charges: Charges, f: string) => Matrix;
  /** variance of the result's error, roundings as independent and uniform */
  readonly variance: (operands: readonly Uncertain[], value: Matrix, charges: Charges, f: string) => Matrix;
  /** the result in rounded arithmetic */
  readonly rounded: (operands: readonly Block[], kappa: Kappa, rounding: Rounding, f: string) => Matrix;
}
