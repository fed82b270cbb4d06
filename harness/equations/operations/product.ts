import { numberOf, productOf } from '../expression';
import { capBound, capVariance, gamma, varianceOfRounding } from '../rounding-model';
import type { Operation } from './operation';

/**
 * v = v_1 ∘ v_2 ∘ ... ∘ v_n, in any order.
 *
 *     E = Π(|v_i| + E_i) - Π|v_i|, then γ_(n-1) Π(|v_i| + E_i)
 *     V = Π(v_i² + V_i) - Πv_i² + k (n - 1) v²
 */
export const product: Operation = {
  words: (operands) => operands.join(' ∘ '),

  adjoint: (_, operands, d) =>
    operands.map((operand, i) =>
      operand.op === 'number' ? numberOf(0) : productOf([d, ...operands.filter((__, j) => j !== i)]),
    ),

  value: (operands) =>
    operands[0].value.map((_, i) => operands.reduce((product, { value }) => product * value[i], 1)),

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
    return value.map((v, i) => {
      const exact = Math.abs(v);
      let inherited = 0; // Π(|v| + E) - Π|v|, built up so that nothing cancels
      let whole = 1;
      for (const operand of operands) {
        const size = Math.abs(operand.value[i]);
        inherited = inherited * size + (whole + inherited) * operand.bound[i];
        whole *= size;
      }
      return capBound(inherited + g * (exact + inherited) + (operands.length - 1) * floor);
    });
  },

  variance(operands, value, { model, floor }) {
    const own = varianceOfRounding(model) * (operands.length - 1);
    return value.map((v, i) => {
      let inherited = 0;
      let whole = 1;
      for (const operand of operands) {
        const square = operand.value[i] ** 2;
        inherited = inherited * square + (whole + inherited) * operand.variance[i];
        whole *= square;
      }
      return capVariance(inherited + own * v * v + floor * floor);
    });
  },

  rounded(operands, _, { round, form }) {
    // left to right, or right to left
    const ordered = form(2) === 0 ? operands : operands.toReversed();
    const [first, ...others] = ordered;
    return first.value.map((x, i) => others.reduce((product, { value }) => round(product * value[i]), x));
  },
};
