import type { NetworkPlan } from '../../scratch/index';
import type { AnyTensor, GraphBuilder, GraphTensor } from './builder/index';
import type { Tensors } from './cells/index';
import { chainsOf } from './layers/chains';
import { losses } from './layers/losses';
import { stackOf, type ByLayer } from './layers/stack';
import { stepsOf, type Sizes, type WalkThroughTime } from './time/index';

/** What a call is fed besides the weights, the batch first everywhere; by layer under the keys of `keyFor`. */
export interface Fed {
  /** inputs, mask, initialStates.* */ readonly sequence: Readonly<Record<string, AnyTensor>>;
  readonly targets: AnyTensor | undefined;
  /** upstreamLogits, upstreamStates.*, upstreamSequences.* */
  readonly upstream: Readonly<Record<string, AnyTensor>>;
}

export interface NetworkPass {
  /** [B, C] or [B, T, C] */ readonly logits: GraphTensor;
  /** scalar: the mean over the rows that exist; there with targets */ readonly loss: GraphTensor | undefined;
  /** finalStates.*: [B, U] */ readonly finalStates: Tensors;
  /** sequences.*: [B, T, U] */ sequences(): Tensors;
  backward(): {
    /** by chain and layer; the gradient is their sum */ readonly weights: readonly (readonly Tensors[])[];
    /** inputs: [B, T, F]; nothing where they are integers */ readonly inputs: Tensors;
    /** initialStates.*: [B, U] */ readonly initialStates: Tensors;
  };
}

/** `finalStates.0.1`: the second state of the first layer. */
export function keyFor(what: string, layer: number, k: number): string {
  return `${what}.${layer}.${k}`;
}

/** Reads results, or whatever else lies under the keys of `keyFor`, back into an array by layer. */
export function byLayer<T>(counts: readonly number[], what: string, get: (key: string) => T): T[][] {
  return counts.map((count, layer) => Array.from({ length: count }, (_, k) => get(keyFor(what, layer, k))));
}

