import {
  backwardOutcome,
  exactArithmetic,
  forwardOutcome,
  isRecurrent,
  runForward,
  runNetwork,
  tensorsOfOutcome,
  withCells,
  type Arithmetic,
  type Block,
  type Layer,
  type Network,
  type NetworkProblem,
  type Outcome,
  type RunOptions,
} from '../../equations/index';
import type { Tensor } from '../../../scratch/index';
import { memoize, once } from '../../base/memoize';
import { cellFaults } from './cell-faults';
import type { CellFault } from './changes';
import type { EquationFault, FaultyRun } from './fault';
import { pageOf, sentenceOf } from './pages';
import { passFaults } from './pass-faults';

/**
 * Every mistake in one place that a network of layers can have, generated from its equations: each change of each equation, forward
 * and backward, of each layer, and mistakes of the pass (mask, initial state, direction, merging, loss).
 */
export const faultsOf = memoize((network: Network): readonly EquationFault[] => [
  ...network.layers
    .filter(isRecurrent)
    .flatMap((layer) => cellFaults(layer.cell).map((fault) => ofLayer(layer, fault))),
  ...passFaults(network),
]);

/** The fault of that name, of every time step or of one; undefined where there is none. */
export function faultNamed(network: Network, name: string): EquationFault | undefined {
  const single = /^(.*), at time step (\d+)$/.exec(name);
  const found = faultsOf(network).find((fault) => fault.name === (single === null ? name : single[1]));
  return single === null ? found : found?.atStep?.(Number(single[2]));
}

function ofLayer(layer: Extract<Layer, { units: number }>, fault: CellFault): EquationFault {
  const { name, sort, phase, quantity, gate, cells } = fault;
  const isGated =
    Object.values(layer.cell.weights).some(({ columns }) => columns.length > 1) ||
    layer.cell.carries.length > 1;
  const about = {
    name: `${layer.name}, ${name}`,
    words: sentenceOf(layer.cell.name, name),
    page: pageOf(sort, isGated),
    phase,
    quantity,
    layer: layer.name,
    ...(gate !== undefined && { gate }),
  };
  const runsAt =
    (isThere: (t: number) => boolean): EquationFault['runs'] =>
    (network, problem) =>
      cells().map((cell) => ({
        network,
        problem,
        cellAt: (own: string, t: number) => (own === layer.name && isThere(t) ? cell : undefined),
        ...(phase === 'backward' && { isRightForward: true }),
      }));
  return {
    ...about,
    runs: runsAt(() => true),
    atStep: (timeStep) => ({
      ...about,
      name: `${about.name}, at time step ${timeStep}`,
      words: `${about.words}, at time step ${timeStep} alone`,
      timeStep,
      runs: runsAt((t) => t === timeStep),
    }),
  };
}

/** What a faulty network answers, in any arithmetic. */
export function runFault<V extends Block>(
  run: FaultyRun,
  arithmetic: Arithmetic<V>,
  observe?: RunOptions<V>['observe'],
): Outcome<V> {
  const { network, problem, cellAt, around, finish } = run;
  const own = around === undefined ? arithmetic : around(arithmetic);
  const outcome = runNetwork(network, problem, own, {
    ...(cellAt && { cellAt }),
    ...(observe && { observe }),
  });
  return finish === undefined ? outcome : finish(outcome, arithmetic);
}

/** An answer in float64: of the forward pass, and whole. */
export interface ExactAnswer {
  readonly forward: ReadonlyMap<string, Tensor>;
  /** computed at the first call */ readonly whole: () => ReadonlyMap<string, Tensor>;
}

/** What a faulty network answers in float64. */
export function exactFault(run: FaultyRun): ExactAnswer {
  const { network, problem, cellAt, around, finish, isRightForward } = run;
  if (isRightForward === true && cellAt !== undefined && finish === undefined) {
    const right = rightForward(network)(problem);
    const back = () => tensorsOfOutcome(backwardOutcome(withCells(right.ran, cellAt)));
    return { forward: right.answer, whole: once(() => new Map([...right.answer, ...back()])) };
  }
  const plain = exactArithmetic();
  const forward = runForward(network, problem, around?.(plain) ?? plain, { ...(cellAt && { cellAt }) });
  const finished = (outcome: Outcome<Block>): ReadonlyMap<string, Tensor> =>
    tensorsOfOutcome(finish?.(outcome, plain) ?? outcome);
  const first = forwardOutcome(forward);
  return {
    forward: finished(first),
    whole: once(() => finished(new Map([...first, ...backwardOutcome(forward)]))),
  };
}

/** The forward pass of the right network, made once for a problem. */
const rightForward = memoize((network: Network) =>
  memoize((problem: NetworkProblem) => {
    const ran = runForward(network, problem, exactArithmetic());
    return { ran, answer: tensorsOfOutcome(forwardOutcome(ran)) };
  }),
);

const rightAnswer = memoize((network: Network) =>
  memoize((problem: NetworkProblem) => exactFault({ network, problem }).whole()),
);

/** Below this share of the largest number of a tensor two float64 runs are the same. */
export const sameRun = 1e-9;

/**
 * How much a fault changes the answer: the largest change of a number over the largest number of its tensor, in float64. A fault that
 * is run in several ways changes as much as the one that changes least. NaN in the answer counts as Infinity.
 */
export function effectOf(network: Network, problem: NetworkProblem, fault: EquationFault): number {
  const right = rightAnswer(network)(problem);
  const runs = fault.runs(network, problem);
  return runs.length === 0 ? 0 : Math.min(...runs.map((run) => distance(right, exactFault(run).whole())));
}

/** Whether the problem can show the fault, by two exact runs. The error budget has no part in it: a wide one would excuse itself. */
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
    if (Number.isNaN(off)) return Infinity;
    if (off > 0) most = Math.max(most, off / size);
  }
  return most;
}
