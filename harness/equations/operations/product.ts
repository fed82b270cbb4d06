import { numberOf, productOf } from '../expression';
import { capBound, capVariance, gamma, varianceOfRounding } from '../rounding-model';
import type { Matrix } from '../matrix';
import { isZero, type Operation, type Uncertain } from './operation';

/**
 * v = v_1 ∘ v_2 ∘ ... ∘ v_n, in any order.
 *
 *     E = Π(|v_i| + E_i) - Π|v_i|, then γ_(n-1) Π(|v_i| + E_i)
 *     V = Π(v_i² + V_i) - Πv_i² + k (n - 1) v²
 *
 * Both are 0 where a factor is certainly zero.
 */
export const product: Operation = {
  words: (operands) => operands.join(' ∘ '),

  adjoint: (_, operands, d) =>
    operands.map((operand, i) =>
      operand.op === 'number' ? numberOf(0) : productOf([d, ...operands.filter((__, j) => j !== i)]),
    ),

  value([first, ...others]) {
    const out = first.value.slice();
    for (const { value } of others) for (let i = 0; i < out.length; i++) out[i] *= value[i];
    return out;
  },

  tangent: (operands) =>
    operands[0].value.map((_, i) =>
      operands.reduce(
        (sum, { rate }, moving) =>
          sum +
          operands.reduce(
            (product, { value }, other) => (other === moving ? product : product * value[i]),
            rate[i],
          ),
        0,
      ),
    ),

  bound(operands, value, { model, floor }) {
    const g = gamma(operands.length - 1, model.unit);
    const least = (operands.length - 1) * floor;
    const inherited = excess(operands, ({ bound }) => bound, Math.abs);
    for (let i = 0; i < inherited.length; i++)
      inherited[i] = isAnyZero(operands, i)
        ? 0
        : capBound(inherited[i] + g * (Math.abs(value[i]) + inherited[i]) + least);
    return inherited;
  },

  variance(operands, value, { model, floor }) {
    const own = varianceOfRounding(model) * (operands.length - 1);
    const inherited = excess(operands, ({ variance }) => variance, square);
    for (let i = 0; i < inherited.length; i++) {
      const v = value[i];
      inherited[i] = isAnyZero(operands, i) ? 0 : capVariance(inherited[i] + own * v * v + floor * floor);
    }
    return inherited;
  },

  rounded(operands, _, { round, form }) {
    // left to right, or right to left
    const ordered = form(2) === 0 ? operands : operands.toReversed();
    const [first, ...others] = ordered;
    return first.value.map((x, i) => others.reduce((product, { value }) => round(product * value[i]), x));
  },
};

const square = (x: number): number => x * x;

function isAnyZero(operands: readonly Uncertain[], i: number): boolean {
  for (const operand of operands) if (isZero(operand, i)) return true;
  return false;
}

/** Π(|v| + E) - Π|v| of the operands' sizes and errors, built up so that nothing cancels */
function excess(
  operands: readonly Uncertain[],
  errorOf: (operand: Uncertain) => Matrix,
  sizeOf: (x: number) => number,
): Matrix {
  const { length } = operands[0].value;
  const inherited = new Float64Array(length);
  const whole = new Float64Array(length).fill(1);
  for (const operand of operands) {
    const error = errorOf(operand);
    for (let i = 0; i < length; i++) {
      const size = sizeOf(operand.value[i]);
      inherited[i] = inherited[i] * size + (whole[i] + inherited[i]) * error[i];
      whole[i] *= size;
    }
  }
  return inherited;
}
