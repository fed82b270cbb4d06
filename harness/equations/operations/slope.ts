import { activationOf } from '../activations/index';
import { capBound, capVariance } from '../rounding-model';
import type { Operation } from './operation';

/**
 * g = f′, in derived equations only: from y = f(z) for tanh (1 - y²) and σ (y (1 - y)), from z for the piecewise straight ones.
 * Its value is taken from z where z is known, because 1 - y² cancels; its error is always that of the customary forms.
 *
 *     E = min(largest change of f′ for y ± E_y + roundings, largest f′); a state beyond 1, which no tanh gives, has a larger f′
 *     V = (df′/dy)² V_y + roundings
 */
export const slope: Operation = {
  words: ([operand], f) => `${f}′[${operand}]`,

  value([{ value, argument }], f) {
    const activation = activationOf(f);
    if (activation.slope.from === 'output' && argument !== undefined)
      return argument.map(activation.derivative);
    return value.map(activation.slope.value);
  },

  bound([w], value, charges, f) {
    const rules = activationOf(f).slope;
    const out = new Float64Array(value.length);
    for (let i = 0; i < out.length; i++) {
      const moved = rules.bound(w.value[i], w.bound[i]) + rules.ownBound(w.value[i], value[i], charges);
      out[i] = capBound(Math.min(moved, Math.max(rules.largest, Math.abs(value[i]))) + charges.floor);
    }
    return out;
  },

  variance([w], value, charges, f) {
    const rules = activationOf(f).slope;
    const out = new Float64Array(value.length);
    for (let i = 0; i < out.length; i++) {
      const g = value[i];
      const moved = rules.variance(w.value[i], w.variance[i]) + rules.ownVariance(w.value[i], g, charges);
      out[i] = capVariance(Math.min(moved, Math.max(rules.largest ** 2, g * g)));
    }
    return out;
  },

  rounded: ([{ value }], _, rounding, f) => value.map((w) => activationOf(f).slope.rounded(w, rounding)),
};
