import type { EmbeddingConfig } from '../../../scratch/index';
import type { GraphTensor } from '../builder/index';
import type { GraphLayer } from './layer';

/** y = embeddings[x];   dEmbeddings[x] += dy: a row that is used twice gets both. */
export function embeddingLayer({ maskZero = false }: EmbeddingConfig): GraphLayer {
  return (g, { embeddings }) =>
    (input, _, { batch, timeSteps }) => {
      const integers = input.integers as GraphTensor<'int32'>;
      const y = g.gather(embeddings, integers);
      const exists = () => {
        const shape = g.concat([timeSteps, batch, g.int([1])], 0);
        const own = g.reshape(g.notEqual(integers, g.int(0)), shape);
        return input.mask ? g.and(own, input.mask) : own;
      };
      return {
        output: { rows: y, hasTime: true, mask: maskZero ? exists() : input.mask },
        finalStates: [],
        sequences: () => [],
        backward: ({ output }) => {
          const count = g.reshape(g.slice(g.shape(embeddings), [0], [1]), g.int([], [0]));
          return {
            weights: { embeddings: g.segmentSum(output ?? g.zerosLike(y), integers, count) },
            input: input.rows,
            initialStates: [],
          };
        },
      };
    };
}
