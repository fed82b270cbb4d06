import { zeros, type Tensor } from '../../../scratch/index';
import {
  cellSizes,
  isRecurrent,
  outputWidth,
  shapeOf,
  withTensors,
  type Axis,
  type Block,
  type Layer,
  type Merge,
  type Network,
  type NetworkProblem,
  type Outcome,
} from '../../equations/index';
import { arrivingFaults } from './arriving-faults';
import { embeddingFaults } from './embedding-faults';
import type { EquationFault } from './fault';
import { remembers } from './forward-faults';
import { gradientFaults, inputGradientFaults, pairsOf } from './gradient-faults';
import { headFaults } from './head-faults';
import {
  inOrderOfWalk,
  layerFault,
  mapWeights,
  ofFirstRow,
  passFault,
  scaled,
  type About,
  type Change,
  type Recurrent,
  type Run,
  withLayer,
  withValue,
  withWeights,
} from './pass-fault';
import { maskFaults } from './mask-faults';
import { tapeFaults } from './tape-faults';
import { ends, inputFaults, walkFaults } from './walk-faults';

/** Mistakes of the pass through layers and time, and of the loss: whatever lies outside the equations of a step. */
export function passFaults(network: Network): EquationFault[] {
  return [
    ...maskFaults(network),
    ...inputFaults(network),
    ...network.layers.flatMap((layer) =>
      isRecurrent(layer)
        ? [
            ...layerFaults(layer),
            ...walkFaults(layer),
            ...gradientFaults(layer),
            ...embeddingFaults(layer),
            ...(remembers(layer.cell) ? [...arrivingFaults(network, layer), ...tapeFaults(layer)] : []),
          ]
        : mergeFaults(layer),
    ),
    ...inputGradientFaults(network),
    ...readFaults(network),
    ...exchangeFaults(network),
    ...headFaults(network),
  ];
}

