import { weightNames, type ClassifierGradients, type Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import type { Phase } from '../base/problem';
import {
  expressionIn,
  isRecurrent,
  runForward,
  tensorsOfOutcome,
  withNumbers,
  withSteps,
  withTensors,
  type Block,
  type Cell,
  type Equation,
  type Expression,
  type Forward,
  type Layer,
  type Network,
  type NetworkProblem,
  type Outcome,
} from '../equations/index';
import {
  atOtherSteps,
  faultNamed,
  fittedNamed,
  termsOf,
  withValue,
  type FaultyRun,
  type Occasion,
} from './equations/index';
import type { Family, Fault } from './fault';

/** The network and the problem that a fault is planted in, and their sizes. */
export interface Given extends Required<Pick<Occasion, 'isThere'>>, Pick<Occasion, 'earlier'> {
  readonly network: Network;
  readonly problem: NetworkProblem;
  readonly batch: number;
  readonly timeSteps: number;
  readonly classes: number;
  /** the recurrent layer */ readonly layer: Extract<Layer, { units: number }>;
}

/** How a run differs from the right one; undefined where the problem has nothing that could go wrong. */
export type Way = (given: Given) => Partial<FaultyRun> | undefined;

/** The runs of a network with that fault. */
export function runsOf(way: Way, phase: Phase): Fault['runs'] {
  return (network, problem, { earlier, isThere = () => true } = {}) => {
    const layer = network.layers.find(isRecurrent);
    if (layer === undefined) return [];
    const [batch, timeSteps] = problem.inputs.shape;
    const classes = network.head?.classes ?? 1;
    const made = way({ network, problem, batch, timeSteps, classes, layer, earlier, isThere });
    if (made === undefined) return [];
    return [{ network, problem, ...(phase === 'backward' && { isRightForward: true }), ...made }];
  };
}

/** Makes the faults of a family and a phase. */
export function faultIn(family: Family, phase: Phase) {
  return (
    name: string,
    words: string,
    way: Way,
    more: Pick<Fault, 'precision' | 'calls' | 'handedOver'> = {},
  ): Fault => ({ name, words, family, phase, runs: runsOf(way, phase), ...more });
}

/** Several ways together, in this order. */
export function together(...ways: readonly Way[]): Way {
  return (given) =>
    ways.reduce((made: Partial<FaultyRun>, way) => {
      const more = way(given);
      const [first, second] = [made.back, more?.back];
      return { ...made, ...more, ...(first && second && { back: (forward) => second(first(forward)) }) };
    }, {});
}

/**
 * A fault that follows from the formulas, by its generated name, which may have a number in it; a wrong step forward keeps the backward pass of the right one.
 *
 * @param when whether it is made at a time step; `last` is T - 1
 * @param way which of its faulty networks, as an index
 */
export function general(
  name: string,
  when: (t: number, last: number) => boolean = () => true,
  way = -1,
): Way {
  return ({ network, problem, layer, timeSteps, isThere }) =>
    (faultNamed(network, `${layer.name}, ${name}`) ?? faultNamed(network, name) ?? fittedNamed(network, name))
      ?.runs(network, problem, { isThere: (t) => isThere(t) && when(t, timeSteps - 1) })
      .at(way);
}

/** Quantities that a formula may use besides those of the cell, each [B, U]. */
type Quantities = Readonly<Record<string, (walked: Walked, b: number, t: number, u: number) => number>>;

/** The forward pass that a quantity is computed from. */
interface Walked extends Given {
  /** h_t [B, U] */ readonly states: (t: number) => Float64Array;
}

/**
 * Other formulas in the steps of the simple RNN: `h`, `z` of the step forward (the backward pass stays that of the right network), `dz`,
 * `toBefore` (what is sent to h_(t-1)), and what a weight is summed from (`kernel`, as 'leftᵀ; right', or right alone).
 *
 * @param when whether they are used at a time step; `last` is T - 1
 */
export function formula(
  formulas: Readonly<Record<string, string>>,
  when: (t: number, last: number) => boolean = () => true,
  quantities: Quantities = {},
): Way {
  const names = Object.keys(quantities);
  const wrong = memoize((cell: Cell): Cell => {
    const { backward } = cell;
    const read = (text: string): Expression => expressionIn(cell, text, names);
    const changed = <E extends Equation>(own: E): E =>
      own.left in formulas ? { ...own, right: read(formulas[own.left]) } : own;
    const { toBefore } = formulas as { readonly toBefore?: string };
    return {
      ...cell,
      axes: new Map([...cell.axes, ...names.map((name) => [name, ['U']] as const)]),
      equations: cell.equations.map(changed),
      backward: {
        ...backward,
        equations: backward.equations.map(changed),
        ...(toBefore !== undefined && { toBefore: { h: termsOf(read(toBefore)) } }),
        shares: backward.shares.map((own) => {
          if (!(own.weight in formulas)) return own;
          const [right, left] = formulas[own.weight].split(';').toReversed().map(read);
          return { weight: own.weight, ...(own.left && { left }), right };
        }),
      },
    };
  });
  return (given) => {
    const { layer, isThere, timeSteps, batch } = given;
    const isWrong = (t: number): boolean => isThere(t) && when(t, timeSteps - 1);
    const withQuantities = <V extends Block>(forward: Forward<V>): Forward<V> =>
      withSteps(forward, (steps, { sequence }) =>
        steps.map((step) => {
          const walked = { ...given, states: (t: number) => sequence[t].value };
          const make = (name: string): V => {
            const data = new Float64Array(batch * layer.units).map((_, i) =>
              quantities[name](walked, Math.floor(i / layer.units), step.t, i % layer.units),
            );
            return forward.arithmetic.given('', data, batch);
          };
          const own = names.reduce((made, name) => made.and(name, ['U'], make(name)), step.quantities);
          return { ...step, quantities: own };
        }),
      );
    return {
      cellAt: (own, t) => (own === layer.name && isWrong(t) ? wrong(layer.cell) : undefined),
      ...(names.length > 0 && { back: withQuantities }),
    };
  };
}

/** The question that the faulty network answers instead; none where there is nothing to change. */
export function asked(change: (problem: NetworkProblem, given: Given) => NetworkProblem | undefined): Way {
  return (given) => {
    const problem = change(given.problem, given);
    return problem && { problem };
  };
}

/** The same with other inputs or weights in the forward pass alone. */
export function askedForward(change: Parameters<typeof asked>[0]): Way {
  return (given) => {
    const made = asked(change)(given);
    return (
      made && {
        ...made,
        back: ((forward) => {
          const { weight, vector, inputs } = runForward(given.network, given.problem, forward.arithmetic);
          const own = withSteps(forward, (steps) =>
            steps.map((step) => ({ ...step, input: inputs[step.t] ?? step.input })),
          );
          return { ...own, weight, vector };
        }) satisfies FaultyRun['back'],
      }
    );
  };
}

/** The gradient given for the states is that of another step, or of none. */
export function statesFrom(from: (t: number, last: number) => number | undefined): Way {
  return asked((problem, { layer: { name }, isThere }) => {
    const own = problem.upstream?.[name];
    if (own?.sequence === undefined) return undefined;
    const sequence = atOtherSteps(own.sequence, (t, last) => (isThere(t) ? from(t, last) : t));
    return { ...problem, upstream: { ...problem.upstream, [name]: { ...own, sequence } } };
  });
}

/** The forward pass reads the inputs of other time steps, or zeros. */
export function inputsFrom(from: (t: number, last: number) => number | undefined): Way {
  return askedForward((problem, { isThere }) => ({
    ...problem,
    inputs: atOtherSteps(problem.inputs, (t, last) => (isThere(t) ? from(t, last) : t)),
  }));
}

/** In the backward pass another matrix stands for a weight, in what is sent back through it. */
export function sentBackBy(holder: string, weight: string, { data, shape }: Tensor): Partial<FaultyRun> {
  return {
    back: <V extends Block>(forward: Forward<V>): Forward<V> => ({
      ...forward,
      weight: (layer, name, part) =>
        layer === holder && name === weight
          ? forward.arithmetic.given('', data, shape[0])
          : forward.weight(layer, name, part),
    }),
  };
}

/** Every number of a quantity of the layer, changed as soon as it is computed; `i` counts the numbers of [B, U]. */
export function quantity(
  name: string,
  change: (x: number, i: number, given: Given, t: number) => number,
): Way {
  return (given) => ({
    observe: <V extends Block>(place: { name: string; t?: number }, value: V): V =>
      place.name === name && given.isThere(place.t ?? 0)
        ? withValue(value, (x, i) => change(x, i, given, place.t ?? 0))
        : value,
  });
}

/** Tensors of the answer, by the names of the outcome, with other numbers. */
export function answer(
  change: (
    tensor: (name: string) => Tensor | undefined,
    given: Given,
  ) => Readonly<Record<string, Float64Array>>,
): Way {
  return (given) => ({
    finish: <V extends Block>(outcome: Outcome<V>): Outcome<V> => {
      const tensors = tensorsOfOutcome(outcome);
      const changed = change((name) => tensors.get(name), given);
      return withTensors(outcome, (own, name) =>
        name in changed ? withNumbers(own, changed[name]) : undefined,
      );
    },
  });
}

/** Gradients with every number changed. */
export function gradients(
  names: readonly GradientName[],
  change: (x: number, i: number, tensor: Tensor, name: GradientName, given: Given) => number,
): Way {
  return answer((tensor, given) =>
    Object.fromEntries(
      names.flatMap((name) => {
        const own = tensor(outcomeName(name, given));
        return own === undefined
          ? []
          : [[outcomeName(name, given), own.data.map((x, i) => change(x, i, own, name, given))]];
      }),
    ),
  );
}

export { weightNames, withSteps, withValue };
export type GradientName = keyof ClassifierGradients;
export const layerWeightNames = ['kernel', 'recurrentKernel', 'bias'] as const;
export type WeightName = (typeof weightNames)[number];

/** A gradient's name in the outcome: `gradients.rnn.kernel` */
export function outcomeName(name: GradientName, { layer }: Pick<Given, 'layer'>): string {
  if (name === 'inputs') return 'gradients.inputs';
  if (name === 'initialState') return `gradients.${layer.name}.initial.${layer.cell.carries[0]}`;
  return `gradients.${holderOf(name, layer.name).join('.')}`;
}

/** Where the weights of a problem hold one: `['head', 'kernel']` */
export function holderOf(name: WeightName, layer: string): [holder: string, own: string] {
  if (name === 'outputKernel') return ['head', 'kernel'];
  return name === 'outputBias' ? ['head', 'bias'] : [layer, name];
}
