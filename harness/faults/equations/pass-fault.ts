import type { Tensor } from '../../../scratch/index';
import {
  withTensors,
  type Arithmetic,
  type Block,
  type Layer,
  type Network,
  type NetworkProblem,
  type Outcome,
} from '../../equations/index';
import type { EquationFault, FaultyRun } from './fault';

/** A run of the network and the problem that are given, but for what it holds. */
export type Run = Omit<FaultyRun, 'network' | 'problem'> & Partial<Pick<FaultyRun, 'network' | 'problem'>>;
/** The faulty run, or several; undefined where the problem has nothing that could go wrong. */
export type Change = (network: Network, problem: NetworkProblem) => Run | readonly Run[] | undefined;
export type About = Pick<EquationFault, 'page' | 'quantity'> &
  Partial<Pick<EquationFault, 'layer' | 'phase'>>;

/** A mistake of the pass; `page` is a section of docs/bptt.md, the phase is forward unless given. */
export function passFault(
  name: string,
  { page, phase = 'forward', ...about }: About,
  change: Change,
): EquationFault {
  return {
    ...about,
    ...{ name, words: name, phase, page: `docs/bptt.md#${page}` },
    runs: (network, problem) => {
      const made = change(network, problem) ?? [];
      return [made].flat().map((run) => ({ network, problem, ...run }));
    },
  };
}

export type Recurrent = Extract<Layer, { units: number }>;

/** Tensors of the answer times a number. */
export function scaled(names: readonly string[], factor: (problem: NetworkProblem) => number): Change {
  return (_, problem) => ({
    finish: <V extends Block>(outcome: Outcome<V>, arithmetic: Arithmetic<V>): Outcome<V> =>
      withTensors(outcome, ({ shape, blocks }, name) =>
        names.includes(name)
          ? { shape, blocks: blocks.map((block) => times(arithmetic, block, factor(problem))) }
          : undefined,
      ),
  });
}

/** The time step before, or the first itself. */
export const previous = (t: number): number => Math.max(t - 1, 0);
/** The time step after, or the last itself. */
export const next = (t: number, last: number): number => Math.min(t + 1, last);

/** A tensor [B, T] or [B, T, n] with the numbers of other time steps, or zeros; `last` is T - 1. */
export function atOtherSteps(
  { data, shape }: Tensor,
  from: (t: number, last: number) => number | undefined,
): Tensor {
  const [, timeSteps, width = 1] = shape;
  const numbers = data.map((_, i) => {
    const t = Math.floor(i / width) % timeSteps;
    const other = from(t, timeSteps - 1);
    return other === undefined ? 0 : data[i + (other - t) * width];
  });
  return { shape, data: numbers };
}

export function times<V extends Block>(arithmetic: Arithmetic<V>, block: V, by: number): V {
  const factor = arithmetic.given('', new Float64Array(block.value.length).fill(by), block.rows);
  return arithmetic.apply('product', [block, factor], '');
}
