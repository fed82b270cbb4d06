import { noCard, varianceOfRounding, type Charges } from '../rounding-model';
import { square, type Activation } from './activation';

/** σ(z) = 1 / (1 + e^-z), without overflow */
function value(z: number): number {
  if (z >= 0) return 1 / (1 + Math.exp(-z));
  const e = Math.exp(z);
  return e / (1 + e);
}

/** σ(z) σ(-z), free of cancellation */
function derivative(z: number): number {
  return value(z) * value(-z);
}

/** Below this the relative error of a computed σ is no longer bounded: e^-z of single precision overflows. */
const vanishing = 87;

/**
 * What computing y = σ(z) may be off by, in units of u: relative to y, where e^-z of a graphics card errs by more, the further z is below
 * 0. In other customary forms absolutely, as in σ(z) = 1/2 + tanh(z/2) / 2, where half the error of tanh and that of the sum are left.
 */
function valueUnits(z: number, y: number, { model: { kappa, forms, card = noCard } }: Charges): number {
  const relative = (kappa.sigmoid + card.exponent * Math.max(0, -z)) * Math.abs(y);
  if (forms === undefined) return relative;
  return Math.max(relative, Math.max(kappa.tanh * Math.abs(2 * y - 1), forms.tanh) / 2 + Math.abs(y));
}

/** y (1 - y) in units of u; in other customary forms y - y², and σ(z) σ(-z) from the layer's own z, whose y is off as well. */
function otherSlopes(y: number, g: number, charges: Charges): number {
  const { forms } = charges.model;
  if (forms === undefined) return 0;
  return Math.max(y * y + g, forms.slope * g + Math.abs(1 - 2 * y) * valueUnits(0, y, charges));
}

export const sigmoid: Activation = {
  symbol: 'σ',
  spellings: ['sigmoid', 'sigma'],
  value,
  derivative,
  steepest: (z, reach) => derivative(Math.max(Math.abs(z) - reach, 0)),
  range: 1,
  bound: (z, y, charges) =>
    valueUnits(z, y, charges) * charges.model.unit +
    charges.floor +
    (z < -vanishing ? Math.exp(-vanishing) : 0),
  variance: (z, y, charges) =>
    varianceOfRounding(charges.model) * valueUnits(z, y, charges) ** 2 +
    charges.floor ** 2 +
    (z < -vanishing ? Math.exp(-2 * vanishing) : 0),
  rounded: (z, kappa, { elementary }) => Math.min(1, elementary(value(z), kappa.sigmoid)),
  slope: {
    from: 'output',
    words: 'y (1 - y)',
    value: (y) => y * (1 - y),
    bound: (y, e) => Math.abs(1 - 2 * y) * e + e * e,
    variance: (y, v) => (1 - 2 * y) ** 2 * v + 3 * v * v,
    largest: 0.25,
    ownBound: (y, g, charges) =>
      charges.model.unit *
      (1 + 4 * charges.model.unit) *
      Math.max(2 * Math.abs(g), otherSlopes(y, Math.abs(g), charges)),
    ownVariance: (y, g, charges) =>
      varianceOfRounding(charges.model) * Math.max(2 * g * g, square(otherSlopes(y, Math.abs(g), charges))),
    rounded(y, { round, form }) {
      if (form(2) === 0) return round(y * round(1 - y));
      return round(y - round(y * y));
    },
  },
};
