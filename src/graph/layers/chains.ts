import type { GraphBuilder, GraphTensor } from '../builder/index';

/** Cuts a batch into parts that do not wait for each other, and joins what comes of them. */
export interface Chains {
  readonly count: number;
  /** The examples of each part; `x` has the batch first. */
  readonly cut: <T extends GraphTensor | GraphTensor<'int32'> | GraphTensor<'bool'>>(x: T) => readonly T[];
}

/**
 * `count` parts of the batch: two cores then work on two chains of small products, instead of sharing each product. Each
 * part is floor(B / count) examples, the last one takes the rest.
 *
 * @param inputs [B, ...]
 */
export function chainsOf(g: GraphBuilder, inputs: GraphTensor | GraphTensor<'int32'>, count: number): Chains {
  if (count === 1) return { count, cut: (x) => [x] };
  const batch = g.slice(g.shape(inputs), [0], [1]);
  const each = g.div(batch, g.int([count]));
  const rest = g.sub(batch, g.mul(each, g.int([count - 1])));
  const sizes = g.concat([...Array.from({ length: count - 1 }, () => each), rest], 0);
  return {
    count,
    cut: <T extends GraphTensor | GraphTensor<'int32'> | GraphTensor<'bool'>>(x: T) =>
      g.splitSizes(x as GraphTensor, sizes, count, 0) as unknown as T[],
  };
}

/**
 * Fewest multiplications in one step's largest product, B · U · G · U, for which two chains pay. A simple RNN at B32 T28 U128
 * (524,288) takes 0.95 of the time in two chains where two cores do nothing else, and on a busy machine up to twice the time,
 * because each step of one chain waits for a thread; at B128 T100 U512 (33 million) two chains take 0.63 of the time.
 */
const fewestMultiplications = 1_000_000;
const fewestExamples = 8;

/**
 * How many chains a batch of that size gets: 2 or 1, the only numbers measured. Where one operation runs at a time a
 * second chain only costs (B32 T28 U128: 1.53 ms against 1.42 ms).
 *
 * @param widest U · G · U, the largest recurrentKernel; 0 without a recurrent layer
 * @param sideBySide how many operations run side by side
 */
export function chainsFor(batch: number, widest: number, sideBySide: number): number {
  const pays = batch >= 2 * fewestExamples && batch * widest >= fewestMultiplications;
  return pays && sideBySide > 1 ? 2 : 1;
}
