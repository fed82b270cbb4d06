import type { Tensor } from '../../../scratch/index';
import {
  cellOf,
  isRecurrent,
  gradientName,
  productOf,
  withSteps,
  type Axis,
  type Block,
  type Cell,
  type Equation,
  type Expression,
  type Network,
  type Place,
  type Term,
} from '../../equations/index';
import { memoize } from '../../base/memoize';
import { complementOf } from './changes';
import type { EquationFault } from './fault';
import { complete, everywhere, remembers } from './forward-faults';
import {
  atOtherSteps,
  layerFault,
  next,
  ofFirstRow,
  passFault,
  previous,
  withLayer,
  withValue,
  type Change,
  type Recurrent,
  type Run,
} from './pass-fault';

/** Another mask than the one that was given; undefined is none. */
type Reading = readonly [words: string, change: (mask: Tensor) => Tensor | undefined];

const readings: readonly Reading[] = [
  ['the mask is ignored', () => undefined],
  [
    'the mask is read from the last time step to the first',
    (mask) => atOtherSteps(mask, (t, last) => last - t),
  ],
  ['the mask is inverted', ({ data, shape }) => ({ shape, data: data.map((x) => 1 - x) })],
  ['the mask is one time step late', (mask) => atOtherSteps(mask, previous)],
  ['the mask is one time step early', (mask) => atOtherSteps(mask, next)],
  ['the mask of the first example is used for all', ofFirstRow],
  [
    'a step is masked only where all examples are',
    ({ data, shape }) => ({
      shape,
      data: data.map((_, i) => Number(data.some((x, j) => x !== 0 && (i - j) % shape[1] === 0))),
    }),
  ],
  [
    'every step after the first masked one is masked',
    ({ data, shape }) => ({
      shape,
      data: data.map((_, i) => Number(!data.subarray(i - (i % shape[1]), i + 1).includes(0))),
    }),
  ],
  [
    'the last step that counts is masked as well: lengths are one too small',
    ({ data, shape }) => ({
      shape,
      data: data.map((x, i) => (data.subarray(i + 1, i - (i % shape[1]) + shape[1]).some(Boolean) ? x : 0)),
    }),
  ],
  [
    'the mask is taken as a length: as many first steps count as are not masked',
    ({ data, shape }) => ({
      shape,
      data: data.map((_, i) => {
        const t = i % shape[1];
        const live = data.subarray(i - t, i - t + shape[1]).reduce((n, x) => n + Number(x !== 0), 0);
        return Number(t < live);
      }),
    }),
  ],
];

/** Mistakes in how masked steps are skipped. */
export function maskFaults(network: Network): EquationFault[] {
  const about = { page: 'masks', quantity: 'mask' };
  const masked = network.layers
    .filter(isRecurrent)
    .filter(({ cell, unmasked }) => unmasked !== true && remembers(cell));
  return [
    ...readings.map(([words, change]) =>
      passFault(words, about, (_, { mask, ...rest }) => {
        const made = mask && change(mask);
        return mask && { problem: { ...rest, ...(made && { mask: made }) } };
      }),
    ),
    passFault(
      'a masked step is computed with zeros as its input instead of being skipped',
      { ...about, quantity: 'x' },
      (_, { inputs, mask, ...rest }) => {
        const [, , features] = inputs.shape;
        const data = mask && inputs.data.map((x, i) => x * mask.data[Math.floor(i / features)]);
        return data && { problem: { ...rest, inputs: { ...inputs, data } } };
      },
    ),
    // with one layer it is a mistake of the whole network, as above
    ...(masked.length < 2 ? [] : masked.flatMap(ofOneLayer)),
    ...masked.flatMap(heldFaults),
    ...masked.flatMap(backFaults),
  ];
}

/** The mask is lost, or turned, on the way to one of the layers. */
function ofOneLayer({ name }: Recurrent): EquationFault[] {
  return readings
    .slice(0, 2)
    .map(([words, change]) =>
      layerFault(
        `${words} in this layer`,
        { layer: name, page: 'masks', quantity: 'mask' },
        (_, { mask }) => mask && { maskOf: (layer: string) => (layer === name ? change(mask) : mask) },
      ),
    );
}

