import { activationOf } from '../activations/index';
import { productOf, type Expression } from '../expression';
import { capBound, capVariance } from '../rounding-model';
import type { Operation } from './operation';

/**
 * y = f(z).
 *
 *     E = min(largest |f′| on z ± E_z · E_z, range of f) + what computing f may be off by (κ u |y|)
 *     V = f′² V_z + k (κ y)²
 */
export const call: Operation = {
  words: ([z], f) => `${f}(${z})`,

  adjoint: (operation, operands, d) => [productOf([d, slopeOf(operation, operands[0])])],

  value: ([{ value }], f) => value.map(activationOf(f).value),

  tangent([{ value, rate }], f) {
    const { derivative } = activationOf(f);
    return value.map((z, i) => (rate[i] === 0 ? 0 : derivative(z) * rate[i]));
  },

  bound([z], value, charges, f) {
    const activation = activationOf(f);
    const out = new Float64Array(value.length);
    for (let i = 0; i < out.length; i++) {
      const reach = z.bound[i];
      const moved =
        reach === 0 ? 0 : Math.min(activation.steepest(z.value[i], reach) * reach, activation.range);
      // the function is computed at a z that is off, so its own error is that of the largest y in reach
      const own = activation.bound(z.value[i], Math.abs(value[i]) + moved, charges);
      out[i] = capBound(Math.min(moved + own, activation.range));
    }
    return out;
  },

  variance([z], value, charges, f) {
    const activation = activationOf(f);
    const most = activation.range === Infinity ? Infinity : activation.range ** 2 / 4;
    const out = new Float64Array(value.length);
    for (let i = 0; i < out.length; i++) {
      const v = z.variance[i];
      let moved = 0;
      if (v !== 0) {
        const slope = activation.steepest(z.value[i], Math.min(3 * Math.sqrt(v), Number.MAX_VALUE));
        moved = slope * slope * v;
      }
      out[i] = capVariance(Math.min(moved + activation.variance(z.value[i], value[i], charges), most));
    }
    return out;
  },

  rounded: ([{ value }], kappa, rounding, f) => value.map((z) => activationOf(f).rounded(z, kappa, rounding)),
};

/** f′ as a layer computes it: from the result where it tells the slope, else from the argument. */
function slopeOf(operation: Expression, argument: Expression): Expression {
  if (operation.op !== 'call' || operation.f === undefined) throw new Error('slopeOf: no call');
  const { slope } = activationOf(operation.f);
  const of = slope.from === 'output' ? operation : argument;
  return { op: 'slope', f: operation.f, of: [of], axis: operation.axis };
}
