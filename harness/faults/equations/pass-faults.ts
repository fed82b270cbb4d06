import { zeros, type Tensor } from '../../../scratch/index';
import {
  cellSizes,
  isRecurrent,
  outputWidth,
  shapeOf,
  withTensors,
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
import { gradientFaults, inputGradientFaults } from './gradient-faults';
import { headFaults } from './head-faults';
import {
  inOrderOfWalk,
  layerFault,
  ofFirstRow,
  passFault,
  scaled,
  type About,
  type Change,
  type Recurrent,
  withLayer,
} from './pass-fault';
import { maskFaults } from './mask-faults';
import { tapeFaults } from './tape-faults';
import { inputFaults, walkFaults } from './walk-faults';

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
    ...transposedFaults(layer),
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
              return [{ network }, { network, finish: inOrderOfWalk(own) }];
            },
          ),
        ]),
    ...ofMean('the gradients of the weights are', weights[0] ?? '', weights.map(gradientOf)),
    ...weights.flatMap((weight) =>
      ofMean(`the gradient of ${weight} is`, `gradients.${weight}`, [gradientOf(weight)]),
    ),
  ];
}

/** Square blocks of a weight, all of them transposed; one block alone is a fault of the cell. */
function transposedFaults({ name: layer, cell, units }: Recurrent): EquationFault[] {
  return Object.entries(cell.weights)
    .filter(([, { rows, columns }]) => rows?.join() === 'U' && columns.length > 1 && !columns.includes('F'))
    .map(([weight, { columns }]) =>
      layerFault(
        `${weight} is transposed in all gates`,
        { layer, page: 'transpose', quantity: cell.carries[0] },
        (_, { weights, ...rest }) => {
          const { data, shape } = weights[layer][weight];
          const width = columns.length * units;
          const turned = data.map((__, i) => {
            const [row, column] = [Math.floor(i / width), i % width];
            const start = column - (column % units);
            return data[(column % units) * width + start + row];
          });
          const own = { ...weights[layer], [weight]: { data: turned, shape } };
          return { problem: { ...rest, weights: { ...weights, [layer]: own } } };
        },
      ),
    );
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

/** Two layers of equal cells and sizes with each other's weights. */
function exchangeFaults(network: Network): EquationFault[] {
  const layers = network.layers.filter(isRecurrent);
  const shapesOf = (layer: Recurrent): string =>
    JSON.stringify(
      Object.entries(layer.cell.weights).map(([name, shape]) => [
        name,
        shapeOf(shape, cellSizes(network, layer)),
      ]),
    );
  return layers.flatMap((one, i) =>
    layers
      .slice(i + 1)
      .filter((other) => shapesOf(one) === shapesOf(other))
      .map((other) => {
        const weights = Object.keys(one.cell.weights);
        const gradients = new Map<string, string>(
          [
            [one.name, other.name],
            [other.name, one.name],
          ].flatMap(([own, from]) =>
            weights.map((weight) => [`gradients.${own}.${weight}`, `gradients.${from}.${weight}`] as const),
          ),
        );
        return passFault(
          `the weights of ${one.name} and ${other.name} are exchanged`,
          { layer: one.name, page: 'weights-import', quantity: one.cell.carries[0] },
          (_, problem) => ({
            problem: {
              ...problem,
              weights: exchanged(problem.weights, one.name, other.name, (own) => own) ?? problem.weights,
            },
            finish: <V extends Block>(outcome: Outcome<V>): Outcome<V> =>
              withTensors(outcome, (_answered, name) => outcome.get(gradients.get(name) ?? name)),
          }),
        );
      }),
  );
}
