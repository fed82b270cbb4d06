import type { BidirectionalConfig } from '../../../scratch/index';
import { partOf, prefixed } from '../../directions';
import type { GraphBuilder, GraphTensor } from '../builder/index';
import type { Tensors } from '../cells/index';
import type { WalkThroughTime } from '../time/index';
import { sumOf, type GraphLayer } from './layer';
import { recurrentLayer } from './recurrent';

/**
 * One layer that reads forwards and one that reads backwards, merged (Schuster & Paliwal 1997). They do not wait for each
 * other.
 *
 *     concat   y = [a, b]        da, db = the halves of dy
 *     sum      y = a + b         da = dy          db = dy
 *     ave      y = (a + b) / 2   da = dy / 2      db = dy / 2
 *     mul      y = a ∘ b         da = dy ∘ b      db = dy ∘ a
 */
export function bidirectionalLayer(
  { wrapped, mergeMode = 'concat' }: BidirectionalConfig,
  walk: WalkThroughTime,
): GraphLayer {
  const directions = [
    { prefix: 'forward', layer: recurrentLayer(wrapped, walk) },
    { prefix: 'backward', layer: recurrentLayer({ ...wrapped, goBackwards: true }, walk, true) },
  ];
  return (g, weights) => {
    const built = directions.map(({ prefix, layer }) =>
      g.scope(prefix, () => layer(g, partOf(weights, prefix))),
    );
    return (input, initialStates, sizes) => {
      const each = initialStates.length / 2;
      const half = <T>(both: readonly T[], k: number, count: number) =>
        both.slice(k * count, (k + 1) * count);
      const passes = built.map((apply, k) =>
        g.scope(directions[k].prefix, () => apply(input, half(initialStates, k, each), sizes)),
      );
      const [a, b] = passes.map(({ output }) => output.rows);
      return {
        output: { ...passes[0].output, rows: merge(g, a, b) },
        finalStates: passes.flatMap(({ finalStates }) => finalStates),
        sequences: () => passes.flatMap((pass) => pass.sequences()),
        backward: ({ output, finalStates, sequences }) => {
          const dOutputs = output ? unmerge(g, output, a, b) : [];
          const gradients = passes.map((pass, k) =>
            g.scope(directions[k].prefix, () =>
              pass.backward({
                output: dOutputs.at(k),
                finalStates: half(finalStates, k, each),
                sequences: half(sequences, k, 1),
              }),
            ),
          );
          return {
            weights: Object.assign(
              {},
              ...gradients.map((of, k) => prefixed(of.weights, directions[k].prefix)),
            ) as Tensors,
            input: sumOf(g, ...gradients.map((of) => of.input)) as GraphTensor,
            initialStates: gradients.flatMap((of) => of.initialStates),
          };
        },
      };
    };
  };

  function merge(g: GraphBuilder, a: GraphTensor, b: GraphTensor): GraphTensor {
    if (mergeMode === 'concat') return g.concat([a, b], 1);
    if (mergeMode === 'mul') return g.mul(a, b);
    const sum = g.add(a, b);
    return mergeMode === 'sum' ? sum : g.mul(g.float(0.5), sum);
  }

  function unmerge(g: GraphBuilder, dy: GraphTensor, a: GraphTensor, b: GraphTensor): GraphTensor[] {
    if (mergeMode === 'concat') return g.split(dy, 2, 1);
    if (mergeMode === 'mul') return [g.mul(dy, b), g.mul(dy, a)];
    const d = mergeMode === 'sum' ? dy : g.mul(g.float(0.5), dy);
    return [d, d];
  }
}