/** A masked step does not keep a state: it becomes zero, or what the step computes. */
function heldFaults({ name: layer, cell }: Recurrent): EquationFault[] {
  const fault = (carry: string, words: string, change: Change): EquationFault =>
    layerFault(words, { layer, page: 'masks', quantity: carry }, change);
  const zeroed =
    (carries: readonly string[]): Change =>
    (_, { mask }) =>
      mask && {
        observe: <V extends Block>({ layer: own, name, t = 0 }: Place, value: V): V =>
          own === layer && carries.includes(name)
            ? withValue(value, (x, i) => (isMasked(mask, Math.floor(i / value.columns), t) ? 0 : x))
            : value,
      };
  return [
    ...(cell.carries.length < 2
      ? []
      : [
          fault(
            cell.carries[0],
            'a masked step sets all states to zero instead of keeping them',
            zeroed(cell.carries),
          ),
        ]),
    ...cell.carries.flatMap((carry) => [
      fault(carry, `a masked step sets the state ${carry} to zero instead of keeping it`, zeroed([carry])),
      fault(carry, `a masked step changes the state ${carry} as any other step does`, notHeld(layer, carry)),
    ]),
  ];
}

/** Quantities of a cell for which nothing is kept at masked steps: h of the step itself is shown under this name. */
const computedName = (carry: string): string => `${carry} as computed`;

/**
 * The cell with every carry computed under another name first: h~_t = tanh(z_t), h_t = h~_t. The numbers are the same, but at masked steps the
 * runner keeps h_t alone.
 */
const unfolded = memoize((cell: Cell): Cell => {
  const { carries } = cell;
  const equations = cell.equations.flatMap(({ left, part, right }): Equation[] => {
    const own = everywhere(right, (one) =>
      one.op === 'quantity' && one.when === 'now' && carries.includes(one.name)
        ? { ...one, name: computedName(one.name) }
        : one,
    );
    if (!carries.includes(left)) return [{ left, ...(part && { part }), right: own }];
    const axis = cell.axes.get(left) ?? [];
    return [
      { left: computedName(left), right: own },
      { left, right: { op: 'quantity', name: computedName(left), when: 'now', axis } },
    ];
  });
  const axes = new Map([
    ...cell.axes,
    ...carries.map((carry) => [computedName(carry), cell.axes.get(carry) ?? []] as const),
  ]);
  return complete(cellOf({ ...cell, equations, axes }));
});

function notHeld(layer: string, carry: string): Change {
  return (network, { mask }) => {
    if (mask === undefined) return undefined;
    const computed = new Map<number, unknown>();
    return {
      network: withCell(network, layer, unfolded),
      observe: <V extends Block>({ layer: own, name, t = 0 }: Place, value: V): V => {
        if (own !== layer) return value;
        if (name === computedName(carry)) computed.set(t, value);
        return name === carry ? (computed.get(t) as V) : value;
      },
    };
  };
}

function withCell(network: Network, layer: string, change: (cell: Cell) => Cell): Network {
  const layers = network.layers.filter(isRecurrent).filter(({ name }) => name === layer);
  return layers.reduce((made, own) => withLayer(made, { ...own, cell: change(own.cell) }), network);
}

/** 1 where a step counts, and 0 where it is masked, in the formulas of a step back. */
function liveOn(axis: Axis): Extract<Expression, { op: 'quantity' }> {
  return { op: 'quantity', name: `live ${axis.join(' ')}`, when: 'now', axis };
}

/** What gradients of a step back have as columns. */
function axesOf(cell: Cell): readonly Axis[] {
  const parts = cell.backward.equations.flatMap(({ part }) => (part ? [part] : []));
  return [
    ...new Map([['U'], ['F'], ...cell.axes.values(), ...parts].map((axis) => [axis.join(), axis])).values(),
  ];
}

interface Skipping {
  /** masked steps add to the gradients of the weights */ readonly adds?: boolean;
  /** and to those of the inputs */ readonly toInput?: boolean;
  /** carries whose gradients masked steps send on unchanged */ readonly held: readonly string[];
}

