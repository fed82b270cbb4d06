import type { EquationFault } from './fault';
import {
  changedOuter,
  layerFault,
  withBlocks,
  type About,
  type Change,
  type Recurrent,
  type Run,
} from './pass-fault';

/** Mistakes of an embedding, whose inputs are one-hot rows [B, T, integers]. */
export function embeddingFaults({ name: layer, reads, integers }: Recurrent): EquationFault[] {
  if (integers !== true || reads !== 'inputs') return [];
  const gradient = `gradients.${layer}.embeddings`;
  const back = { phase: 'backward', quantity: 'gradients.embeddings', page: 'wrong-time-step' } as const;
  const fault = (words: string, about: Omit<About, 'layer'>, change: Change): EquationFault =>
    layerFault(words, { ...about, layer }, change);
  const shifted = (by: 1 | -1, words: string): EquationFault =>
    fault(
      `the row of the integer ${words} is read`,
      { quantity: 'h', page: 'weights-import' },
      (_, problem) => {
        const { data, shape } = problem.inputs;
        const count = shape[2];
        // at the end the last row, or the one at the other end
        return [true, false].map((isHeld): Run => {
          const made = new Float64Array(data.length);
          data.forEach((x, i) => {
            if (x === 0) return;
            const other = (i % count) + by;
            const row = isHeld ? Math.min(Math.max(other, 0), count - 1) : (other + count) % count;
            made[i - (i % count) + row] = 1;
          });
          return { problem: { ...problem, inputs: { data: made, shape } } };
        });
      },
    );
  return [
    shifted(-1, 'before'),
    shifted(1, 'after'),
    fault('steps of the integer 0 are not masked', { quantity: 'mask', page: 'masks' }, (_, problem) => {
      const { mask, inputs } = problem;
      const data = mask?.data.map((m, i) => (inputs.data[i * inputs.shape[2]] === 1 ? 1 : m));
      return data && mask && { problem: { ...problem, mask: { ...mask, data } } };
    }),
    fault(
      'of equal integers only the last adds to the gradient of its row: it is overwritten',
      back,
      (network, problem) => {
        const { data, shape } = problem.inputs;
        const [batch, timeSteps, count] = shape;
        const integerAt = (b: number, t: number): number =>
          data.subarray((b * timeSteps + t) * count, (b * timeSteps + t + 1) * count).indexOf(1);
        const rank = [(b: number, t: number) => b * timeSteps + t, (b: number, t: number) => t * batch + b];
        return rank.map((of): Run => {
          const last = new Map<number, number>();
          for (let b = 0; b < batch; b++)
            for (let t = 0; t < timeSteps; t++)
              last.set(integerAt(b, t), Math.max(last.get(integerAt(b, t)) ?? -1, of(b, t)));
          return changedOuter([gradient], network, problem, (b, t) => last.get(integerAt(b, t)) === of(b, t));
        });
      },
    ),
    fault(
      'the gradient of a row is divided by how often its integer occurs',
      back,
      (_, { inputs: { data, shape } }) => {
        const count = shape[2];
        const times = new Float64Array(count);
        data.forEach((x, i) => (times[i % count] += x));
        return {
          isRightForward: true as const,
          finish: withBlocks([gradient], ([block], arithmetic) => {
            const by = block.value.map((__, i) => 1 / Math.max(1, times[Math.floor(i / block.columns)]));
            return [arithmetic.apply('product', [block, arithmetic.given('', by, block.rows)], '')];
          }),
        };
      },
    ),
  ];
}
