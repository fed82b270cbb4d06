import type { Tensor } from '../../../scratch/index';
import {
  gradientName,
  type Cell,
  type Layer,
  type Network,
  type Term,
  type Upstream,
} from '../../equations/index';
import type { EquationFault } from './fault';
import { zeroLike } from './changes';
import { timesOf } from './family';
import { emptied } from './forward-faults';
import {
  atOtherSteps,
  changedOuter,
  layerFault,
  next,
  passFault,
  previous,
  scaled,
  withBlocks,
  zerosLike,
  type About,
  type Change,
  type Recurrent,
  type Run,
} from './pass-fault';

/** Mistakes in how a layer walks back through time and adds up, whatever its cell. */
export function walkFaults(layer: Recurrent): EquationFault[] {
  const weights = Object.keys(layer.cell.weights);
  const gradientOf = (weight: string): string => `gradients.${layer.name}.${weight}`;
  const fault = (name: string, about: Omit<About, 'layer' | 'phase'>, change: Change): EquationFault =>
    layerFault(name, { ...about, layer: layer.name, phase: 'backward' }, change);
  const sums = [
    ...weights.map((weight) => {
      const words = { what: `the gradient of ${weight}`, is: 'is that', leaves: 'leaves' };
      return { ...words, of: [weight] };
    }),
    ...(weights.length > 1
      ? [{ what: 'the gradients of the weights', is: 'are those', leaves: 'leave', of: weights }]
      : []),
  ];
  const isSplit = (weight: string): boolean =>
    layer.cell.backward.shares.filter((share) => share.weight === weight).length > 1;
  return [
    ...sums.flatMap(({ what, is, leaves, of }) => {
      const quantity = `gradients.${of[0]}`;
      const steps = [
        ...ends.map(([end, at]) => [`${is} of the ${end} time step alone`, at, false] as const),
        ...ends.map(([end, at]) => [`${leaves} the ${end} time step out`, at, true] as const),
      ];
      return [
        ...steps.map(([words, at, isLeftOut]) =>
          fault(
            `${what} ${words}`,
            { quantity, page: 'wrong-time-step' },
            atSteps(layer, withoutShares(layer.cell, of), (k, last) => (k === at(last)) === isLeftOut),
          ),
        ),
        ...examples.map(([which, pick]) =>
          fault(
            `${what} ${is} of the ${which} example alone`,
            { quantity, page: 'bias-axis' },
            ofOneExample(of.map(gradientOf), pick),
          ),
        ),
      ];
    }),
    ...weights.filter(isSplit).flatMap((weight) =>
      wholes.map(([words, factor]) =>
        fault(
          `the whole gradient of ${weight} ${words}`,
          { quantity: `gradients.${weight}`, page: 'wrong-time-step' },
          scaled([gradientOf(weight)], () => factor),
        ),
      ),
    ),
    ...ends.map(([end, at]) =>
      fault(
        `the walk back leaves the ${end} time step out`,
        { quantity: gradientName(layer.cell.carries[0]), page: 'truncated' },
        (network, problem) => {
          const made = atSteps(layer, passingOn(layer.cell), (k, last) => k === at(last))(network, problem);
          return made && [made, { ...made, above: withoutStep(layer, at) }];
        },
      ),
    ),
    ...lengths.flatMap((k) => [
      fault(
        `the walk back ends after ${k} time steps`,
        { quantity: gradientName(layer.cell.carries[0]), page: 'truncated' },
        (network, problem) =>
          [dead(layer.cell), sendingNothing(layer.cell)].flatMap(
            (cell, i) =>
              atSteps(layer, cell, (own, last) => (i === 0 ? own <= last - k : own === last - k + 1))(
                network,
                problem,
              ) ?? [],
          ),
      ),
      fault(
        `the walk back begins anew every ${k} time steps`,
        { quantity: gradientName(layer.cell.carries[0]), page: 'truncated' },
        atSteps(layer, sendingNothing(layer.cell), (own) => own > 0 && own % k === 0),
      ),
    ]),
    ...upstreamFaults(layer),
  ];
}

/** How many steps a walk back is made to have. */
const lengths = [2, 3, 4, 5, 6, 8, 10, 16, 20];