/** Masked steps in the walk back: treated as any other, added to the weights' gradients, or an end of what is sent back. */
function backFaults({ name: layer, cell }: Recurrent): EquationFault[] {
  const { carries } = cell;
  const fault = (words: string, ...changes: readonly ((cell: Cell) => Cell)[]): EquationFault =>
    layerFault(
      words,
      { layer, page: 'masks', phase: 'backward', quantity: `d${carries[0]}` },
      (network, { mask }) =>
        // from the states that were kept, or from those that the masked step itself computed
        mask &&
        [(own: Cell) => own, unfolded].flatMap((way) =>
          changes.map((change) => walkedAsIfLive(withCell(network, layer, way), mask, layer, change)),
        ),
    );
  return [
    fault('the mask is ignored in the walk back', (own) => own),
    fault(
      'masked steps add to the gradients of the weights',
      ...[true, false].map((toInput) => (own: Cell) => skipping(own, { adds: true, toInput, held: carries })),
    ),
    fault('a masked step sends no gradient on', (own) => skipping(own, { held: [] })),
    ...(carries.length < 2
      ? []
      : carries.map((carry) =>
          fault(`a masked step sends no gradient of ${carry} on`, (own) =>
            skipping(own, { held: carries.filter((other) => other !== carry) }),
          ),
        )),
  ];
}

function walkedAsIfLive(network: Network, mask: Tensor, layer: string, change: (cell: Cell) => Cell): Run {
  return {
    network,
    back: (forward) =>
      withSteps(forward, (steps, _, own) =>
        own !== layer
          ? steps
          : steps.map(({ live: _live, ...step }) => {
              const { arithmetic } = forward;
              const { rows } = step.input;
              const units = Object.values(step.before)[0].columns;
              const quantities = axesOf(step.cell).reduce((made, axis) => {
                const width = axis.reduce((sum, one) => sum + (one === 'F' ? step.input.columns : units), 0);
                const data = Float64Array.from({ length: rows * width }, (__, i) =>
                  Number(!isMasked(mask, Math.floor(i / width), step.t)),
                );
                return made.and(liveOn(axis).name, axis, arithmetic.given('', data, rows));
              }, step.quantities);
              return { ...step, quantities, cell: change(step.cell) };
            }),
      ),
  };
}

/** The step back with the mask in its formulas: live_t ∘ ..., and (1 - live_t) ∘ in_h_t for a carry that is kept. */
function skipping(cell: Cell, { adds = false, toInput = false, held }: Skipping): Cell {
  const { backward } = cell;
  const times = (axis: Axis, of: Expression): Expression => productOf([liveOn(axis), of]);
  const all = (axis: Axis, terms: readonly Term[]): readonly Term[] =>
    terms.map(({ sign, of }) => ({ sign, of: times(axis, of) }));
  const axisOf = ({ left, part }: Equation): Axis =>
    part ?? [...cell.axes].find(([name]) => gradientName(name) === left)?.[1] ?? [];
  const equations = adds
    ? backward.equations
    : backward.equations.map((own) => ({ ...own, right: times(axisOf(own), own.right) }));
  const toBefore = Object.fromEntries(
    Object.entries(backward.toBefore).map(([carry, terms]): [string, readonly Term[]] => [
      carry,
      [
        ...all(['U'], terms),
        ...(held.includes(carry)
          ? [{ sign: 1 as const, of: productOf([complementOf(liveOn(['U'])), arriving(carry)]) }]
          : []),
      ],
    ]),
  );
  return {
    ...cell,
    axes: new Map([...cell.axes, ...axesOf(cell).map((axis) => [liveOn(axis).name, axis] as const)]),
    backward: {
      ...backward,
      equations,
      toBefore,
      toInput: adds && !toInput ? all(['F'], backward.toInput) : backward.toInput,
    },
  };
}

const arriving = (name: string): Expression => ({ op: 'quantity', name, when: 'arriving', axis: ['U'] });

function isMasked({ data, shape }: Tensor, b: number, t: number): boolean {
  return data[b * shape[1] + t] === 0;
}
