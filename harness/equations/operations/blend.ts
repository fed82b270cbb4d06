import { numberOf, productOf, sumOf } from '../expression';
import { capBound, capVariance, varianceOfRounding } from '../rounding-model';
import type { Operation } from './operation';

/**
 * v = g ∘ a + (1 - g) ∘ b: what a gate takes of one and leaves of the other. Three customary forms are charged, the worst of them:
 *
 *     g a + (1 - g) b     b + g (a - b)     g a + b - g b
 *
 * E carries E_g |a - b| + E_a |g| + E_b |1 - g| and the products of two errors; the roundings of each form are listed in `roundings`.
 */
export const blend: Operation = {
  words: ([g, a, b]) => `${g} ∘ ${a} + (1 - ${g}) ∘ ${b}`,

  adjoint: (_, [g, a, b], d) => [
    productOf([
      d,
      sumOf([
        { sign: 1, of: a },
        { sign: -1, of: b },
      ]),
    ]),
    productOf([d, g]),
    productOf([
      d,
      sumOf([
        { sign: 1, of: numberOf(1) },
        { sign: -1, of: g },
      ]),
    ]),
  ],

  value: ([g, a, b]) => g.value.map((x, i) => x * a.value[i] + (1 - x) * b.value[i]),

  tangent: ([g, a, b]) =>
    g.value.map((x, i) => g.rate[i] * (a.value[i] - b.value[i]) + x * a.rate[i] + (1 - x) * b.rate[i]),

  bound: ([g, a, b], value, { model, floor }) =>
    value.map((v, i) => {
      const [eg, ea, eb] = [g.bound[i], a.bound[i], b.bound[i]];
      const [x, rest] = [Math.abs(g.value[i]), Math.abs(1 - g.value[i])];
      const [on, off] = [Math.abs(a.value[i]), Math.abs(b.value[i])];
      const apart = Math.abs(a.value[i] - b.value[i]) + ea + eb;
      const inherited = eg * apart + x * ea + rest * eb;
      // every intermediate result at its largest
      const forms = roundings(x + eg, rest + eg, on + ea, off + eb, apart, Math.abs(v) + inherited);
      const own = Math.max(...forms.map((form) => form.reduce((sum, r) => sum + r, 0)));
      return capBound(inherited + model.unit * (1 + 4 * model.unit) * own + 3 * floor);
    }),

  variance: ([g, a, b], value, { model, floor }) =>
    value.map((v, i) => {
      const [x, rest] = [Math.abs(g.value[i]), Math.abs(1 - g.value[i])];
      const [on, off] = [Math.abs(a.value[i]), Math.abs(b.value[i])];
      const apart = Math.abs(a.value[i] - b.value[i]);
      const [vg, va, vb] = [g.variance[i], a.variance[i], b.variance[i]];
      const inherited = vg * (apart ** 2 + va + vb) + x * x * va + rest ** 2 * vb;
      const forms = roundings(x, rest, on, off, apart, Math.abs(v));
      const own = Math.max(...forms.map((form) => form.reduce((sum, r) => sum + r * r, 0)));
      return capVariance(inherited + varianceOfRounding(model) * own + floor * floor);
    }),

  rounded: ([g, a, b], _, { round, form }) =>
    g.value.map((x, i) => {
      const [on, off] = [a.value[i], b.value[i]];
      if (form(3) === 0) return round(round(x * on) + round(round(1 - x) * off));
      if (form(3) === 1) return round(off + round(x * round(on - off)));
      return round(round(round(x * on) + off) - round(x * off));
    }),
};

/** What is rounded in each form: the magnitude of every intermediate result that is rounded, and how often it enters. */
function roundings(
  x: number,
  rest: number,
  on: number,
  off: number,
  apart: number,
  result: number,
): readonly (readonly number[])[] {
  return [
    [x * on, rest * off, rest * off, result],
    [x * apart, x * apart, result],
    [x * on, x * off, x * on + off, result],
  ];
}