const wholes: readonly (readonly [words: string, factor: number])[] = [
  ['is zero', 0],
  ['has the wrong sign', -1],
  ['is added twice', 2],
];

/** An end of the walk, as a step counted from the first one that is walked. */
export const ends: readonly (readonly [words: string, at: (last: number) => number])[] = [
  ['first', () => 0],
  ['last', (last) => last],
];

export const examples: readonly (readonly [words: string, pick: (batch: number) => number])[] = [
  ['first', () => 0],
  ['last', (batch) => batch - 1],
];

/** Another cell, with the same step forward, at some steps of the walk, counted from the first one that is walked. */
function atSteps(layer: Recurrent, cell: Cell, isThere: (k: number, last: number) => boolean) {
  return (_: Network, { inputs }: { readonly inputs: Tensor }): Run | undefined => {
    const last = layer.on === 'last' ? 0 : inputs.shape[1] - 1;
    if (last === 0) return undefined;
    const isOfWalk = (t: number): boolean => isThere(layer.reversed === true ? last - t : t, last);
    if (!Array.from({ length: last + 1 }, (__, t) => t).some(isOfWalk)) return undefined;
    return {
      isRightForward: true,
      cellAt: (own, t) => (own === layer.name && isOfWalk(t) ? cell : undefined),
    };
  };
}

/** Without what arrives at the states of one step. */
function withoutStep({ name, reversed }: Recurrent, at: (last: number) => number): NonNullable<Run['above']> {
  return (own, above) => {
    const last = above.sequence.length - 1;
    const step = reversed === true ? last - at(last) : at(last);
    return own === name
      ? { ...above, sequence: above.sequence.map((terms, t) => (t === step ? [] : terms)) }
      : above;
  };
}

/** Adds nothing to the gradients of these weights. */
function withoutShares(cell: Cell, weights: readonly string[]): Cell {
  const shares = cell.backward.shares.map((share) =>
    weights.includes(share.weight) ? emptied(cell, share) : share,
  );
  return { ...cell, backward: { ...cell.backward, shares } };
}

/** A step back that sends on what the cell sends, and nothing to earlier steps. */
function sendingNothing(cell: Cell): Cell {
  return { ...cell, backward: { ...cell.backward, toBefore: {} } };
}

/** A step that the walk back does not reach. */
function dead(cell: Cell): Cell {
  const { backward } = withoutShares(cell, Object.keys(cell.weights));
  const equations = backward.equations.map((own) => ({ ...own, right: zeroLike(own.right) }));
  return { ...cell, backward: { ...backward, equations, toBefore: {}, toInput: [] } };
}

/** A step that the walk back skips: it sends on what arrives. */
function passingOn(cell: Cell): Cell {
  const made = dead(cell);
  const toBefore = Object.fromEntries(
    cell.carries.map((name): [string, readonly Term[]] => [
      name,
      [{ sign: 1, of: { op: 'quantity', name, when: 'arriving', axis: ['U'] } }],
    ]),
  );
  return { ...made, backward: { ...made.backward, toBefore } };
}

/** Gradients of weights to which one example alone adds. */
function ofOneExample(names: readonly string[], pick: (batch: number) => number): Change {
  return (network, problem) => {
    const [batch] = problem.inputs.shape;
    if (batch === 1) return undefined;
    return changedOuter(names, network, problem, (b) => b === pick(batch));
  };
}

/** What arrives at a layer from elsewhere. */
function upstreamFaults({ name: layer, cell: { carries } }: Recurrent): EquationFault[] {
  const timesNumber = (of: readonly string[], factor: number): Change => {
    return (_, { upstream, ...rest }) => {
      const { sequence, final = {} } = upstream?.[layer] ?? {};
      const times = (name: string, given: Tensor): Tensor =>
        of.includes(name) ? timesOf(given, factor) : given;
      const changed: Upstream = {
        ...(sequence && { sequence: times('sequence', sequence) }),
        final: Object.fromEntries(Object.entries(final).map(([name, own]) => [name, times(name, own)])),
      };
      if (of.every((name) => (name === 'sequence' ? sequence : final[name]) === undefined)) return undefined;
      return { problem: { ...rest, upstream: { ...upstream, [layer]: changed } } };
    };
  };
  return [
    [['sequence'], 'the gradients given for the states of every step are'] as const,
    ...carries.map((carry) => [[carry], `the gradient given for the final state ${carry} is`] as const),
    ...(carries.length < 2 ? [] : [[carries, 'the gradients given for the final states are'] as const]),
  ].flatMap(([of, words]) =>
    [['ignored', 0] as const, ['added twice', 2] as const, ['of the wrong sign', -1] as const].map(
      ([how, factor]) =>
        layerFault(
          `${words} ${how}`,
          {
            layer,
            phase: 'backward',
            page: 'upstream',
            quantity: gradientName(of[0] === 'sequence' ? carries[0] : of[0]),
          },
          timesNumber(of, factor),
        ),
    ),
  );
}

