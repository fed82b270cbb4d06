import { noCard, varianceOfRounding, type Charges } from '../rounding-model';
import { square, type Activation } from './activation';

/** sech(z)² = 4 e^(-2|z|) / (1 + e^(-2|z|))², free of cancellation */
function squaredSech(z: number): number {
  const e = Math.exp(-2 * Math.abs(z));
  return (4 * e) / ((1 + e) * (1 + e));
}

/** What computing y = tanh(z) may be off by, in units of u: relative to y, and absolutely in other customary forms. */
function valueUnits(y: number, { model: { kappa, forms, card = noCard } }: Charges): number {
  const relative = kappa.tanh * Math.min(1, Math.abs(y));
  return Math.max(relative + card.tanh * Math.max(0, 1 - y * y), forms?.tanh ?? 0);
}

/** 1 - y² in units of u; in other customary forms (1 - y)(1 + y), and 1/cosh(z)² from the layer's own z, whose y is off as well. */
function otherSlopes(y: number, g: number, charges: Charges): number {
  const { forms } = charges.model;
  return forms === undefined
    ? 0
    : Math.max(3 * g, forms.slope * g + 2 * Math.abs(y) * valueUnits(y, charges));
}

export const tanh: Activation = {
  symbol: 'tanh',
  spellings: [],
  value: Math.tanh,
  derivative: squaredSech,
  steepest: (z, reach) => squaredSech(Math.max(Math.abs(z) - reach, 0)),
  range: 2,
  bound: (_, y, charges) => charges.model.unit * valueUnits(y, charges) + charges.floor,
  variance: (_, y, charges) =>
    varianceOfRounding(charges.model) * valueUnits(y, charges) ** 2 + charges.floor ** 2,
  rounded: (z, kappa, { elementary }) => Math.max(-1, Math.min(1, elementary(Math.tanh(z), kappa.tanh))),
  slope: {
    from: 'output',
    words: '1 - y²',
    value: (y) => (1 - y) * (1 + y),
    bound: (y, e) => 2 * Math.abs(y) * e + e * e,
    variance: (y, v) => 4 * y * y * v + 3 * v * v,
    largest: 1,
    ownBound: (y, g, charges) =>
      charges.model.unit *
      (1 + 4 * charges.model.unit) *
      Math.max(y * y + Math.abs(g), otherSlopes(y, Math.abs(g), charges)),
    ownVariance: (y, g, charges) =>
      varianceOfRounding(charges.model) *
      Math.max(y ** 4 + g * g, square(otherSlopes(y, Math.abs(g), charges))),
    rounded(y, { round, form }) {
      if (form(2) === 0) return round(1 - round(y * y));
      return round(round(1 - y) * round(1 + y));
    },
  },
};
