import {
  gradientName,
  isRecurrent,
  type Cell,
  type FromAbove,
  type Network,
  type NetworkProblem,
} from '../../equations/index';
import type { EquationFault } from './fault';
import { layerFault, type Change, type Recurrent } from './pass-fault';

type ChangeAbove = <V>(above: FromAbove<V>) => FromAbove<V>;

/** Mistakes in what a layer takes over from above, whatever it comes from: the loss, the next layer, gradients that are given. */
export function arrivingFaults(network: Network, layer: Recurrent): EquationFault[] {
  const { name, cell, reversed } = layer;
  const [output] = cell.carries;
  const fault = (words: string, carry: string, change: Change): EquationFault =>
    layerFault(
      words,
      { layer: name, phase: 'backward', page: 'upstream', quantity: gradientName(carry) },
      change,
    );
  const of = (change: ChangeAbove) => ({
    isRightForward: true as const,
    above: <V>(own: string, above: FromAbove<V>): FromAbove<V> => (own === name ? change(above) : above),
  });
  const readers = readersOf(network, name);
  const sequence =
    (from: <T>(steps: readonly T[], t: number) => T | undefined): Change =>
    (own, problem) =>
      arriveAtSteps(own, problem, name)
        ? (problem.upstream?.[name]?.sequence && readers.steps ? [0, 1] : [0]).map((kept) =>
            // gradients that are given come first; they may be right
            of((above) => {
              const read = above.sequence.map((terms) => terms.slice(kept));
              return {
                ...above,
                sequence: read.map((_, t) => [...above.sequence[t].slice(0, kept), ...(from(read, t) ?? [])]),
              };
            }),
          )
        : undefined;
  const counted = [
    ['ignored', 0],
    ['added twice', 2],
  ] as const;
  return [
    // where nothing else arrives, these are mistakes in the gradients that are given
    ...(readers.steps ? counted : []).map(([words, count]) =>
      fault(`what arrives at the states of every step is ${words}`, output, (own, problem) =>
        arriveAtSteps(own, problem, name)
          ? of((above) => ({ ...above, sequence: above.sequence.map((terms) => repeated(terms, count)) }))
          : undefined,
      ),
    ),
    ...(readers.final ? counted : []).map(([words, count]) =>
      fault(`what arrives at the final state ${output} is ${words}`, output, () =>
        of((above) => ({
          ...above,
          final: { ...above.final, [output]: repeated(above.final[output] ?? [], count) },
        })),
      ),
    ),
    fault(
      'what arrives at the state of step t+1 is added at step t',
      output,
      sequence((steps, t) => steps.at(t + 1)),
    ),
    fault(
      'what arrives at the state of step t-1 is added at step t',
      output,
      sequence((steps, t) => (t === 0 ? undefined : steps[t - 1])),
    ),
    fault(
      'what arrives at the states is read from the last time step to the first',
      output,
      sequence((steps, t) => steps[steps.length - 1 - t]),
    ),
    fault('what arrives at a state overwrites what the next step sends back', output, (own, problem) => {
      const [, timeSteps] = problem.inputs.shape;
      if (!arriveAtSteps(own, problem, name) || timeSteps === 1) return undefined;
      const first = reversed === true ? timeSteps - 1 : 0;
      const cut = keepingNothing(cell, output);
      const cellAt = (layerName: string, t: number): Cell | undefined =>
        layerName === name && t !== first ? cut : undefined;
      const withoutFinal = of((above) => ({ ...above, final: { ...above.final, [output]: [] } }));
      return [
        { isRightForward: true as const, cellAt },
        { ...withoutFinal, cellAt },
      ];
    }),
  ];
}

const onOf = ({ steps, final }: { steps: boolean; final: boolean }): ('steps' | 'last')[] => [
  ...(steps ? (['steps'] as const) : []),
  ...(final ? (['last'] as const) : []),
];

function repeated<T>(terms: readonly T[], count: number): T[] {
  return Array.from({ length: count }, () => terms).flat();
}

function keepingNothing(cell: Cell, carry: string): Cell {
  const { backward } = cell;
  return { ...cell, backward: { ...backward, toBefore: { ...backward.toBefore, [carry]: [] } } };
}

/** Whether other parts of the network read the states of every step, and the final one. */
export function readersOf(
  network: Pick<Network, 'layers' | 'head'>,
  name: string,
): { readonly steps: boolean; readonly final: boolean } {
  const { layers, head } = network;
  const on = layers.flatMap((one) =>
    isRecurrent(one)
      ? one.reads === name
        ? [one.on ?? 'steps']
        : []
      : one.of.includes(name)
        ? onOf(readersOf(network, one.name))
        : [],
  );
  if (head?.reads === name) on.push(head.on);
  return { steps: on.includes('steps'), final: on.includes('last') };
}

function arriveAtSteps(network: Network, { upstream }: NetworkProblem, name: string): boolean {
  return readersOf(network, name).steps || upstream?.[name]?.sequence !== undefined;
}
