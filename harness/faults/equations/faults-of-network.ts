import {
  backwardOutcome,
  exactArithmetic,
  forwardOutcome,
  isRecurrent,
  runForward,
  tensorsOfOutcome,
  withSteps,
  type Arithmetic,
  type Block,
  type Forward,
  type Layer,
  type Network,
  type NetworkProblem,
  type Outcome,
  type Place,
  type RunOptions,
} from '../../equations/index';
import type { Tensor } from '../../../scratch/index';
import { memoize, once } from '../../base/memoize';
import { cellFaults } from './cell-faults';
import type { CellFault, ChangeSteps } from './changes';
import type { EquationFault, FaultyRun } from './fault';
import { pageOf, sentenceOf } from './pages';
import { passFaults } from './pass-faults';

/**
 * Every mistake in one place that a network of layers can have, generated from its equations: each change of each equation, forward
 * and backward, of each layer, and mistakes of the pass (mask, initial state, direction, merging, loss).
 */
export const faultsOf = memoize((network: Network): readonly EquationFault[] => [
  ...network.layers.filter(isRecurrent).flatMap((layer) =>
    cellFaults(layer.cell)
      // integers have no gradient
      .filter(({ quantity }) => layer.integers !== true || quantity !== 'gradients.inputs')
      .map((fault) => ofLayer(layer, fault)),
  ),
  ...passFaults(network),
]);

const byName = memoize(
  (network: Network) =>
    new Map(
      faultsOf(network)
        .toReversed()
        .map((fault) => [fault.name, fault]),
    ),
);

/** The fault of that name, of every time step or of one; undefined where there is none. */
export function faultNamed(network: Network, name: string): EquationFault | undefined {
  const single = /^(.*), at time step (\d+)$/.exec(name);
  const found = byName(network).get(single === null ? name : single[1]);
  return single === null ? found : found?.atStep?.(Number(single[2]));
}

function ofLayer(layer: Extract<Layer, { units: number }>, fault: CellFault): EquationFault {
  const { name, phase, quantity, gate, cells, steps } = fault;
  const isGated =
    Object.values(layer.cell.weights).some(({ columns }) => columns.length > 1) ||
    layer.cell.carries.length > 1;
  const about = {
    name: `${layer.name}, ${name}`,
    words: sentenceOf(layer.cell.name, name),
    page: pageOf(fault, isGated),
    phase,
    quantity,
    layer: layer.name,
    ...(gate !== undefined && { gate }),
  };
  const runsAt =
    (step?: number): EquationFault['runs'] =>
    (network, problem, { isThere = (t: number) => t === (step ?? t) } = {}) =>
      cells().flatMap((cell) =>
        (steps ?? [undefined]).map((walk) => ({
          network,
          problem,
          cellAt: (own: string, t: number) => (own === layer.name && isThere(t) ? cell : undefined),
          ...(phase === 'backward' && { isRightForward: true }),
          ...(walk && { back: changedSteps(layer.name, walk) }),
        })),
      );
  return {
    ...about,
    runs: runsAt(),
    atStep: (timeStep) => ({
      ...about,
      name: `${about.name}, at time step ${timeStep}`,
      words: `${about.words}, at time step ${timeStep} alone`,
      timeStep,
      runs: runsAt(timeStep),
    }),
  };
}

/** The walk back of one layer over other steps. */
function changedSteps(layer: string, change: ChangeSteps): NonNullable<FaultyRun['back']> {
  return (forward) =>
    withSteps(forward, (steps, _, own) => (own === layer ? change(steps, forward.arithmetic) : steps));
}

/** What a faulty network answers, in any arithmetic. */
export function runFault<V extends Block>(
  run: FaultyRun,
  arithmetic: Arithmetic<V>,
  observe?: RunOptions<V>['observe'],
): Outcome<V> {
  const { network, problem, around, finish } = run;
  const own = around === undefined ? arithmetic : around(arithmetic);
  const forward = runForward(network, problem, own, optionsOf(run, observe));
  const outcome = new Map([...forwardOutcome(forward), ...backwardOutcome(walkedBack(run, forward))]);
  return finish === undefined ? outcome : finish(outcome, arithmetic);
}

function optionsOf<V extends Block>(
  { cellAt, observe, ran, maskOf, above }: FaultyRun,
  also?: RunOptions<V>['observe'],
): RunOptions<V> {
  const both = observe && also && ((place: Place, value: V): V => also(place, observe(place, value)));
  const observed = both ?? observe ?? also;
  return {
    ...(cellAt && { cellAt }),
    ...(observed && { observe: observed }),
    ...(ran && { ran }),
    ...(maskOf && { maskOf }),
    ...(above && { above }),
  };
}