/** Forward, loss and backward of a whole network, the batch in so many chains that do not wait for each other. */
export function networkPass(
  g: GraphBuilder,
  network: NetworkPlan,
  weights: readonly Tensors[],
  fed: Fed,
  walk: WalkThroughTime,
  { chains: count, anySizes = false }: { readonly chains: number; readonly anySizes?: boolean },
): NetworkPass {
  const { layers, config } = network;
  const { width, hasTime } = layers[layers.length - 1].output;
  const chained = chainsOf(g, fed.sequence['inputs'] as GraphTensor, count);
  const cutAll = (
    tensors: Readonly<Record<string, AnyTensor>>,
  ): Readonly<Record<string, readonly AnyTensor[] | undefined>> =>
    Object.fromEntries(Object.entries(tensors).map(([key, x]) => [key, chained.cut(x as GraphTensor)]));
  const [sequence, upstream] = [cutAll(fed.sequence), cutAll(fed.upstream)];
  const targets = fed.targets && chained.cut(fed.targets as GraphTensor);
  const apply = stackOf(g, config.layers, weights, walk);
  const states = layers.map((layer) => layer.states.length);
  const walks = layers.map((layer) => layer.sequences.length);
  const inChain = <T>(i: number, build: () => T) => (count === 1 ? build() : g.scope(`chain${i}`, build));

  const chains = Array.from({ length: count }, (_, i) =>
    inChain(i, () => {
      const of = (key: string) => sequence[key]?.[i] as GraphTensor | undefined;
      const inputs = of('inputs') as AnyTensor;
      const shape = g.shape(inputs);
      const sizes: Sizes = { batch: g.slice(shape, [0], [1]), timeSteps: g.slice(shape, [1], [1]) };
      const mask = of('mask') as GraphTensor<'bool'> | undefined;
      const integers = inputs.dtype === 'int32' ? (stepsBelow(g, inputs) as GraphTensor<'int32'>) : undefined;
      const pass = apply(
        {
          rows: integers
            ? g.cast(integers, 'float32')
            : stepsBelow(g, inputs as GraphTensor, columnsOf(inputs, network.features)),
          integers,
          hasTime: true,
          mask: mask && g.transpose(g.expandDims(mask, 2), [1, 0, 2]),
        },
        byLayer(states, 'initialStates', of),
        sizes,
      );
      const { rows } = pass.output;
      const exists = pass.output.mask && g.reshape(pass.output.mask, g.int([-1, 1]));
      const judged = targets && g.scope('loss', () => {
        const { losses: each, dLogits } = losses[network.loss](g, rows, rowsOf(targets[i]), () => widthOf(rows));
        return { each: exists ? g.select(g.reshape(exists, g.int([-1])), each, g.float(0)) : each, dLogits };
      }); // prettier-ignore
      return { sizes, pass, rows, exists, judged, integers };
    }),
  );

  const judgedRows = chains.flatMap(({ exists, judged }) => (judged ? [{ exists, each: judged.each }] : []));
  /** how many rows count, in all chains together */
  const total =
    judgedRows.length === 0
      ? undefined
      : sum(
          g,
          judgedRows.map(({ exists, each }) =>
            exists ? g.sum(g.cast(exists, 'float32'), [0, 1]) : g.cast(g.size(each), 'float32'),
          ),
        );
  const sums = judgedRows.map(({ each }) => g.sum(each, [0]));

  return {
    logits: join(chains.map(({ rows, sizes }) => (hasTime ? batchFirst(g, rows, sizes) : rows))),
    loss: total && g.div(sum(g, sums), total),
    finalStates: named('finalStates', states, chains.map(({ pass }) => pass.passes.map((of) => of.finalStates))), // prettier-ignore
    sequences: () =>
      named('sequences', walks, chains.map(({ pass, sizes }) =>
        pass.passes.map((of) => of.sequences().map((rows) => batchFirst(g, rows, sizes))))), // prettier-ignore
    backward() {
      const gradients = chains.map(({ sizes, pass, rows, exists, judged, integers }, i) =>
        inChain(i, () => {
          const of = (key: string) => upstream[key]?.[i] as GraphTensor | undefined;
          const fromAbove = of('upstreamLogits');
          const mean = judged && total && g.div(judged.dLogits, total);
          const parts = [
            mean && exists ? g.select(exists, mean, g.float(0)) : mean,
            fromAbove && (rowsOf(fromAbove, width) as GraphTensor),
          ].filter((part) => part !== undefined);
          const back = pass.backward({
            output: parts.length === 0 ? g.zerosLike(rows) : sum(g, parts),
            finalStates: byLayer(states, 'upstreamStates', of),
            sequences: byLayer(walks, 'upstreamSequences', of).map((ofLayer, layer) =>
              ofLayer.map((x, k) => x && stepsBelow(g, x, columnsOf(x, layers[layer].sequences[k]))),
            ),
          });
          return { ...back, dInputs: integers ? [] : [batchFirst(g, back.input, sizes)] };
        }),
      );
      return {
        weights: gradients.map((of) => of.weights),
        inputs:
          network.vocabulary === undefined ? { inputs: join(gradients.flatMap((of) => of.dInputs)) } : {},
        initialStates: named('initialStates', states, gradients.map((of) => of.initialStates)), // prettier-ignore
      };
    },
  };

  function join(parts: readonly GraphTensor[]): GraphTensor {
    return g.concat(parts, 0);
  }

  function named(what: string, counts: readonly number[], byChain: readonly ByLayer<GraphTensor>[]): Tensors {
    const all = counts.flatMap((n, layer) => Array.from({ length: n }, (_, k) => [layer, k] as const));
    return Object.fromEntries(
      all.map(([layer, k]) => [keyFor(what, layer, k), join(byChain.map((of) => of[layer][k]))]),
    );
  }

  /** Targets, or gradients at the logits, as rows like the logits'. */
  function rowsOf(x: AnyTensor, columns?: number): AnyTensor {
    if (!hasTime) return x;
    const numbers = columns ?? (network.loss === 'softmaxCrossEntropy' ? undefined : width);
    return stepsBelow(g, x as GraphTensor, numbers && columnsOf(x, numbers));
  }

  /** N of [B, T, N]; where the graph serves any sizes, as it comes with the data. */
  function columnsOf(x: AnyTensor, fixed: number): number | GraphTensor<'int32'> {
    return anySizes ? g.slice(g.shape(x), [2], [1]) : fixed;
  }

  /** C, a scalar */
  function widthOf(logits: GraphTensor): GraphTensor {
    if (!anySizes) return g.float(width);
    return g.cast(g.reshape(g.slice(g.shape(logits), [1], [1]), g.int([], [0])), 'float32');
  }
}

/** [B, T, N] as rows [T·B, N]; [B, T], without N, as [T·B]. */
export function stepsBelow<T extends AnyTensor>(
  g: GraphBuilder,
  x: T,
  columns?: number | GraphTensor<'int32'>,
): T {
  const y = x as unknown as GraphTensor;
  const rows =
    columns === undefined
      ? g.reshape(g.transpose(y, [1, 0]), g.int([-1]))
      : g.reshape(
          g.transpose(y, [1, 0, 2]),
          typeof columns === 'number' ? g.int([-1, columns]) : g.concat([g.int([-1]), columns], 0),
        );
  return rows as unknown as T;
}

/** Rows [T·B, N] as [B, T, N]. */
export function batchFirst(g: GraphBuilder, rows: GraphTensor, sizes: Sizes): GraphTensor {
  return g.transpose(stepsOf(g, rows, sizes), [1, 0, 2]);
}

export function sum(g: GraphBuilder, parts: readonly GraphTensor[]): GraphTensor {
  return parts.reduce((a, b) => g.add(a, b));
}
