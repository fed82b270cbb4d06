import type { Tensor } from '../../../scratch/index';
import { memoize } from '../../base/memoize';
import { isRecurrent, type Block, type Network, type Place } from '../../equations/index';
import type { EquationFault } from './fault';
import { remembers } from './forward-faults';
import { layerFault, mapWeights, passFault, withValue, type Change } from './pass-fault';

type Format = readonly [name: string, bits: number, round: (x: number) => number];

/** Formats of fewer digits than a side claims, by the bits of their significands. */
const formats: readonly Format[] = [
  ['float32', 24, Math.fround],
  ['float16', 11, toFloat16],
  ['bfloat16', 8, (x) => rounded(x, 8, -126)],
];

/** x in half precision: 11 significant bits, exponents from -14, ties to even, too large numbers to infinity (IEEE 754, binary16). */
export function toFloat16(x: number): number {
  const near = rounded(x, 11, -14);
  return Math.abs(near) > 65504 ? Math.sign(x) * Infinity : near;
}

/** To so many significant bits, ties to even; below the smallest exponent in steps of one size. */
function rounded(x: number, bits: number, smallest: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const step = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), smallest) - (bits - 1));
  // adding and taking away 1.5 * 2^52 rounds to a whole number, ties to even
  return (x / step + 1.5 * 2 ** 52 - 1.5 * 2 ** 52) * step;
}

/**
 * Numbers that are kept in a coarser format than the side claims: all weights, or a quantity of a layer. `faultsOf` leaves them out, because
 * a problem whose numbers that format holds exactly shows none of them.
 */
export const formatFaults = memoize((network: Network): readonly EquationFault[] =>
  formats.flatMap(([format, bits, round]) => {
    const digits = `${format}, with ${bits} significant bits`;
    const of = ({ data, shape }: Tensor): Tensor => ({ shape, data: data.map(round) });
    // all weights, or the matrices alone; of the whole network, or of one layer
    const weightsOf =
      (layer?: string): Change =>
      (_, problem) =>
        [false, true].map((ofMatrices) => ({
          problem: {
            ...problem,
            weights: mapWeights(problem, (tensor, own) =>
              (layer ?? own) !== own || (ofMatrices && tensor.shape.length < 2) ? tensor : of(tensor),
            ),
          },
        }));
    const about = { page: 'precision', quantity: 'weights' };
    const weights = [
      passFault(`the weights are kept in ${digits}`, about, weightsOf()),
      ...network.layers
        .filter(isRecurrent)
        .map(({ name: layer }) =>
          layerFault(
            `the weights of this layer are kept in ${digits}`,
            { ...about, layer },
            weightsOf(layer),
          ),
        ),
    ];
    const states = network.layers
      .filter(isRecurrent)
      .filter(({ cell }) => remembers(cell))
      .flatMap(({ name: layer, cell }) =>
        [...cell.axes.keys()].map((own) =>
          layerFault(
            `${cell.carries.includes(own) ? `the state ${own}` : `${own}_t`} is kept in ${digits}`,
            { layer, page: 'precision', quantity: own },
            () => ({
              observe: <V extends Block>(place: Place, value: V): V =>
                place.layer === layer && place.name === own ? withValue(value, round) : value,
            }),
          ),
        ),
      );
    return [...weights, ...states];
  }),
);
