import type { Arithmetic, Block, Layer, Network, NetworkProblem, Outcome } from '../../equations/index';
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
      new Map(
        [...outcome].map(([name, answered]) => [
          name,
          names.includes(name)
            ? {
                ...answered,
                blocks: answered.blocks.map((block) => times(arithmetic, block, factor(problem))),
              }
            : answered,
        ]),
      ),
  });
}

export function times<V extends Block>(arithmetic: Arithmetic<V>, block: V, by: number): V {
  const factor = arithmetic.given('', new Float64Array(block.value.length).fill(by), block.rows);
  return arithmetic.apply('product', [block, factor], '');
}
