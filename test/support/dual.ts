/**
 * Forward-mode differentiation by dual numbers, a + a'ε with ε² = 0 (Clifford 1873): the value and its derivative in one
 * direction travel together. An implementation of the layer and the classifier that shares nothing with scratch/, not
 * even the backward idea.
 */
export interface Dual {
  readonly value: number;
  readonly slope: number;
}

export const dual = (value: number, slope = 0): Dual => ({ value, slope });
export const add = (x: Dual, y: Dual): Dual => dual(x.value + y.value, x.slope + y.slope);
export const subtract = (x: Dual, y: Dual): Dual => dual(x.value - y.value, x.slope - y.slope);
export const times = (x: Dual, y: Dual): Dual =>
  dual(x.value * y.value, x.slope * y.value + x.value * y.slope);
export const sum = (terms: readonly Dual[]): Dual => terms.reduce(add, dual(0));
export const exp = (x: Dual): Dual => dual(Math.exp(x.value), Math.exp(x.value) * x.slope);
export const log = (x: Dual): Dual => dual(Math.log(x.value), x.slope / x.value);
/** tanh' = 1 / cosh² */
export const tanh = (x: Dual): Dual => dual(Math.tanh(x.value), x.slope / Math.cosh(x.value) ** 2);

export type Vector = readonly Dual[];
export type Matrix = readonly Vector[];

/** One example through the layer: its states h_1 .. h_T. */
export function dualStates(
  kernel: Matrix,
  recurrentKernel: Matrix,
  bias: Vector,
  steps: Matrix,
  initialState: Vector,
  mask?: readonly number[],
): Matrix {
  const states: Vector[] = [];
  let h = initialState;
  steps.forEach((x, t) => {
    if (mask?.[t] !== 0) {
      h = bias.map((b, u) => {
        const fromInputs = x.map((value, f) => times(value, kernel[f][u]));
        const fromState = h.map((value, v) => times(value, recurrentKernel[v][u]));
        return tanh(sum([b, ...fromInputs, ...fromState]));
      });
    }
    states.push(h);
  });
  return states;
}

/** -log softmax(h · kernel + bias) at the label, for one example. */
export function dualCrossEntropy(kernel: Matrix, bias: Vector, h: Vector, label: number): Dual {
  const logits = bias.map((b, c) => sum([b, ...h.map((value, u) => times(value, kernel[u][c]))]));
  const largest = dual(Math.max(...logits.map((z) => z.value)));
  const shifted = logits.map((z) => subtract(z, largest));
  return subtract(log(sum(shifted.map(exp))), shifted[label]);
}