/** The states of a step as they were before any step ran: zeros. */
function withoutStates(layers: readonly Layer[], step: number): NonNullable<Run['finish']> {
  const names = layers.map(({ name }) => `states.${name}`);
  return withBlocks(names, (blocks, arithmetic) =>
    blocks.map((block, t) => (t === step ? zerosLike(block, arithmetic) : block)),
  );
}

/** The states of step t+1 at step t, and zeros at the last. */
function withEarlierStates(layers: readonly Layer[]): NonNullable<Run['finish']> {
  const names = layers.map(({ name }) => `states.${name}`);
  return withBlocks(names, ([first, ...more], arithmetic) => [...more, zerosLike(first, arithmetic)]);
}

/** Mistakes in which steps are read, and how, before any layer. */
export function inputFaults({ layers }: Network): EquationFault[] {
  const readers = layers.filter((layer) => 'reads' in layer && layer.reads === 'inputs');
  const about: About = {
    quantity: 'x',
    page: 'wrong-time-step',
    ...(readers.length === 1 && { layer: readers[0].name }),
  };
  const moved = (words: string, from: (t: number, last: number) => number): EquationFault => {
    const fault = (at?: number): EquationFault =>
      passFault(
        `the input of step ${words} is read at step t${at === undefined ? '' : `, at time step ${at}`}`,
        about,
        (_, { inputs, ...rest }) => ({
          problem: {
            ...rest,
            inputs: atOtherSteps(inputs, (t, last) => (t === (at ?? t) ? from(t, last) : t)),
          },
        }),
      );
    return { ...fault(), atStep: (timeStep) => ({ ...fault(timeStep), timeStep }) };
  };
  const left = (words: string, at: (timeSteps: number) => number): EquationFault =>
    passFault(
      `the ${words} time step is left out`,
      { ...about, page: 'truncated' },
      (_, { inputs, mask, ...rest }) => {
        const [batch, timeSteps] = inputs.shape;
        if (timeSteps === 1) return undefined;
        const data = Float64Array.from({ length: batch * timeSteps }, (__, i) =>
          i % timeSteps === at(timeSteps) ? 0 : (mask?.data[i] ?? 1),
        );
        const problem = { ...rest, inputs, mask: { data, shape: [batch, timeSteps] } };
        const step = at(timeSteps);
        const leaving = [{ problem }, { problem, finish: withoutStates(readers, step) }];
        return step > 0 ? leaving : [...leaving, { problem, finish: withEarlierStates(readers) }];
      },
    );
  return [
    moved('t+1', next),
    moved('t-1', previous),
    passFault(
      'the inputs are read as if time steps came before examples: [T, B] instead of [B, T]',
      about,
      (_, { inputs, ...rest }) => {
        const { data, shape } = inputs;
        const [batch, timeSteps, features] = shape;
        const from = (i: number): number => {
          const row = Math.floor(i / features);
          return ((row % timeSteps) * batch + Math.floor(row / timeSteps)) * features + (i % features);
        };
        return { problem: { ...rest, inputs: { shape, data: data.map((__, i) => data[from(i)]) } } };
      },
    ),
    left('first', () => 0),
    left('last', (timeSteps) => timeSteps - 1),
    passFault(
      'negative inputs are taken for zero, as behind a ReLU',
      { ...about, page: 'other-layer' },
      (_, { inputs, ...rest }) => ({
        problem: { ...rest, inputs: { ...inputs, data: inputs.data.map((x) => Math.max(x, 0)) } },
      }),
    ),
  ];
}