/** The forward pass that a faulty network goes back over. */
function walkedBack<V extends Block>({ cellAt, back }: FaultyRun, forward: Forward<V>): Forward<V> {
  const own =
    cellAt === undefined
      ? forward
      : withSteps(forward, (steps, _, layer) =>
          steps.map((step) => ({ ...step, cell: cellAt(layer, step.t) ?? step.cell })),
        );
  return back === undefined ? own : back(own);
}

/** Float64 as programs compute: slopes from the results of functions, so that they are 0 where a result has rounded to 1. */
const plain = programArithmetic(exactArithmetic());

function programArithmetic(exact: Arithmetic<Block>): Arithmetic<Block> {
  return {
    ...exact,
    apply: (...given) => {
      const { argument, ...block } = exact.apply(...given);
      return block;
    },
  };
}

/** An answer in float64: of the forward pass, and whole. */
export interface ExactAnswer {
  readonly forward: ReadonlyMap<string, Tensor>;
  /** computed at the first call */ readonly whole: () => ReadonlyMap<string, Tensor>;
}

/**
 * What a faulty network answers in float64.
 *
 * @param states [B, T, U] of a network of one layer, to go on from instead of its own
 */
export function exactFault(run: FaultyRun, states?: Tensor): ExactAnswer {
  const { network, problem, around, finish, isRightForward } = run;
  const arithmetic = around?.(plain) ?? plain;
  const options = optionsOf(run, states && insteadOfStates(states));
  const right = isRightForward === true && states === undefined ? rightForward(network)(problem) : undefined;
  const forward: Forward<Block> =
    right === undefined
      ? runForward(network, problem, arithmetic, options)
      : { ...right.ran, arithmetic, options };
  const back = (): Outcome<Block> => backwardOutcome(walkedBack(run, forward));
  if (finish === undefined) {
    const first = right?.answer ?? tensorsOfOutcome(forwardOutcome(forward));
    return { forward: first, whole: once(() => new Map([...first, ...tensorsOfOutcome(back())])) };
  }
  const finished = (outcome: Outcome<Block>): ReadonlyMap<string, Tensor> =>
    tensorsOfOutcome(finish(outcome, plain));
  const first = forwardOutcome(forward);
  return {
    forward: finished(first),
    whole: once(() => finished(new Map([...first, ...back()]))),
  };
}

function insteadOfStates({ data, shape }: Tensor): NonNullable<RunOptions<Block>['observe']> {
  const [, timeSteps, units] = shape;
  return ({ name, t = 0 }, value) =>
    name === 'h'
      ? {
          ...{ rows: value.rows, columns: units },
          value: value.value.map(
            (_, i) => data[(Math.floor(i / units) * timeSteps + t) * units + (i % units)],
          ),
        }
      : value;
}

/** The forward pass of the right network, made once for a problem. */
const rightForward = memoize((network: Network) =>
  memoize((problem: NetworkProblem) => {
    const ran = runForward(network, problem, plain);
    return { ran, answer: tensorsOfOutcome(forwardOutcome(ran)) };
  }),
);

/** What the right network answers in float64, by the names of the outcome; worked out once. */
export const rightOutcome = memoize((network: Network) =>
  memoize((problem: NetworkProblem) => exactFault({ network, problem, isRightForward: true }).whole()),
);

/** Below this share of the largest number of a tensor two float64 runs are the same. */
export const sameRun = 1e-9;

/**
 * How much a fault changes the answer: the largest change of a number over the largest number of its tensor, in float64. A fault that
 * is run in several ways changes as much as the one that changes least. NaN in the answer counts as Infinity.
 */
export function effectOf(network: Network, problem: NetworkProblem, fault: EquationFault): number {
  const effects = fault.runs(network, problem).map((run) => effectOfRun(network, problem, run));
  return effects.length === 0 ? 0 : Math.min(...effects);
}

/** The same for one of the ways to run a fault. */
export function effectOfRun(network: Network, problem: NetworkProblem, run: FaultyRun): number {
  return distance(rightOutcome(network)(problem), exactFault(run).whole());
}

/** Whether the problem can show the fault, by two exact runs. Error budgets are not used: a budget that is too wide would hide the fault. */
export function canShowFault(network: Network, problem: NetworkProblem, fault: EquationFault): boolean {
  return effectOf(network, problem, fault) > sameRun;
}

/** Largest change of a number over the largest number of its tensor. */
export function distance(right: ReadonlyMap<string, Tensor>, wrong: ReadonlyMap<string, Tensor>): number {
  let most = 0;
  for (const [name, { data, shape }] of right) {
    const other = wrong.get(name);
    if (other?.shape.join() !== shape.join()) return Infinity;
    let [size, off] = [0, 0];
    data.forEach((x, i) => {
      size = Math.max(size, Math.abs(x), Math.abs(other.data[i]));
      const gap = Math.abs(x - other.data[i]);
      off = gap <= off ? off : gap;
    });
    if (!Number.isFinite(off)) return Infinity;
    if (off > 0) most = Math.max(most, off / size);
  }
  return most;
}
