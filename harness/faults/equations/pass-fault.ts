import type { Tensor } from '../../../scratch/index';
import {
  runNetwork,
  withTensors,
  type Arithmetic,
  type Block,
  type Layer,
  type Network,
  type NetworkProblem,
  type Outcome,
} from '../../equations/index';
import type { EquationFault, FaultyRun } from './fault';

/** What a faulty run changes of the given network and the given problem. */
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

/** Tensors of the answer with other blocks: one for each time step, or one alone. */
export function withBlocks(
  names: readonly string[],
  change: <V extends Block>(blocks: readonly V[], arithmetic: Arithmetic<V>) => readonly V[],
): NonNullable<Run['finish']> {
  return (outcome, arithmetic) =>
    withTensors(outcome, ({ shape, blocks }, name) =>
      names.includes(name) ? { shape, blocks: change(blocks, arithmetic) } : undefined,
    );
}

/** Gradients of the answer times a number. */
export function scaled(names: readonly string[], factor: (problem: NetworkProblem) => number): Change {
  return (_, problem) => ({
    isRightForward: true,
    finish: withBlocks(names, (blocks, arithmetic) =>
      blocks.map((block) => times(arithmetic, block, factor(problem))),
    ),
  });
}

/** The states of a layer from the last step to the first. */
export function inOrderOfWalk(layer: string): NonNullable<Run['finish']> {
  return withBlocks([`states.${layer}`], (blocks) => blocks.toReversed());
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

/** A block of as many zeros, which are certain. */
export function zerosLike<V extends Block>({ value, rows }: V, arithmetic: Arithmetic<V>): V {
  return arithmetic.given('', new Float64Array(value.length), rows);
}

/** The weights of a problem with other numbers. */
export function mapWeights(
  { weights }: NetworkProblem,
  change: (tensor: Tensor, layer: string, weight: string) => Tensor,
): NetworkProblem['weights'] {
  return Object.fromEntries(
    Object.entries(weights).map(([layer, all]) => [
      layer,
      Object.fromEntries(
        Object.entries(all).map(([weight, tensor]) => [weight, change(tensor, layer, weight)]),
      ),
    ]),
  );
}

/** The problem with other numbers in some weights of one layer. */
export function withWeights(
  problem: NetworkProblem,
  layer: string,
  names: readonly string[],
  change: (tensor: Tensor) => Tensor,
): NetworkProblem {
  const weights = mapWeights(problem, (tensor, own, weight) =>
    own === layer && names.includes(weight) ? change(tensor) : tensor,
  );
  return { ...problem, weights };
}

/** Every row as the first. */
export function ofFirstRow({ data, shape }: Tensor): Tensor {
  return { shape, data: data.map((_, i) => data[i % shape[1]]) };
}

/** The network with another layer in the place of the one of that name. */
export function withLayer(network: Network, changed: Layer): Network {
  return {
    ...network,
    layers: network.layers.map((layer) => (layer.name === changed.name ? changed : layer)),
  };
}

/** The block with other numbers, which are the result of no function call any more. */
export function withValue<V extends Block>(block: V, change: (x: number, i: number) => number): V {
  const { argument, ...rest } = block;
  return { ...rest, value: block.value.map(change) } as unknown as V;
}

/**
 * Gradients of weights to which only some examples add, at some steps.
 *
 * @param adds `t` counts the shares of a weight from the first step of the layer's walk
 */
export function changedOuter(
  names: readonly string[],
  network: Network,
  problem: NetworkProblem,
  adds: (example: number, t: number) => boolean,
): Run {
  const [batch] = problem.inputs.shape;
  return {
    finish: <V extends Block>(outcome: Outcome<V>, arithmetic: Arithmetic<V>): Outcome<V> => {
      const some: Arithmetic<V> = {
        ...arithmetic,
        outer: (shares) =>
          arithmetic.outer(
            shares.map(({ right, ...share }, back) => {
              const live = Uint8Array.from({ length: batch }, (_, b) =>
                Number(adds(b, shares.length - 1 - back)),
              );
              return { ...share, right: arithmetic.select(live, right, zerosLike(right, arithmetic)) };
            }),
          ),
      };
      const own = runNetwork(network, problem, some);
      return withTensors(outcome, (_, name) => (names.includes(name) ? own.get(name) : undefined));
    },
  };
}

/** A mistake of the pass in one layer, whose name begins with that of the layer, as those of its formulas do. */
export function layerFault(
  words: string,
  about: About & { readonly layer: string },
  change: Change,
): EquationFault {
  return { ...passFault(`${about.layer}, ${words}`, about, change), words };
}