function layerFaults(layer: Recurrent): EquationFault[] {
  const { name: own, cell, reversed = false } = layer;
  const [first, second] = cell.carries;
  const ofLayer = (name: string, about: Omit<About, 'layer'>, change: Change): EquationFault =>
    layerFault(name, { ...about, layer: own }, change);
  const ofStates = (
    name: string,
    quantity: string,
    change: (states: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>> | undefined,
  ): EquationFault =>
    ofLayer(name, { quantity, page: 'initial-state' }, (_, problem) => {
      const states = problem.initialStates?.[own];
      const made = states && change(states);
      return made && { problem: { ...problem, initialStates: { ...problem.initialStates, [own]: made } } };
    });
  const ofMean = (name: string, quantity: string, names: readonly string[]): EquationFault[] =>
    averages.map(([words, factor]) =>
      ofLayer(`${name} ${words}`, { quantity, page: 'batch-mean', phase: 'backward' }, scaled(names, factor)),
    );
  const weights = Object.keys(cell.weights);
  const gradientOf = (weight: string): string => `gradients.${own}.${weight}`;
  return [
    ...cell.carries.map((carry) =>
      ofStates(`the initial state ${carry} is ignored`, carry, ({ [carry]: _given, ...rest }) => rest),
    ),
    ...(cell.carries.length < 2
      ? []
      : [
          ofStates(`the initial states ${first} and ${second} are exchanged`, first, (states) =>
            exchanged(states, first, second, ({ shape }) => zeros(...shape)),
          ),
        ]),
    ofStates('the initial state of the first example is used for all', first, (states) =>
      Object.fromEntries(Object.entries(states).map(([carry, state]) => [carry, ofFirstRow(state)])),
    ),
    ...layoutFaults(layer),
    ...unreadFaults(layer),
    ...cell.carries.map((carry) =>
      ofLayer(
        `the gradient of the initial state ${carry} is zero`,
        { quantity: `gradients.initial.${carry}`, page: 'initial-state', phase: 'backward' },
        scaled([`gradients.${own}.initial.${carry}`], () => 0),
      ),
    ),
    ...(!remembers(cell)
      ? []
      : [
          ofLayer(
            `the time steps are read ${reversed ? 'forwards' : 'backwards'}`,
            { quantity: first, page: 'other-layer' },
            (given) => {
              const network = withLayer(given, { ...layer, reversed: !reversed });
              // what reads the layer may turn its outputs as it should
              const turned: Omit<Run, 'network' | 'problem'> = {
                ran: (name, ran) => (name === own ? { ...ran, sequence: ran.sequence.toReversed() } : ran),
                above: (name, above) =>
                  name === own ? { ...above, sequence: above.sequence.toReversed() } : above,
              };
              return [{ network }, { network, finish: inOrderOfWalk(own) }, { network, ...turned }];
            },
          ),
        ]),
    ...ofMean('the gradients of the weights are', weights[0] ?? '', weights.map(gradientOf)),
    ...weights.flatMap((weight) =>
      ofMean(`the gradient of ${weight} is`, `gradients.${weight}`, [gradientOf(weight)]),
    ),
  ];
}

/** Where the number at (row, column) of a weight is read instead, in a matrix of as many rows and columns with blocks of `units`. */
type Layout = (
  row: number,
  column: number,
  sizes: { readonly rows: number; readonly columns: number; readonly units: number },
) => number;

/** Weights whose numbers lie in another order; one block alone that is transposed is a fault of the cell. */
const layouts: readonly (readonly [
  words: string,
  isOf: (rows: Axis, columns: Axis) => boolean,
  from: Layout,
])[] = [
  [
    'is transposed in all gates',
    (rows, columns) => rows.join() === 'U' && columns.length > 1,
    (row, column, { columns, units }) => (column % units) * columns + column - (column % units) + row,
  ],
  [
    'is read column by column, though it lies row by row',
    // that of U rows and U columns is then transposed, which is a fault of the cell
    (rows, columns) => rows.join() !== columns.join(),
    (row, column, { rows }) => column * rows + row,
  ],
  [
    'is read unit by unit, with all gates of a unit side by side',
    (_, columns) => columns.length > 1,
    (row, column, { columns, units }) =>
      row * columns + (column % units) * (columns / units) + Math.floor(column / units),
  ],
];

function layoutFaults({ name: layer, cell, units }: Recurrent): EquationFault[] {
  const weights = Object.entries(cell.weights).filter(([, { columns }]) => !columns.includes('F'));
  return layouts.flatMap(([words, isOf, from]) => {
    const own = weights.filter(([, { rows, columns }]) => rows !== undefined && isOf(rows, columns));
    // each by itself, and all of them
    const groups = own.length > 1 ? [...own.map((one) => [one]), own] : own.map((one) => [one]);
    return groups.map((group) => {
      const names = group.map(([weight]) => weight);
      const title = names.length > 1 ? `each of ${names.join(' and ')}` : names[0];
      return layerFault(
        `${title} ${words}`,
        { layer, page: 'weights-import', quantity: cell.carries[0] },
        (_, problem) => ({
          problem: withWeights(problem, layer, names, ({ data, shape }) => {
            const [rows, columns] = shape;
            const at = (i: number): number =>
              from(Math.floor(i / columns), i % columns, { rows, columns, units });
            return { shape, data: data.map((__, i) => data[at(i)]) };
          }),
        }),
      );
    });
  });
}

/** Loops over features or units that begin late or end early. */
function unreadFaults({ name: layer, cell, units }: Recurrent): EquationFault[] {
  const [output] = cell.carries;
  const fault = (words: string, change: Change): EquationFault =>
    layerFault(words, { layer, page: 'other-layer', quantity: output }, change);
  return [
    ...Object.entries(cell.weights)
      .filter(([, { rows }]) => rows !== undefined)
      .flatMap(([weight]) =>
        ends.map(([end, at]) =>
          fault(`the ${end} row of ${weight} is not used`, (_, problem) => {
            const [rows] = problem.weights[layer][weight].shape;
            if (rows === 1) return undefined;
            const cleared = (data: Float64Array): Float64Array =>
              data.map((x, i) => (Math.floor((i * rows) / data.length) === at(rows - 1) ? 0 : x));
            const wrong = withWeights(problem, layer, [weight], ({ data, shape }) => ({
              shape,
              data: cleared(data),
            }));
            const finish: NonNullable<Run['finish']> = (outcome) =>
              withTensors(outcome, ({ shape, blocks: [block] }, name) =>
                name === `gradients.${layer}.${weight}`
                  ? { shape, blocks: [{ ...block, value: cleared(block.value) }] }
                  : undefined,
              );
            return [{ problem: wrong, finish }, { problem: wrong }];
          }),
        ),
      ),
    ...[1, 2, 3]
      .filter((count) => count < units)
      .map((count) =>
        fault(
          `the last ${count === 1 ? 'unit' : `${count} units`} of ${output} ${count === 1 ? 'stays' : 'stay'} zero`,
          () => ({
            observe: (place, value) =>
              place.layer === layer && place.name === output
                ? withValue(value, (x, i) => (i % units < units - count ? x : 0))
                : value,
          }),
        ),
      ),
  ];
}

/** Sums that were made means, and means that were made sums. */
const averages: readonly (readonly [words: string, factor: (problem: NetworkProblem) => number])[] = [
  ['divided by the batch size', ({ inputs }) => 1 / inputs.shape[0]],
  ['multiplied by the batch size', ({ inputs }) => inputs.shape[0]],
  ['divided by the number of time steps', ({ inputs }) => 1 / inputs.shape[1]],
];

function exchanged<T>(
  of: Readonly<Record<string, T>>,
  one: string,
  other: string,
  empty: (like: T) => T,
): Record<string, T> | undefined {
  const [a, b] = [of[one] as T | undefined, of[other] as T | undefined];
  const like = a ?? b;
  if (like === undefined) return undefined;
  return { ...of, [one]: b ?? empty(like), [other]: a ?? empty(like) };
}

const merges: readonly Merge[] = ['sum', 'mul', 'ave'];

function mergeFaults(layer: Extract<Layer, { merge: string }>): EquationFault[] {
  const { merge, of } = layer;
  const [one, other] = of;
  const fault = (name: string, changed: Partial<Layer>): EquationFault =>
    passFault(name, { layer: layer.name, page: 'other-layer', quantity: 'output' }, (given) => ({
      network: withLayer(given, { ...layer, ...changed }),
    }));
  const back = (name: string, changed: Partial<Layer>): EquationFault =>
    passFault(name, { quantity: 'gradients.inputs', page: 'other-layer', phase: 'backward' }, () => ({
      isRightForward: true,
      back: (forward) => ({ ...forward, network: withLayer(forward.network, { ...layer, ...changed }) }),
    }));
  const taken = (what: string, from: string, to: string, change: Change): EquationFault =>
    passFault(
      `${to} has the ${what} of ${from}`,
      { layer: to, page: what === 'weights' ? 'weights-import' : 'initial-state', quantity: 'h' },
      change,
    );
  return [
    ...(merge === 'concat'
      ? [fault(`${other} comes before ${one}`, { of: [other, one] })]
      : merges
          .filter((mode) => mode !== merge)
          .map((mode) => fault(`merged by ${mode} instead of ${merge}`, { merge: mode }))),
    ...(merge === 'concat'
      ? [back(`the gradients of ${one} and ${other} are exchanged`, { of: [other, one] })]
      : merges
          .filter((mode) => mode !== merge)
          .map((mode) =>
            back(`the gradient goes back as if merged by ${mode} instead of ${merge}`, { merge: mode }),
          )),
    ...[[one, other] as const, [other, one] as const].flatMap(([from, to]) => [
      taken('weights', from, to, (_, { weights, ...rest }) => ({
        problem: { ...rest, weights: { ...weights, [to]: weights[from] } },
      })),
      taken('initial states', from, to, (_, { initialStates, ...rest }) =>
        initialStates?.[from] === undefined
          ? undefined
          : { problem: { ...rest, initialStates: { ...initialStates, [to]: initialStates[from] } } },
      ),
    ]),
  ];
}

/** A layer that reads another layer of as many columns. */
function readFaults(network: Network): EquationFault[] {
  return network.layers.flatMap((layer, i) => {
    // the final output of a layer is read by a layer of one step, which the inputs do not have
    if (!isRecurrent(layer) || layer.on === 'last') return [];
    const { reads, cell } = layer;
    const about = { layer: layer.name, page: 'other-layer', quantity: cell.carries[0] };
    return ['inputs', ...network.layers.slice(0, i).map(({ name }) => name)]
      .filter((name) => name !== reads && outputWidth(network, name) === outputWidth(network, reads))
      .map((name) =>
        layerFault(`reads ${name} instead of ${reads}`, about, (given) => ({
          network: withLayer(given, { ...layer, reads: name }),
        })),
      );
  });
}

/** Weights of equal shapes in each other's places: all those of two layers, or two of one layer. */
function exchangeFaults(network: Network): EquationFault[] {
  const layers = network.layers.filter(isRecurrent);
  const shapesOf = (layer: Recurrent): (readonly [weight: string, shape: string])[] =>
    Object.entries(layer.cell.weights).map(([name, shape]) => [
      name,
      shapeOf(shape, cellSizes(network, layer)).join(),
    ]);
  return [
    ...pairsOf(layers)
      .filter(([one, other]) => JSON.stringify(shapesOf(one)) === JSON.stringify(shapesOf(other)))
      .map(([one, other]) => {
        const weights = Object.keys(one.cell.weights);
        const pairs = weights.map((weight) => [one, other].map(({ name }) => `${name}.${weight}`));
        return exchangeFault(`the weights of ${one.name} and ${other.name} are exchanged`, one, pairs);
      }),
    ...layers.flatMap((layer) =>
      pairsOf(shapesOf(layer))
        .filter(([[, one], [, other]]) => one === other && one.includes(','))
        .map(([[one], [other]]) =>
          exchangeFault(`${one} and ${other} of ${layer.name} are exchanged`, layer, [
            [one, other].map((weight) => `${layer.name}.${weight}`),
          ]),
        ),
    ),
  ];
}

function exchangeFault(words: string, { name, cell }: Recurrent, pairs: readonly string[][]): EquationFault {
  const others = new Map(
    pairs.flatMap(([one, other]) => [
      [one, other],
      [other, one],
    ]),
  );
  const about = { layer: name, page: 'weights-import', quantity: cell.carries[0] };
  return passFault(words, about, (_, problem) => ({
    problem: {
      ...problem,
      weights: mapWeights(problem, (_own, layer, weight) => {
        const [from = layer, of = weight] = others.get(`${layer}.${weight}`)?.split('.') ?? [];
        return problem.weights[from][of];
      }),
    },
    finish: <V extends Block>(outcome: Outcome<V>): Outcome<V> =>
      withTensors(outcome, (__, gradient) => {
        const other = others.get(gradient.replace(/^gradients\./, ''));
        return outcome.get(other === undefined ? gradient : `gradients.${other}`);
      }),
  }));
}
