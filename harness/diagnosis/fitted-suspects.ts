import type { AnyProblem } from '../base/problem';
import {
  equationsOf,
  expectedStep,
  isRecurrent,
  layerAndQuantity,
  phaseOf,
  type NetworkProblem,
} from '../equations/index';
import { fittedFaults } from '../faults/equations/index';
import type { LayerPlace } from './place';
import type { Reading, Suspect } from './reading';

/** Where numbers are fitted. */
type FirstWrong = Pick<LayerPlace, 'layer' | 'phase' | 'quantity'>;

/**
 * Mistakes with a number in them, whose number is fitted to the answer: of each mistake several numbers, the one with the fewest digits first.
 */
export function fittedSuspects(
  reading: Reading,
  source: AnyProblem,
  place: LayerPlace | undefined,
): readonly (readonly Suspect[])[] {
  const at = place ?? firstWrong(reading);
  if (at === undefined) return [];
  const { network, problem, given } = reading;
  // wrong probabilities are a matter of the loss: a temperature
  const ofLoss = at.quantity === 'outputs' ? { ...at, phase: 'loss' as const } : at;
  return [...weightsOff(reading, source, at), ...fittedFaults(network, problem, given, ofLoss)];
}

function firstWrong({ network, firstWrongTensor: name }: Reading): FirstWrong | undefined {
  return name === undefined
    ? undefined
    : { ...layerAndQuantity(network, name), phase: phaseOf(network, name) };
}

/** One number of a weight of a layer, and what the layer should give, by the answer's own values before it. */
interface Entry {
  readonly weight: string;
  readonly index: number;
}

/** So many of the single numbers that fit best are tried. */
const mostEntries = 4;

/**
 * A single number of a weight that is off. It makes one unit of its layer wrong at every step, given the answer's own values before it; by
 * how much it is off is fitted by least squares to what that unit is too large by.
 */
function weightsOff(
  { network, problem, given }: Reading,
  source: AnyProblem,
  { layer = '', phase }: FirstWrong,
): Suspect[][] {
  const own = network.layers.find(({ name }) => name === layer);
  if (phase !== 'forward' || !(layer in problem.weights)) return [];
  const quantity = own !== undefined && isRecurrent(own) ? `${layer}.${own.cell.carries[0]}` : 'logits';
  const units = own !== undefined && isRecurrent(own) ? own.units : (network.head?.classes ?? 1);
  const tensors = problem.weights[layer];
  const withOff = (
    { weight, index }: Entry,
    off: number,
    { weights, ...rest }: NetworkProblem,
  ): NetworkProblem => {
    const { data, shape } = weights[layer][weight];
    const changed = { shape, data: data.map((x, i) => (i === index ? x + off : x)) };
    return { ...rest, weights: { ...weights, [layer]: { ...weights[layer], [weight]: changed } } };
  };
  const residual = (asked: NetworkProblem): Float64Array | undefined => {
    const step = expectedStep(network, asked, given, quantity);
    return step && step.given.map((x, i) => x - step.expected[i]);
  };
  const first = residual(problem);
  const unit = first && onlyColumn(first, units);
  if (first === undefined || unit === undefined) return [];
  const entries = Object.entries(tensors).flatMap(([weight, { data }]) =>
    [...data.keys()].filter((i) => i % units === unit).map((index): Entry => ({ weight, index })),
  );
  const fits = entries.flatMap((entry) => {
    const size = 1e-4 * Math.max(1, Math.abs(tensors[entry.weight].data[entry.index]));
    const moved = residual(withOff(entry, size, problem));
    const move = moved?.map((r, i) => (first[i] - r) / size) ?? new Float64Array();
    const [both, square] = [dot(move, first), dot(move, move)];
    return square > 0 ? [{ entry, move, off: both / square, shows: both ** 2 / square }] : [];
  });
  // the number is exact where the layer is linear in it
  const refined = (entry: Entry, move: Float64Array, off: number): number => {
    const left = residual(withOff(entry, off, problem)) ?? move;
    return off + dot(move, left) / dot(move, move);
  };
  const { names } = equationsOf(source);
  return fits
    .sort((one, other) => other.shows - one.shows)
    .slice(0, mostEntries)
    .map(({ entry, move, off: linear }) => {
      let off = linear;
      for (let i = 0; i < 5; i++) off = refined(entry, move, off);
      const { weight, index } = entry;
      const { data, shape } = tensors[weight];
      const [called = weight] =
        [...names].find(([, all]) => all.includes(`gradients.${layer}.${weight}`)) ?? [];
      const columns = shape[shape.length - 1];
      const at = shape.length === 1 ? [index] : [Math.floor(index / columns), index % columns];
      const share = data[index] === 0 ? '' : `, ${shown(100 * Math.abs(off / data[index]))} %`;
      return [
        {
          name: 'weights/one-weight-off',
          words: `one number of ${called.replace(/^gradients\.(weights\.)?/, '')}, [${at.join(', ')}], is too ${off > 0 === data[index] >= 0 ? 'large' : 'small'} (by ${shown(Math.abs(off))}${share})`,
          page: 'docs/bptt.md#weights-import',
          phase: 'forward',
          runs: (_, asked) => [{ network, problem: withOff(entry, off, asked) }],
        },
      ];
    });
}

/** The only column in which there are numbers of any size; undefined where there are several. */
function onlyColumn(numbers: Float64Array, columns: number): number | undefined {
  const squares = new Float64Array(columns);
  numbers.forEach((x, i) => (squares[i % columns] += x * x));
  const large = [...squares.keys()].filter((column) => squares[column] > 1e-3 * Math.max(...squares));
  return large.length === 1 ? large[0] : undefined;
}

function dot(one: Float64Array, other: Float64Array): number {
  return one.reduce((sum, x, i) => sum + x * other[i], 0);
}

const shown = (x: number): string => String(Number(x.toPrecision(2)));
