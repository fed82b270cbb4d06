import { varianceOfRounding } from '../rounding-model';
import type { Activation } from './activation';

/** Straight pieces: f(z) = steep · z + middle between two kinks, flat beyond them. */
interface Pieces {
  readonly symbol: string;
  readonly spellings: readonly string[];
  /** f′ for readers */ readonly slopeWords: string;
  /** slope between the kinks */ readonly steep: number;
  /** f(0) */ readonly middle: number;
  /** f is never below, never above */ readonly lowest: number;
  readonly highest: number;
  /** whether the kinks themselves have the slope of the middle: tfjs's hard sigmoid, where |z| = 2.5 has slope 0.2 */
  readonly edgesAreSteep: boolean;
  /** roundings of f between the kinks, in units of u, at z: absolute */ readonly units: (
    z: number,
    y: number,
  ) => number;
  readonly rounded: (z: number, round: (x: number) => number, form: (n: number) => number) => number;
}

/** The slope is taken from z: y does not tell it at the ends. Within reach of a kink the whole jump is allowed. */
function piecewise(pieces: Pieces): Activation {
  const { steep, middle, lowest, highest, edgesAreSteep } = pieces;
  const line = (z: number): number => steep * z + middle;
  const low = (lowest - middle) / steep;
  const high = (highest - middle) / steep;
  const derivative = (z: number): number =>
    (edgesAreSteep ? z >= low && z <= high : z > low && z < high) ? steep : 0;
  const kinks = [low, high].filter((kink) => Number.isFinite(kink));
  const straddles = (z: number, reach: number): boolean =>
    reach > 0 && kinks.some((kink) => Math.abs(z - kink) <= reach);
  /** The line is rounded before it is cut off, so that a kink is met a little to its left or right. */
  const beside = (z: number, unit: number): boolean =>
    straddles(z, steep === 1 ? 0 : ((pieces.units(z, line(z)) + 1) * unit) / steep);
  return {
    symbol: pieces.symbol,
    spellings: pieces.spellings,
    value: (z) => Math.max(lowest, Math.min(highest, line(z))),
    derivative,
    steepest: (z, reach) => (z + reach >= low && z - reach <= high ? steep : 0),
    range: highest - lowest,
    bound: (z, y, { model, floor }) => model.unit * pieces.units(z, y) + floor,
    variance: (z, y, { model, floor }) => varianceOfRounding(model) * pieces.units(z, y) ** 2 + floor * floor,
    rounded: (z, _, { round, form }) => Math.max(lowest, Math.min(highest, pieces.rounded(z, round, form))),
    slope: {
      from: 'argument',
      words: pieces.slopeWords,
      value: derivative,
      bound: (z, e) => (straddles(z, e) ? steep : 0),
      // a jump is no small change: its whole square, where three standard deviations reach the kink
      variance: (z, v) => (straddles(z, 3 * Math.sqrt(v)) ? steep * steep : 0),
      largest: steep,
      ownBound: (z, g, { model }) => (steep === 1 ? 0 : beside(z, model.unit) ? steep : model.unit * g),
      ownVariance: (z, g, { model }) =>
        steep === 1 ? 0 : beside(z, model.unit) ? steep * steep : varianceOfRounding(model) * g * g,
      rounded: (z, { round }) => round(derivative(z)),
    },
  };
}

/** max(0, min(1, 0.2 z + 0.5)): Keras 2 and TensorFlow.js. The constant 0.2, the product and the sum are rounded. */
export const hardSigmoid = piecewise({
  symbol: 'hardSigmoid',
  slopeWords: '0.2 where |z| ≤ 2.5, else 0',
  spellings: ['hard_sigmoid'],
  steep: 0.2,
  middle: 0.5,
  lowest: 0,
  highest: 1,
  edgesAreSteep: true,
  units: (z, y) => (Math.abs(z) > 2.6 ? 0 : 0.4 * Math.abs(z) + y),
  rounded: (z, round) => round(round(round(0.2) * z) + 0.5),
});

/** max(0, min(1, z/6 + 1/2)): Keras 3 and PyTorch, also as relu6(z + 3) / 6. */
export const hardSigmoidOfKeras3 = piecewise({
  symbol: 'hardSigmoid6',
  slopeWords: '1/6 where |z| < 3, else 0',
  spellings: ['hard_sigmoid6'],
  steep: 1 / 6,
  middle: 0.5,
  lowest: 0,
  highest: 1,
  edgesAreSteep: false,
  units: (z, y) => (Math.abs(z) > 3.1 ? 0 : Math.max(Math.abs(z) / 3, y) + 2 * y),
  rounded: (z, round, form) =>
    form(2) === 0 ? round(round(z * round(1 / 6)) + 0.5) : round(round(z + 3) / 6),
});

export const relu = piecewise({
  symbol: 'relu',
  slopeWords: '1 where z > 0, else 0',
  spellings: [],
  steep: 1,
  middle: 0,
  lowest: 0,
  highest: Infinity,
  edgesAreSteep: false,
  units: () => 0,
  rounded: (z) => z,
});

export const linear = piecewise({
  symbol: 'linear',
  slopeWords: '1',
  spellings: [],
  steep: 1,
  middle: 0,
  lowest: -Infinity,
  highest: Infinity,
  edgesAreSteep: true,
  units: () => 0,
  rounded: (z) => z,
});
